"""Short templates of other people, to try one rule at a time on."""

from typing import Any

from samtranslator.yaml_helper import yaml_parse

# Rules about what these short templates leave out on purpose.
ASIDE = {
    *("E9003", "E9004", "E9006", "E9009", "E9011", "E9141", "E9171", "E9191", "E9301", "E9302", "E9303", "E9304"),
    *("W9156", "W9161", "W9322"),
}


def template(text: str) -> dict[str, Any]:
    head = "AWSTemplateFormatVersion: '2010-09-09'\n"
    if "AWS::Serverless::" in text:
        head += "Transform: AWS::Serverless-2016-10-31\n"
    parsed: dict[str, Any] = yaml_parse(head + text)
    return parsed


ROLE = """
  {name}:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: {{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: sts:AssumeRole}}
"""
FUNCTION = """
  {name}:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt {role}.Arn
      Code: {{ZipFile: 'pass'}}
"""
ALARM = """
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: {namespace}
      MetricName: {metric}
      Dimensions: [{{Name: {dimension}, Value: {value}}}]
      Statistic: Maximum
      Period: 60
      EvaluationPeriods: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      TreatMissingData: notBreaching
      AlarmActions: [!ImportValue on-call]
"""
MATH = """
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {{Runtime: python3.13, Handler: index.handler, InlineCode: pass{letters}}}
  Queue: {{Type: AWS::SQS::Queue, Properties: {{MessageRetentionPeriod: 1209600}}}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      EvaluationPeriods: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      TreatMissingData: notBreaching
      AlarmActions: [!ImportValue on-call]
      Metrics: [{metrics}]
"""
MEASURED = "{{Id: {id}, ReturnData: false, MetricStat: {{Period: 60, Stat: Sum, Metric: {metric}}}}}"
OF_FUNCTION = (
    "{{Namespace: AWS/Lambda, MetricName: {name}, Dimensions: [{{Name: FunctionName, Value: !Ref Function}}]}}"
)
SENT = (
    "{Namespace: AWS/SQS, MetricName: NumberOfMessagesSent, "
    "Dimensions: [{Name: QueueName, Value: !GetAtt Queue.QueueName}]}"
)
LETTERS = ", DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Queue.Arn}"


def alarm(value: str, dimension: str = "QueueName", metric: str = "ApproximateNumberOfMessagesVisible") -> str:
    """Write an alarm on a metric of what a dimension names."""
    service = {"QueueName": "SQS", "FunctionName": "Lambda", "TableName": "DynamoDB"}[dimension]
    return ALARM.format(namespace=f"AWS/{service}", metric=metric, dimension=dimension, value=value)


def math(lost: str, *expressions: str, letters: str = LETTERS) -> dict[str, Any]:
    """Make a template of one alarm by metric math.

    Args:
        lost: Name of the metric that the expressions call `lost`; `sent` is the count of the queue's messages.
        expressions: They call each other `e0`, `e1` and so on.
        letters: The properties by which the function has a dead-letter queue.
    """
    queries = [f"{{Id: e{index}, Expression: '{each}'}}" for index, each in enumerate(expressions)]
    measured = {"lost": OF_FUNCTION.format(name=lost), "sent": SENT}
    used = {name: metric for name, metric in measured.items() if name in "".join(expressions)}
    queries += [MEASURED.format(id=name, metric=metric) for name, metric in used.items()]
    return template(MATH.format(letters=letters, metrics=", ".join(queries)))
