"""The rules on templates of other people: what they catch beside this one's mutants, and what they have to let be."""

import pytest

from .linting import found, found_unexpanded
from .templates import ASIDE, FUNCTION, ROLE, alarm, template

TABLE = "  Table: {{Type: AWS::DynamoDB::Table, Properties: {{{properties}}}}}\n"


@pytest.mark.parametrize(
    ("size", "expected"),
    [("Default: 512", set()), ("Default: 3008", {"W9111"}), ("AllowedValues: [512, 3008]", {"W9111"})],
)
def test_memory_by_a_parameter_is_what_the_parameter_offers(size: str, expected: set[str]) -> None:
    text = f"Parameters: {{Memory: {{Type: Number, {size}}}}}\nResources:"
    text += ROLE.format(name="Role") + FUNCTION.format(name="Function", role="Role") + "      MemorySize: !Ref Memory\n"
    assert found(template(text)) - ASIDE == expected


SHARED = "Resources:" + ROLE.format(name="Role") + "".join(FUNCTION.format(name=n, role="Role") for n in ("One", "Two"))


def test_two_bare_functions_are_copies_only_if_they_are_configured_alike() -> None:
    assert found(template(SHARED)) - ASIDE == {"W9121", "E9153"}
    assert found(template(SHARED + "      Timeout: 30\n")) - ASIDE == {"E9153"}


PROVISIONED = "BillingMode: PROVISIONED, ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}, "
KEYS = "AttributeDefinitions: [{AttributeName: id, AttributeType: S}], KeySchema: [{AttributeName: id, KeyType: HASH}]"
SCALING = """
  {name}Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: dynamodb
      ResourceId: !Sub table/${{Table}}
      ScalableDimension: dynamodb:table:{name}CapacityUnits
      MinCapacity: 5
      MaxCapacity: 50
  {name}Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: {name}
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref {name}Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 70
        PredefinedMetricSpecification: {{PredefinedMetricType: DynamoDB{name}CapacityUtilization}}
"""


def test_provisioned_capacity_that_scales_in_both_dimensions_is_not_fixed() -> None:
    text = "Resources:\n" + TABLE.format(properties=PROVISIONED + KEYS)
    assert found(template(text)) - ASIDE == {"W9131"}
    assert found(template(text + SCALING.format(name="Read"))) - ASIDE == {"W9131"}
    assert found(template(text + SCALING.format(name="Read") + SCALING.format(name="Write"))) - ASIDE == set()


ASYNCHRONOUS = """
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: pass
      EventInvokeConfig:
        MaximumRetryAttempts: 2
        MaximumEventAgeInSeconds: 3600
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Queue.Arn}}
"""
FAILURES = "Resources:\n  Queue: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}" + ASYNCHRONOUS
WATCHED = alarm("!GetAtt Queue.QueueName")


def test_a_failure_destination_is_a_dead_letter_queue_too_to_which_the_role_that_sam_makes_may_send() -> None:
    aside = ASIDE - {"E9141"}
    assert found(template(FAILURES)) - aside == {"E9142"}
    assert found(template(FAILURES + WATCHED)) - aside == set()
    assert "E9192" not in found_unexpanded(template(FAILURES + WATCHED))


def test_a_queue_of_another_queue_is_watched_as_well() -> None:
    text = """
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}
  Work:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Queue.Arn, maxReceiveCount: 3}}
"""
    assert found(template(text)) - ASIDE == {"E9142"}
    assert found(template(text + WATCHED)) - ASIDE == set()


def test_beside_an_alarm_on_the_first_letter_others_may_wait_longer() -> None:
    slow = WATCHED.replace("  Alarm:", "  Slow:").replace("EvaluationPeriods: 1", "EvaluationPeriods: 60")
    aside = ASIDE - {"E9141"}
    assert found(template(FAILURES + slow)) - aside == {"W9143"}
    assert found(template(FAILURES + slow + WATCHED)) - aside == set()


ALIASED = """
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {{Runtime: python3.13, Handler: index.handler, InlineCode: pass{alias}}}
  Schedule:
    Type: AWS::Events::Rule
    Properties: {{ScheduleExpression: rate(1 day), Targets: [{{Id: one, Arn: {target}}}]}}
"""


def test_a_schedule_past_the_alias_is_reported_and_one_of_the_alias_is_not() -> None:
    alias = ", AutoPublishAlias: live"
    assert found(template(ALIASED.format(alias="", target="!GetAtt Function.Arn"))) - ASIDE == set()
    assert found(template(ALIASED.format(alias=alias, target="!GetAtt Function.Arn"))) - ASIDE == {"E9182"}
    assert found(template(ALIASED.format(alias=alias, target="!Ref Function.Alias"))) - ASIDE == set()


def test_settings_of_another_qualifier_than_the_alias_are_reported() -> None:
    text = ALIASED.format(alias=", AutoPublishAlias: live", target="!Ref Function.Alias")
    for qualifier, expected in {"live": set(), "$LATEST": {"E9193"}}.items():
        config = f"""
  Settings:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref Function
      Qualifier: {qualifier}
      MaximumRetryAttempts: 0
      MaximumEventAgeInSeconds: 60
"""
        assert found(template(text + config)) - ASIDE == expected


def test_a_log_group_named_after_its_function_is_the_functions() -> None:
    text = """
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: index.handler, InlineCode: pass, FunctionName: !Sub 'my-${AWS::Region}'}
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub '/aws/lambda/my-${AWS::Region}', RetentionInDays: 7}
"""
    assert not {"E9171", "E9172"} & found(template(text))


LET_BE = {
    "functions of SAM that differ in nothing but their code": """
Globals: {Function: {Runtime: python3.13, Handler: index.handler, Tracing: Active}}
Resources:
  One: {Type: AWS::Serverless::Function, Properties: {InlineCode: 'one'}}
  Two: {Type: AWS::Serverless::Function, Properties: {InlineCode: 'two'}}
""",
    "an alarm on the whole account, which names no function": "Resources:"
    + WATCHED.replace("AWS/SQS", "AWS/Lambda").replace(
        "Dimensions: [{Name: QueueName, Value: !GetAtt Queue.QueueName}]", "Dimensions: []"
    ),
    "a log group of something else": """
Resources: {Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /api, RetentionInDays: 7}}}
""",
    "a layer of another account, named by its account": f"""
Resources:{ROLE.format(name="Role")}{FUNCTION.format(name="Function", role="Role")}
      Layers: ['arn:aws:lambda:us-east-1:123456789012:layer:tools:1']
""",
    "a tag that spells the name of a resource": """
Resources:
  Work: {Type: AWS::SQS::Queue, Properties: {QueueName: orders}}
  More: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: Team, Value: orders}]}}
""",
}


@pytest.mark.parametrize("feature", LET_BE)
def test_what_is_no_defect_is_let_be(feature: str) -> None:
    assert found(template(LET_BE[feature])) - ASIDE == set()


def test_a_resource_type_that_nobody_knows_is_let_be() -> None:
    text = "Resources: {Mine: {Type: Custom::Mine, Properties: {ServiceToken: !ImportValue it}}}"
    assert found(template(text)) == set()


def test_the_tags_of_a_mapping_are_read_as_well() -> None:
    tags = "{CostCenter: a, Environment: b, ManagedBy: c, Project: d}"
    text = "Resources: {Parameter: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: a, Tags: %s}}}"
    assert "W9161" not in found(template(text % tags))
    assert "W9161" in found(template(text % "{CostCenter: a}"))


def test_a_function_that_an_event_source_calls_needs_no_settings_for_queued_events() -> None:
    reader = """
Resources:
  Reader: {Type: AWS::Lambda::Function, Properties: {}}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Reader, Name: live}}
"""
    mapped = """
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref Live, EventSourceArn: !GetAtt Queue.Arn}
"""
    asked = {"E9141", "E9191"}
    assert found(template(reader + mapped)) & asked == set()
    assert found(template(reader)) & asked == asked
