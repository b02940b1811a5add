import json

import pytest
from awacs import dynamodb
from awacs.aws import Action
from troposphere import Ref

from model import policy


def test_an_action_with_a_wildcard_is_refused() -> None:
    for action in (Action("dynamodb", "*"), Action("dynamodb", "Put*"), Action("*")):
        with pytest.raises(ValueError, match=r"must be named in full \(got '.*\*'\)"):
            policy.allow(action, on=Ref("DataTable"))


def test_a_statement_without_an_action_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one action"):
        policy.allow(on=Ref("DataTable"))


def test_a_resource_given_as_text_is_refused() -> None:
    with pytest.raises(TypeError, match=r"must be a Ref, GetAtt or Sub \(got '\*'\)"):
        policy.allow(dynamodb.PutItem, on="*")  # type: ignore[arg-type]


def test_the_only_resource_that_is_a_wildcard_is_that_of_the_two_tracing_actions() -> None:
    assert json.loads(policy.TRACE.to_json()) == {
        "Effect": "Allow",
        "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        "Resource": ["*"],
    }


def test_a_document_names_the_current_version_of_the_policy_language() -> None:
    assert json.loads(policy.document(policy.TRACE).to_json())["Version"] == "2012-10-17"
