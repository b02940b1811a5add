"""What is counted from the logs: failures, by whose fault they are, and what became of the records."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from core.aws import AFTER_FAULT, AFTER_THROTTLING, ServiceError
from core.bulk import check_time
from core.stage import stage, what_failed
from model.watching.counting import ENDED

from ...functions.conftest import no_schema
from ...own import validator
from ..built_stages import STAGES
from ..filter_pattern import matches
from ..translation import of_type

__all__ = ["no_schema"]  # the fixture: the project's own schema is for other data


Document = dict[str, Any]


def pattern(template: Document, kind: str = "Failures") -> str:
    """Give the one pattern by which a kind of line is counted, of whatever stage."""
    counted = of_type(template, "AWS::Logs::MetricFilter")
    (found,) = {
        counted[f"{stage}{kind}Filter"]["FilterPattern"] for stage in STAGES if f"{stage}{kind}Filter" in counted
    }
    return str(found)


def test_failures_are_counted_from_the_stages_own_log_wherever_there_is_an_alarm(template: Document) -> None:
    for title in STAGES:
        counted, alarm = (template["Resources"][f"{title}Failures{kind}"] for kind in ("Filter", "Alarm"))
        assert counted["Condition"] == alarm["Condition"]
        assert counted["Properties"]["LogGroupName"] == {"Ref": f"{title}LogGroup"}
        (published,) = counted["Properties"]["MetricTransformations"]
        watched = alarm["Properties"]
        name, namespace = watched["MetricName"], watched["Namespace"]
        assert published == {"MetricNamespace": namespace, "MetricName": name, "MetricValue": "1"}


def test_the_pattern_is_no_longer_than_cloudwatch_takes(template: Document) -> None:
    assert len(pattern(template)) <= 1024  # characters


# Lines as Lambda's Python runtime and Lambda itself write them, in JSON and at the level WARN:
# https://github.com/aws/aws-lambda-python-runtime-interface-client (bootstrap.py)
# https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
def raised(error: str) -> Document:
    return {"level": "ERROR", "errorMessage": "", "errorType": error, "requestId": "8f1c", "stackTrace": []}


def reported(kind: str, status: str, error: str | None = None) -> dict[str, Any]:
    record = {"requestId": "8f1c", "status": status, **({"errorType": error} if error else {})}
    return {"time": "2026-11-25T12:00:00.000Z", "type": f"platform.{kind}", "record": record}


@pytest.mark.parametrize(
    "line",
    [
        *(raised(f"Runtime.{error}") for error in ("ImportModuleError", "HandlerNotFound", "UserCodeSyntaxError")),
        raised("Runtime.MarshalError"),
        reported("report", "timeout"),
        *(reported("report", "error", error) for error in ENDED),
        reported("initReport", "error", "Runtime.Unknown"),
        reported("initReport", "timeout"),
    ],
    ids=json.dumps,
)
def test_what_lambda_writes_of_a_broken_version_is_counted(template: Document, line: Document) -> None:
    assert matches(pattern(template), json.dumps(line))


@pytest.mark.parametrize(
    "line",
    [
        *(raised(error) for error in ("InvalidRecord", "ConflictingRecord", "Runtime.UnmarshalError")),
        *(reported(kind, "error", "Runtime.Unknown") for kind in ("runtimeDone", "report")),
        *(reported("runtimeDone", "error", error) for error in ENDED),  # the second line about the same run
        reported("runtimeDone", "timeout"),
        reported("initReport", "success"),
        {"level": "INFO", "message": "record stored", "recordId": "timeout"},
    ],
    ids=json.dumps,
)
def test_what_lambda_writes_of_a_bad_record_or_a_second_time_is_not_counted(template: Document, line: Document) -> None:
    assert not matches(pattern(template), json.dumps(line))


RECORD = {"id": "one", "timestamp": 1, "data": 1}
CONTEXT = SimpleNamespace(aws_request_id="8f1c", get_remaining_time_in_millis=lambda: 60_000)
THROTTLED = ServiceError("ThrottlingException", "slow down", backoff=AFTER_THROTTLING)
FORBIDDEN = ServiceError("AccessDeniedException", "not authorized")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give what was logged as Lambda's formatter writes it, the fields that count."""
    fields = ("accepted", "stored", "alreadyStored")
    return [
        json.dumps(
            {"level": line.levelname, "message": line.getMessage()}
            | {name: getattr(line, name) for name in fields if hasattr(line, name)}
        )
        for line in caplog.records
    ]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (RuntimeError("broken"), "Failures"),
        (FORBIDDEN, "Failures"),
        (THROTTLED, "DependencyFailures"),
        (ServiceError("TimeoutError", "no answer", backoff=AFTER_FAULT), "DependencyFailures"),
    ],
    ids=repr,
)
def test_a_failure_is_counted_once_as_the_stages_or_as_a_services(
    template: Document, caplog: pytest.LogCaptureFixture, failure: Exception, kind: str
) -> None:
    """A service's fault rolls no deployment back."""

    def fails(_: object) -> None:
        raise failure

    with pytest.raises(type(failure)):
        stage("broken")(fails)(RECORD, CONTEXT)
    counted = {
        each: [matches(pattern(template, each), line) for line in lines(caplog)].count(True)
        for each in ("Failures", "DependencyFailures")
    }
    assert counted == {"Failures": 0, "DependencyFailures": 0, kind: 1}


def test_a_table_that_throttles_a_batch_to_the_end_of_its_time_is_a_services_fault() -> None:
    with pytest.raises(ServiceError) as given_up:
        check_time(0)
    assert what_failed(given_up.value) == "dependency failed"


def test_what_a_stage_logs_of_a_refusal_is_no_failure(template: Document, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="missing data field"):
        validator.handler({"id": "one"}, CONTEXT)
    assert [matches(pattern(template, "Refused"), line) for line in lines(caplog)] == [True]
    assert not any(matches(pattern(template), line) for line in lines(caplog))


def counts(template: Document, stage: str, logged: list[str]) -> dict[str, int]:
    """Give what the filters of a stage make of its lines: the sums by the metric."""
    found: dict[str, int] = {}
    for name, counted in of_type(template, "AWS::Logs::MetricFilter").items():
        (published,) = counted["MetricTransformations"]
        metric, value = published["MetricName"].removeprefix(stage), published["MetricValue"]
        for line in logged if name.startswith(stage) else []:
            if matches(counted["FilterPattern"], line):
                amount = json.loads(line)[value[2:]] if value.startswith("$.") else int(value)
                found[metric] = found.get(metric, 0) + amount
    return {metric: number for metric, number in found.items() if number}


def test_records_are_counted_one_by_one_and_in_batches(
    template: Document, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr("core.dead_letters.send", lambda *_, **__: None)
    validator.handler(RECORD, CONTEXT)
    validator.handler([RECORD, RECORD, {"id": "one"}], CONTEXT)
    with pytest.raises(ValueError, match="missing data field"):
        validator.handler({"id": "one"}, CONTEXT)
    assert counts(template, STAGES[0], lines(caplog)) == {"Accepted": 3, "Refused": 2}


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ({"message": "record stored"}, {"Stored": 1}),
        ({"message": "record already stored"}, {"AlreadyStored": 1}),
        ({"message": "batch stored", "records": 9, "refused": 2, "stored": 4, "alreadyStored": 3}, None),
        ({"message": "record refused"}, {"Refused": 1}),
        ({"message": "stage failed"}, {"Failures": 1}),
    ],
)
def test_what_the_last_stage_stores_counts(template: Document, line: Document, counted: dict[str, int] | None) -> None:
    assert counts(template, STAGES[-1], [json.dumps(line)]) == (counted or {"Stored": 4, "AlreadyStored": 3})
