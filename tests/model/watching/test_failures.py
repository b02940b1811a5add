"""Failures are counted by what is logged: all that a new version can break, and no record that is refused."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

import validator
from core.stage import stage
from model.watching.alarms import ENDED

from ..built_stages import STAGES
from ..filter_pattern import matches
from ..translation import of_type


def pattern(template: dict[str, Any]) -> str:
    (found,) = {counted["FilterPattern"] for counted in of_type(template, "AWS::Logs::MetricFilter").values()}
    return str(found)


def test_failures_are_counted_from_the_stages_own_log_wherever_there_is_an_alarm(template: dict[str, Any]) -> None:
    for name in STAGES:
        counted, alarm = (template["Resources"][f"{name}Failures{kind}"] for kind in ("Filter", "Alarm"))
        assert counted["Condition"] == alarm["Condition"]
        assert counted["Properties"]["LogGroupName"] == {"Ref": f"{name}LogGroup"}
        (published,) = counted["Properties"]["MetricTransformations"]
        watched = alarm["Properties"]
        assert published == {
            "MetricNamespace": watched["Namespace"],
            "MetricName": watched["MetricName"],
            "MetricValue": "1",
        }


def test_the_pattern_is_no_longer_than_cloudwatch_takes(template: dict[str, Any]) -> None:
    assert len(pattern(template)) <= 1024  # characters


# Lines as Lambda's Python runtime and Lambda itself write them, in JSON and at the level WARN:
# https://github.com/aws/aws-lambda-python-runtime-interface-client (bootstrap.py)
# https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
def raised(error: str) -> dict[str, Any]:
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
def test_what_lambda_writes_of_a_broken_version_is_counted(template: dict[str, Any], line: dict[str, Any]) -> None:
    assert matches(pattern(template), json.dumps(line))


@pytest.mark.parametrize(
    "line",
    [
        *(raised(error) for error in ("InvalidRecord", "ConflictingRecord", "Runtime.UnmarshalError")),
        *(reported(kind, "error", "Runtime.Unknown") for kind in ("runtimeDone", "report")),
        reported("initReport", "success"),
        {"level": "INFO", "message": "record stored", "recordId": "timeout"},
    ],
    ids=json.dumps,
)
def test_what_lambda_writes_of_a_bad_record_is_not_counted(template: dict[str, Any], line: dict[str, Any]) -> None:
    assert not matches(pattern(template), json.dumps(line))


RECORD = {"id": "one", "timestamp": 1, "data": 1}


@stage("broken")
def broken(_: object) -> None:
    raise RuntimeError("broken")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give what was logged as Lambda's formatter writes it, the fields that count."""
    return [json.dumps({"level": record.levelname, "message": record.getMessage()}) for record in caplog.records]


def test_what_a_stage_logs_of_a_failure_is_counted_once(
    template: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(RuntimeError):
        broken(RECORD, SimpleNamespace(aws_request_id="8f1c"))
    assert [matches(pattern(template), line) for line in lines(caplog)].count(True) == 1


def test_what_a_stage_logs_of_a_refusal_is_not_counted(
    template: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="missing data field"):
        validator.handler({"id": "one"}, SimpleNamespace(aws_request_id="8f1c"))
    assert caplog.records
    assert not any(matches(pattern(template), line) for line in lines(caplog))
