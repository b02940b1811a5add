from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from pipeline.rules.reading import Template, described, is_made_by_sam, literals


def test_only_texts_that_nothing_evaluates_are_literal() -> None:
    either = {"Fn::If": ["Condition", "three", {"Ref": "AWS::NoValue"}]}
    value = {"A": "one", "B": {"Fn::Sub": "two"}, "C": either, "D": [{"Ref": "four"}, "five"]}
    found = [(["P", "A"], "one"), (["P", "C", "Fn::If", 1], "three"), (["P", "D", 1], "five")]
    assert list(literals(value, ["P"])) == found


SAM: dict[str, Any] = yaml_parse("""
Transform: AWS::Serverless-2016-10-31
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      {Runtime: python3.13, Handler: index.handler, CodeUri: functions/, AutoPublishAlias: live,
       EventInvokeConfig: {MaximumRetryAttempts: 1}}
""")


@pytest.fixture(scope="module")
def worker() -> Template:
    return Template(SAM)


def test_sam_is_expanded_and_its_source_left_as_it_is(worker: Template) -> None:
    (function,) = worker.functions
    assert [alias.id for alias in function.aliases] == ["WorkerAliaslive"]
    assert function.on_event("MaximumRetryAttempts") == [{function.event_invoke_configs[0].id: 1}]
    assert SAM["Resources"]["Worker"]["Properties"]["CodeUri"] == "functions/"


def test_what_sam_makes_is_known_and_its_aliases_are_named_by_their_function(worker: Template) -> None:
    assert described("Worker", worker) == "Worker"
    assert described("WorkerAliaslive", worker) == "the alias live of Worker"
    assert is_made_by_sam(worker.resources["WorkerRole"])
    assert not is_made_by_sam(worker.resources["WorkerAliaslive"])


def test_what_sam_generates_is_placed_at_what_it_is_generated_from(worker: Template) -> None:
    generated = worker.within(["Resources", "WorkerAliaslive", "Properties", "Name"])
    assert generated == ["Resources", "Worker", "Properties"]
    assert worker.within(["Resources", "Worker", "Properties", "Handler"])[-1] == "Handler"
    assert worker.within(["Resources", "Elsewhere"]) == ["Resources"]


def test_a_resource_that_is_no_mapping_or_has_no_properties_breaks_no_rule() -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": None}
    template = Template({"Resources": {"Fn::ForEach::Queues": ["Name", ["a"], {}], "Topic": topic}})
    assert [*template.resources] == ["Topic"]
    assert template.resources["Topic"].find("TopicName") == []
