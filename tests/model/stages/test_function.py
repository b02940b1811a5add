from typing import Any

import pytest

from model import storage
from model.project import NAME
from pipeline.generated.render import render
from tests.own.pipeline import build

from ..built_stages import STAGES, following
from ..pipelines import stack_of, stage
from ..translation import of_type, translate


def test_two_stages_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must have a name of its own \(got 'keeper' 2 times\)"):
        stack_of(stage("keeper"), stage("counter"), stage("keeper"))


def test_a_resource_that_lacks_a_property_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    original = storage.data_table

    def without_keys() -> Any:
        table = original()
        del table.properties["KeySchema"]
        return table

    monkeypatch.setattr(storage, "data_table", without_keys)
    with pytest.raises(ValueError, match="KeySchema") as raised:
        render(build())
    assert raised.value.__notes__ == ["in the resource DataTable (AWS::DynamoDB::Table)"]


@pytest.mark.parametrize("title", STAGES)
def test_the_log_group_is_bound_by_the_logging_configuration(template: dict[str, Any], title: str) -> None:
    group = template["Resources"][f"{title}LogGroup"]["Properties"]
    assert group["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{NAME}-{title.lower()}-${{EnvironmentSuffix}}"}
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert template["Resources"][f"{title}Function"]["Properties"]["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "SystemLogLevel": "WARN",
        "LogGroup": {"Ref": f"{title}LogGroup"},
    }


@pytest.mark.parametrize(
    ("stage", "memory", "retries"), [("Validator", 512, 0), ("Enricher", 768, 2), ("Processor", 512, 2)]
)
def test_each_stage_has_its_size_its_retries_and_its_successor(
    translated: dict[str, Any], stage: str, memory: int, retries: int
) -> None:
    lambda_function = of_type(translated, "AWS::Lambda::Function")[f"{stage}Function"]
    assert (lambda_function["MemorySize"], lambda_function["Timeout"]) == (memory, 60)
    assert lambda_function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}}
    event_invoke = of_type(translated, "AWS::Lambda::EventInvokeConfig")[f"{stage}FunctionEventInvokeConfig"]
    assert event_invoke["Qualifier"] == "live"
    assert event_invoke["MaximumRetryAttempts"] == retries
    assert event_invoke["MaximumEventAgeInSeconds"] == 21600
    next_stage = following(stage)
    destinations = {"OnSuccess": {"Destination": {"Ref": f"{next_stage}FunctionAliaslive"}}} if next_stage else {}
    assert event_invoke["DestinationConfig"] == destinations


def test_only_the_processor_is_kept_warm_and_only_when_asked(translated: dict[str, Any]) -> None:
    aliases = of_type(translated, "AWS::Lambda::Alias")
    concurrency = {"ProvisionedConcurrentExecutions": {"Ref": "ProcessorProvisionedConcurrency"}}
    ((alias, warm),) = ((name, p) for name, p in aliases.items() if "ProvisionedConcurrencyConfig" in p)
    when_asked = {"Fn::If": ["ProcessorIsProvisioned", concurrency, {"Ref": "AWS::NoValue"}]}
    assert (alias, warm["ProvisionedConcurrencyConfig"]) == ("ProcessorFunctionAliaslive", when_asked)


def test_a_retired_stage_gets_no_results_and_still_hands_on_its_own() -> None:
    resources = translate(stack_of(stage("first"), stage("old", retired=True), stage("last")).to_dict())["Resources"]
    destinations = {
        name: resources[f"{name}FunctionEventInvokeConfig"]["Properties"]["DestinationConfig"]
        for name in ("First", "Old", "Last")
    }
    to_last = {"OnSuccess": {"Destination": {"Ref": "LastFunctionAliaslive"}}}
    assert destinations == {"First": to_last, "Old": to_last, "Last": {}}
    assert {name for name in resources if "Invokes" in name} == {"FirstInvokesLast", "OldInvokesLast"}
