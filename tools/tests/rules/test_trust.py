"""Who may assume a role: what the trust policies of other people may say, and what they may not."""

import json
from typing import Any

import pytest

from .linting import found, lint
from .mutation import GITHUB
from .templates import ASIDE, template

PROVIDER = {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:oidc-provider/{GITHUB}"}
REPOSITORY = {"StringLike": {f"{GITHUB}:sub": "repo:example/orders:*"}}


def role(principal: Any, condition: Any = None, action: str = "sts:AssumeRole") -> dict[str, Any]:
    """Make a template of one role, a provider of tokens and a parameter."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    statement |= {"Condition": condition} if condition else {}
    trust = {"Version": "2012-10-17", "Statement": statement}
    return template(
        f"""
Parameters: {{Partner: {{Type: String}}}}
Resources:
  Provider: {{Type: AWS::IAM::OIDCProvider, Properties: {{Url: 'https://{GITHUB}'}}}}
  Role: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {json.dumps(trust)}}}}}
"""
    )


def message(given: dict[str, Any]) -> str:
    (match,) = [match for match in lint(given) if match.rule.id == "E9158"]
    return str(match.message)


@pytest.mark.parametrize(
    "principal",
    [
        {"Service": "lambda.amazonaws.com"},
        {"AWS": {"Ref": "AWS::AccountId"}},
        {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}},
        {"AWS": "arn:aws:iam::123456789012:role/deploy"},
        {"AWS": {"Ref": "Partner"}},
    ],
)
def test_a_service_a_role_and_the_own_account_may_be_trusted(principal: Any) -> None:
    assert found(role(principal)) - ASIDE == set()


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "123456789012"},
        {"AWS": ["arn:aws:iam::123456789012:root"]},
        {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${Partner}:root"}},
    ],
)
def test_another_account_may_be_trusted_only_under_a_condition(principal: Any) -> None:
    assert found(role(principal)) - ASIDE == {"E9158"}
    assert found(role(principal, {"StringEquals": {"sts:ExternalId": "order-7"}})) - ASIDE == set()
    assert found(role(principal, {"StringNotEquals": {"sts:ExternalId": "order-7"}})) - ASIDE == {"E9158"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}, set()),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/deploy-*"}}, set()),
        ({"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}, {"E9158"}),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"E9158"}),
    ],
)
def test_everybody_may_be_trusted_only_where_a_condition_says_who(condition: Any, expected: set[str]) -> None:
    assert found(role("*", condition)) - ASIDE == expected


@pytest.mark.parametrize("provider", [PROVIDER, {"Ref": "Provider"}])
def test_a_token_of_github_has_to_be_of_a_repository(provider: Any) -> None:
    federated = {"Federated": provider}
    audience = {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}
    web_identity = "sts:AssumeRoleWithWebIdentity"
    assert found(role(federated, action=web_identity)) - ASIDE == {"E9158"}
    assert found(role(federated, audience, web_identity)) - ASIDE == {"E9158"}
    assert found(role(federated, {"StringLike": {f"{GITHUB}:sub": ["repo:*"]}}, web_identity)) - ASIDE == {"E9158"}
    assert found(role(federated, audience | REPOSITORY, web_identity)) - ASIDE == set()


def test_a_token_of_another_provider_has_to_meet_some_condition() -> None:
    federated = {"Federated": "cognito-identity.amazonaws.com"}
    web_identity = "sts:AssumeRoleWithWebIdentity"
    pool = {"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:12345678-dead-beef-cafe-123456790ab"}}
    assert found(role(federated, action=web_identity)) - ASIDE == {"E9158"}
    assert found(role(federated, pool, web_identity)) - ASIDE == set()


def test_the_finding_says_who_is_trusted() -> None:
    assert message(role({"AWS": "*"})) == "Role should name who may assume it (got {AWS: *})"
    assert message(role({"AWS": {"Fn::Sub": "arn:aws:iam::${Partner}:root"}})) == (
        "Role should trust one role of the account, or set a condition such as sts:ExternalId "
        "(got !Sub arn:aws:iam::${Partner}:root)"
    )
    assert message(role({"Federated": PROVIDER}, action="sts:AssumeRoleWithWebIdentity")) == (
        "Role should set a condition on the token's claims, such as sub (got none)"
    )


def test_a_topic_is_open_to_everybody_who_meets_a_condition_that_says_not_who() -> None:
    text = """
Resources:
  Topic: {{Type: AWS::SNS::Topic}}
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          {{Effect: Allow, Principal: '*', Action: sns:Publish, Resource: !Ref Topic, Condition: {condition}}}
"""
    over_tls = "{Bool: {'aws:SecureTransport': 'true'}}"
    of_the_account = "{StringEquals: {'aws:SourceAccount': !Ref AWS::AccountId}}"
    assert found(template(text.format(condition=over_tls))) - ASIDE == {"E9155"}
    assert found(template(text.format(condition=of_the_account))) - ASIDE == set()
