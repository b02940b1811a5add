"""What is found on answers that the embedded AWS does not give."""

import pytest

from pipeline.errors import MisuseError
from pipeline.questions.functions import Account
from pipeline.questions.plan import Code, Deployed, Finding, StageState, findings
from pipeline.questions.status import Alarm
from pipeline.questions.template import Template, read

TEMPLATE = """
Parameters:
  KmsKeyArn: {Type: String, Default: ''}
  GradualDeployment: {Type: String, Default: 'false'}
  Warm: {Type: Number, Default: 0}
  Cap: {Type: Number, Default: 0}
Conditions:
  IsWarm: !Not [!Equals [!Ref Warm, 0]]
  IsCapped: !And [!Condition IsWarm, !Not [!Equals [!Ref Cap, 0]]]
Resources:
  ValidatorFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub validator-${Warm}-${AWS::Region}
      AutoPublishAlias: live
      Timeout: 60
      ReservedConcurrentExecutions: !If [IsCapped, !Ref Cap, !Ref AWS::NoValue]
      ProvisionedConcurrencyConfig: !If
      - IsWarm
      - ProvisionedConcurrentExecutions: !Ref Warm
      - !Ref AWS::NoValue
  Spare:
    Type: AWS::SQS::Queue
    Condition: IsWarm
"""
NONE = Template({}, {}, {})
CODE = Code("1", 1)
QUIET = Account(1000, 1000)


def template(**given: str) -> Template:
    return read(TEMPLATE, given)


def deployed(status: str = "UPDATE_COMPLETE", one: Template | None = None) -> Deployed:
    return Deployed("data-dev", status, template() if one is None else one, ("validator",), {}, (), 0)


def found(new: Template, old: Deployed | None, account: Account = QUIET) -> list[Finding]:
    return list(findings(new, old, account, CODE))


def test_a_template_is_decided_for_its_parameters() -> None:
    cold, warm = template(), template(Warm="2")
    assert set(cold.resources) == {"ValidatorFunction"}
    assert set(warm.resources) == {"ValidatorFunction", "Spare"}
    assert "ProvisionedConcurrencyConfig" not in cold.functions["validator"]
    assert warm.functions["validator"]["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": "2"}
    assert warm.functions["validator"]["FunctionName"] == {"Fn::Sub": "validator-2-${AWS::Region}"}


@pytest.mark.parametrize("text", ["Resources: [", "[]", "Resources: 1"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(MisuseError):
        read(text)


@pytest.mark.parametrize(
    ("status", "do"),
    [
        *(("ROLLBACK_COMPLETE", "delete-stack"), ("REVIEW_IN_PROGRESS", "delete-stack")),
        *(("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"), ("UPDATE_IN_PROGRESS", "describe-stack-events")),
    ],
)
def test_a_stack_that_is_stuck_is_found_also_without_outputs(status: str, do: str) -> None:
    (stuck,) = found(template(), deployed(status, NONE))
    assert (stuck.finding, stuck.resource) == ("stack-stuck", "data-dev")
    assert stuck.do == f"aws cloudformation {do} --stack-name data-dev"


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_can_be_deployed_is_not_stuck(status: str) -> None:
    assert found(template(), deployed(status)) == []


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [("", "a", ["key-added"]), ("a", "", ["key-removed"]), ("a", "b", ["key-added", "key-removed"]), ("a", "a", [])],
)
def test_a_key_that_comes_or_goes_is_found(before: str, after: str, names: list[str]) -> None:
    told = found(template(KmsKeyArn=after), deployed(one=template(KmsKeyArn=before)))
    assert [one.finding for one in told if one.finding.startswith("key")] == names


def test_a_queue_whose_condition_holds_no_more_is_left_behind() -> None:
    told = found(template(), deployed(one=template(Warm="2")))
    assert [(one.finding, one.resource) for one in told] == [("data-left-behind", "Spare")]


@pytest.mark.parametrize(
    ("given", "limit", "free", "refused"),
    [
        *(({}, 10, 10, False), ({"Warm": "1"}, 10, 10, True)),
        *(({"Warm": "900"}, 1000, 1000, False), ({"Warm": "901"}, 1000, 1000, True)),
        *(({"Warm": "2", "Cap": cap}, 1000, free, no) for cap, free, no in
          (("901", 1000, True), ("50", 149, True), ("50", 150, False))),
    ],
)  # fmt: skip
def test_a_quota_that_does_not_suffice_is_found_also_of_a_first_deployment(
    given: dict[str, str], limit: int, free: int, refused: bool
) -> None:
    assert [one.finding for one in found(template(**given), None, Account(limit, free))] == ["quota"] * refused


@pytest.mark.parametrize(
    ("letters", "received", "handed_on", "goes"),
    [(0, 0, False, False), (0, 1, False, True), (1, 0, False, True), (0, 0, True, True)],
)
def test_a_retired_stage_goes_when_nothing_waits_for_it(
    letters: int, received: int, handed_on: bool, goes: bool
) -> None:
    old = deployed()._replace(stages={"marker": StageState("marker-dev", received=received)}, letters=letters)
    told = found(template(), old._replace(pipeline=("validator", "marker")) if handed_on else old)
    assert [(one.finding, one.resource) for one in told] == [("stage-goes", "marker-dev")] * goes


def test_an_alarm_that_stops_codedeploy_is_said_to() -> None:
    old = deployed()._replace(alarms=(Alarm("data-validator-failures-dev", "ALARM", ""), Alarm("slow", "OK", "")))
    (calm,) = found(template(), old)
    (gradual,) = found(template(GradualDeployment="true"), old)
    assert (calm.finding, gradual.finding) == ("alarm-on", "alarm-on")
    assert "ALARM_ACTIVE" in gradual.what
    assert "ALARM_ACTIVE" not in calm.what
