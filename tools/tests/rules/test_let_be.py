"""Templates with what rules once took for a defect: they have no findings but those that are set aside."""

import pytest

from .linting import found, found_unexpanded
from .templates import ASIDE, alarm, template

FUNCTION = (
    "Type: AWS::Lambda::Function, "
    "Properties: {Runtime: python3.13, Handler: a.b, Code: {ZipFile: pass}, Role: !ImportValue role"
)
NAMED = """
Parameters: {Prefix: {Type: String}}
Mappings: {Names: {eu-west-1: {Queue: orders}, us-east-1: {Queue: orders-us}}}
Resources:
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://example.com/orders.yaml}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${Prefix}-work'}}
  Function: {%s, FunctionName: !Sub '${AWS::StackName}-orders'}}
%s
"""


@pytest.mark.parametrize(
    "name",
    [
        *("!ImportValue orders-queue-name", "'{{resolve:ssm:/orders/queue-name}}'", "!GetAtt Nested.Outputs.Queue"),
        *("!Select [5, !Split [':', !ImportValue orders-queue-arn]]", "!FindInMap [Names, !Ref 'AWS::Region', Queue]"),
        *("!Sub '${Prefix}-elsewhere'", "!Ref Prefix", "!Sub '${Prefix}-work'", "!Join ['-', [!Ref Prefix, work]]"),
    ],
)
def test_an_alarm_may_watch_a_queue_of_elsewhere_or_one_by_its_own_name(name: str) -> None:
    assert found(template(NAMED % (FUNCTION, alarm(name)))) - ASIDE == set()


@pytest.mark.parametrize("name", ["!Sub '${AWS::StackName}-orders'", "!Join ['-', [!Ref AWS::StackName, orders]]"])
def test_an_alarm_may_watch_a_function_by_its_own_name(name: str) -> None:
    for named, expected in ((name, set[str]()), (name.replace("orders", "other"), {"E9311"})):
        given = template(NAMED % (FUNCTION, alarm(named, "FunctionName", "Errors")))
        assert found(given) - ASIDE == expected


LET_BE = {
    "keys of DefinitionSubstitutions": """
Parameters: {Channel: {Type: String, Default: mail}}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Inline:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: !ImportValue flow-role
      DefinitionSubstitutions: {Channel: !Ref Channel, Topic: !Ref Topic}
      Definition: {StartAt: A, States: {A: {Type: Pass, Result: '${Topic} ${Channel}', End: true}}}
  Written:
    Type: AWS::Serverless::StateMachine
    Properties:
      Role: !ImportValue flow-role
      DefinitionSubstitutions: {Topic: !Ref Topic}
      Definition: {StartAt: A, States: {A: {Type: Pass, Result: '${Topic}', End: true}}}
""",
    "policies of deletion that a function gives": """
Transform: AWS::LanguageExtensions
Parameters:
  Stage: {Type: String}
  Keep: {Type: String, Default: Retain, AllowedValues: [Retain, RetainExceptOnCreate]}
Mappings: {Kept: {dev: {Policy: RetainExceptOnCreate}, prod: {Policy: Retain}}}
Conditions: {Live: !Equals [!Ref Stage, prod]}
Resources:
  One:
    Type: AWS::S3::Bucket
    DeletionPolicy: !If [Live, Retain, RetainExceptOnCreate]
    UpdateReplacePolicy: !If [Live, Retain, Retain]
  Two: {Type: AWS::S3::Bucket, DeletionPolicy: !Ref Keep, UpdateReplacePolicy: Retain}
  Three: {Type: AWS::S3::Bucket, DeletionPolicy: !FindInMap [Kept, !Ref Stage, Policy], UpdateReplacePolicy: Retain}
""",
    "log groups of Lambda@Edge, and of functions of elsewhere": f"""
Parameters: {{Name: {{Type: String}}}}
Resources:
  Edge: {{{FUNCTION}}}}}
  Other: {{{FUNCTION}, Timeout: 9}}}}
  AtEdge:
    Type: AWS::Logs::LogGroup
    Properties: {{LogGroupName: !Sub '/aws/lambda/us-east-1.${{Edge}}', RetentionInDays: 30}}
  ByVariable:
    Type: AWS::Logs::LogGroup
    Properties: {{LogGroupName: !Sub ['/aws/lambda/${{Of}}', {{Of: !Ref Other}}], RetentionInDays: 30}}
  Elsewhere:
    Type: AWS::Logs::LogGroup
    Properties: {{LogGroupName: !Sub '/aws/lambda/${{Name}}', RetentionInDays: 30}}
""",
    "twins of which one exists": f"""
Parameters: {{RoleArn: {{Type: String, Default: ''}}}}
Conditions: {{Given: !Not [!Equals [!Ref RoleArn, '']], Made: !Equals [!Ref RoleArn, '']}}
Resources:
  Role: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {{Statement: []}}}}}}
  WithGiven: {{Condition: Given, {FUNCTION.replace("!ImportValue role", "!GetAtt Role.Arn")}, FunctionName: orders}}}}
  WithMade: {{Condition: Made, {FUNCTION.replace("!ImportValue role", "!GetAtt Role.Arn")}, FunctionName: orders}}}}
""",
    "a key of either kind, by a condition": """
Parameters: {Key: {Type: String, Default: ''}}
Conditions: {HasKey: !Not [!Equals [!Ref Key, '']]}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      SqsManagedSseEnabled: !If [HasKey, !Ref AWS::NoValue, true]
      KmsMasterKeyId: !If [HasKey, !Ref Key, !Ref AWS::NoValue]
""",
}


@pytest.mark.parametrize("feature", LET_BE)
def test_what_is_no_defect_is_let_be(feature: str) -> None:
    given = template(LET_BE[feature])
    aside = ASIDE - {"E9171" if "Edge" in feature else "E9301", "E9303" if "key" in feature else "E9301"}
    assert found_unexpanded(given) - aside == set()
