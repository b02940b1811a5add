"""Short templates of other people, to try one rule at a time on."""

from typing import Any

from samtranslator.yaml_helper import yaml_parse

# Rules about what these short templates leave out on purpose.
ASIDE = {
    "W9161",
    "E9171",
    "E9191",
    "E9141",
    "E9009",
    "E9003",
    "E9004",
    "E9006",
    "E9011",
    "E9301",
    "E9302",
    "E9303",
    "E9304",
    "W9156",
    "W9322",
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
