"""One identity: whatever has a physical name begins with the project's, and every length fits."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from model import project

from .pipelines import stack_of, stage

ROOT = Path(__file__).resolve().parents[2]
# What is named by its template; tables and queues have no names of their own.
NAMES = {
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "PolicyName",
}


@pytest.mark.parametrize("name", ["a", "data-2-go", "orders2-eu", "a" * 32])
def test_a_name_of_lower_case_words_is_taken(name: str) -> None:
    assert project.checked(name) == name


@pytest.mark.parametrize("name", ["", "Orders", "1st", "a--b", "-a", "a-", "a_b", "a b", "orders\n", "a" * 33])
def test_a_name_that_does_not_fit_aws_is_refused_as_it_was_given(name: str) -> None:
    with pytest.raises(ValueError, match=rf"the project's name must be at most 32 .* \(got '{re.escape(name)}'\)"):
        project.checked(name)


def test_every_physical_name_begins_with_the_project_and_ends_with_the_environment(template: dict[str, Any]) -> None:
    names = {
        logical_id: resource["Properties"][NAMES[resource["Type"]]]["Fn::Sub"]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] in NAMES
    }
    assert len(names) > 10
    for logical_id, name in names.items():
        # An account has one list of dashboards for all of its regions.
        region = r"-\$\{AWS::Region\}" if "Dashboard" in logical_id else ""
        usual = rf"(/aws/lambda/)?{project.NAME}(-[a-z0-9-]+)?-\$\{{EnvironmentSuffix\}}"
        assert re.fullmatch(usual + region, name), logical_id


def test_the_stack_has_a_path_of_its_own_for_its_roles_and_policies(template: dict[str, Any]) -> None:
    """By it the deployment role is kept from all others, whatever their names."""
    identities = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
    paths = {n: r["Properties"]["Path"] for n, r in template["Resources"].items() if r["Type"] in identities}
    assert len(paths) > 8
    assert {n: p for n, p in paths.items() if p != {"Fn::Sub": f"/{project.NAME}-${{EnvironmentSuffix}}/"}} == {}


def test_nothing_else_is_given_a_name(template: dict[str, Any]) -> None:
    for logical_id, resource in template["Resources"].items():
        own = f"{resource['Type'].rpartition('::')[2]}Name"
        assert own not in resource.get("Properties", {}) or resource["Type"] in NAMES, logical_id


def test_the_longest_stage_in_the_longest_environment_has_a_name_that_lambda_takes() -> None:
    longest = "a" * project.LONGEST_STAGE
    function = stack_of(stage(longest)).to_dict()["Resources"][f"{longest.capitalize()}Function"]["Properties"]
    name = function["FunctionName"]["Fn::Sub"].replace("${EnvironmentSuffix}", "e" * project.LONGEST_SUFFIX)
    assert len(name) == 64


def test_the_longest_project_leaves_room_for_the_stages_that_there_are(template: dict[str, Any]) -> None:
    room = project.LONGEST_FUNCTION - project.LONGEST - project.LONGEST_SUFFIX - 2
    handlers = re.findall(r'"Handler": "(\w+)\.', json.dumps(template))
    assert max(map(len, handlers)) <= room


@pytest.mark.parametrize(("environment", "suffix"), [("default", "dev"), ("staging", "staging"), ("prod", "prod")])
def test_the_stacks_and_their_folders_in_s3_are_named_for_the_project(environment: str, suffix: str) -> None:
    deploy = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]["parameters"]
    assert (deploy["stack_name"], deploy["s3_prefix"]) == (f"{project.NAME}-{suffix}",) * 2


def test_the_tag_is_the_name_in_one_word() -> None:
    assert re.fullmatch("([A-Z][a-z0-9]*|[0-9]+)+", project.TAGS["Project"])
    assert project.TAGS["Project"].lower() == project.NAME.replace("-", "")
