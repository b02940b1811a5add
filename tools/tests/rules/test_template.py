"""What the committed template promises beyond any rule: these checks are mutation-tested beside the rules."""

from typing import Any

from model.project import NAME
from model.stages.function import RUNTIME

STAGES = ("Validator", "Enricher", "Processor")


def functions(committed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {stage: committed["Resources"][f"{stage}Function"]["Properties"] for stage in STAGES}


def test_every_change_of_a_function_is_published(committed: dict[str, Any]) -> None:
    for stage, function in functions(committed).items():
        assert (function["AutoPublishAlias"], function["AutoPublishAliasAllProperties"]) == ("live", True), stage


def test_each_function_runs_the_handler_of_its_stage_on_the_supported_runtime(committed: dict[str, Any]) -> None:
    for stage, function in functions(committed).items():
        assert function["Handler"] == f"{stage.lower()}.handler"
        assert (function["CodeUri"], function["Runtime"]) == ("functions/", RUNTIME)
        assert function["Architectures"] == [{"Ref": "Architecture"}]


def test_only_the_processor_is_told_the_table(committed: dict[str, Any]) -> None:
    told = {
        stage: {
            # What has no value is there for `sam local` alone, and is left out on AWS.
            name: value
            for name, value in function.get("Environment", {}).get("Variables", {}).items()
            if value != {"Ref": "AWS::NoValue"}
        }
        for stage, function in functions(committed).items()
    }
    letters = {"DEAD_LETTER_QUEUE_URL": {"Ref": "DeadLetterQueue"}}
    assert told == {
        "Validator": letters,
        "Enricher": letters,
        "Processor": {**letters, "TABLE_NAME": {"Ref": "DataTable"}},
    }


def test_the_names_are_those_of_the_contract(committed: dict[str, Any]) -> None:
    for stage, function in functions(committed).items():
        assert function["FunctionName"] == {"Fn::Sub": f"{NAME}-{stage.lower()}-${{EnvironmentSuffix}}"}
    for name in ("DataTable", "DeadLetterQueue"):
        assert not {"TableName", "QueueName"} & set(committed["Resources"][name]["Properties"])
