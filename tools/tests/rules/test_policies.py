"""What policies say, in whatever way they are written: bypasses that have to be found, and what has to be let be."""

import pytest

from .linting import found_unexpanded, messages
from .templates import template

GITHUB = "token.actions.githubusercontent.com"
HEAD = """
Parameters:
  Stage: {Type: String, Default: dev}
  Wide: {Type: String, Default: '*'}
  Actions: {Type: CommaDelimitedList, Default: 's3:*,sqs:*'}
  Name: {Type: String}
  Offered: {Type: String, Default: orders, AllowedValues: [orders, '*']}
Conditions: {Live: !Equals [!Ref Stage, prod]}
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Table: {Type: AWS::DynamoDB::Table}
  Topic: {Type: AWS::SNS::Topic}
  Provider: {Type: AWS::IAM::OIDCProvider, Properties: {Url: 'https://token.actions.githubusercontent.com'}}
"""
RULES = ("E9151", "E9152", "E9154", "E9155", "W9156", "W9157", "E9158")


def found(resource_type: str, properties: str) -> set[str]:
    return found_unexpanded(template(f"{HEAD}  Tried: {{Type: '{resource_type}', Properties: {properties}}}\n"), *RULES)


def of_identity(
    resource: str = "!GetAtt Table.Arn", action: str = "'dynamodb:PutItem'", effect: str = "Allow"
) -> set[str]:
    statement = f"{{Effect: {effect}, Action: {action}, Resource: {resource}}}"
    return found("AWS::IAM::ManagedPolicy", f"{{PolicyDocument: {{Statement: {statement}}}}}")


def of_topic(condition: str = "{}", principal: str = "'*'", effect: str = "Allow", more: str = "") -> set[str]:
    about = "Action: 'sns:Publish', Resource: !Ref Topic"
    statement = f"{{Effect: {effect}, Principal: {principal}, {about}, Condition: {condition}}}"
    return found(
        "AWS::SNS::TopicPolicy", f"{{Topics: [!Ref Topic], PolicyDocument: {{Statement: [{statement}{more}]}}}}"
    )


def of_role(principal: str, condition: str = "{}", action: str = "sts:AssumeRole") -> set[str]:
    statement = f"{{Effect: Allow, Principal: {principal}, Action: '{action}', Condition: {condition}}}"
    return found("AWS::IAM::Role", f"{{AssumeRolePolicyDocument: {{Statement: [{statement}]}}}}")


def of_token(condition: str, issuer: str = GITHUB, action: str = "sts:AssumeRoleWithWebIdentity") -> set[str]:
    provider = f"{{Federated: !Sub 'arn:aws:iam::${{AWS::AccountId}}:oidc-provider/{issuer}'}}"
    return of_role(provider, condition, action)


PLACE = "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:"


@pytest.mark.parametrize(
    "name", ["table/*", "table/?*", "table/**", "table/???*", "t*", "tab?e/*", "*", "?*", "*/orders", "table/*/index/x"]
)
def test_a_pattern_that_matches_any_name_is_a_wildcard(name: str) -> None:
    assert of_identity(f"!Sub '{PLACE}{name}'") == {"E9152"}


@pytest.mark.parametrize(
    "resource",
    [
        *("'*'", "['*']", "'**'", "'?*'", "'a*'", "'arn:*'", "'arn:aws:dynamodb:*'", "'arn:aws:s3:::*/*'"),
        *("'arn:aws:dynamodb:*:123456789012:table/x'", "'arn:aws:dynamodb:eu-?:123456789012:table/x'"),
        *("!Sub 'arn:aws:lambda:*:${AWS::AccountId}:function:mine'", f"!Sub '{PLACE}table/${{Offered}}'"),
        *("!Sub 'arn:aws:states:${AWS::Region}:${AWS::AccountId}:stateMachine:*'", "!Ref Wide", "!Sub '${Wide}'"),
        *(f"!Sub ['{PLACE}table/${{T}}', {{T: '*'}}]", "!Split [',', 'arn:aws:s3:::one,*']"),
        *("!Join ['', ['arn:aws:s3:::', '*']]", "!If [Live, !GetAtt Table.Arn, '*']"),
        "[!If [Live, !GetAtt Table.Arn, !Sub '${Wide}']]",
    ],
)  # fmt: skip
def test_a_wildcard_is_found_however_it_is_written(resource: str) -> None:
    assert of_identity(resource) == {"E9152"}


@pytest.mark.parametrize(
    "resource",
    [
        *("!GetAtt Table.Arn", "!Ref Topic", "!Ref Name", "!ImportValue elsewhere", "!Sub '${Table.Arn}/index/*'"),
        *("!Sub '${Bucket.Arn}/*'", "!Join ['', [!GetAtt Bucket.Arn, '/*']]", "!Sub 'arn:aws:s3:::${Name}/*'"),
        *("!Sub 'arn:${AWS::Partition}:s3:::${Bucket}/*'", f"!Sub '{PLACE}table/orders-*'"),
        *("!Sub 'arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/mine:*'",),
        *("!Sub 'arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/orders/*'",),
        *("!Sub 'arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Name}/*'",),
    ],
)  # fmt: skip
def test_one_resource_and_what_is_in_it_is_no_wildcard(resource: str) -> None:
    assert of_identity(resource) == set()


@pytest.mark.parametrize(
    "action",
    [
        *("!Ref Actions", "!Split [',', 's3:*,sqs:*']", "!Join [':', [s3, '*']]", "!Sub 's3:${Wide}'"),
        *("[!If [Live, 's3:*', 's3:GetObject']]", "'dynamodb:?utItem'"),
    ],
)
def test_a_wildcard_of_actions_is_found_however_it_is_written(action: str) -> None:
    assert of_identity(action=action) == {"E9151"}


def test_a_statement_that_allows_under_a_condition_is_judged_as_one_that_allows() -> None:
    assert of_identity("'*'", "'s3:*'", "!If [Live, Allow, Deny]") == {"E9151", "E9152"}
    assert of_identity("'*'", "'s3:*'", "Deny") == set()
    assert of_identity("!If [Live, '*', !GetAtt Table.Arn]", effect="!If [Live, Deny, Allow]") == set()


def test_an_action_without_a_required_resource_may_be_allowed_on_everything() -> None:
    for action in (
        "ec2:DescribeRegions",
        "cloudwatch:PutMetricData",
        "polly:SynthesizeSpeech",
        "translate:TranslateText",
    ):
        assert of_identity("'*'", f"'{action}'") == set()
    assert of_identity("'*'", "['cloudwatch:PutMetricData', 's3:GetObject']") == {"E9152"}
    assert of_identity("'*'", "'xray:PutEverything'") == {"E9152", "W9157"}


@pytest.mark.parametrize("holder", ["User", "Role", "Group"])
def test_a_policy_of_aws_is_found_on_every_holder(holder: str) -> None:
    admin = "!Join ['', [!Sub 'arn:${AWS::Partition}:iam::aws:policy/', AdministratorAccess]]"
    for arn in ("'arn:aws:iam::aws:policy/AdministratorAccess'", admin, f"!If [Live, {admin}, !Ref AWS::NoValue]"):
        assert found(f"AWS::IAM::{holder}", f"{{ManagedPolicyArns: [{arn}]}}") == {"W9156"}
    assert found(f"AWS::IAM::{holder}", "{ManagedPolicyArns: [!Ref Name]}") == set()


ANYBODY = "{Statement: [{Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: '*'}]}"
JSON = '\'{"Statement":[{"Effect":"Allow","Principal":"*","Action":"logs:PutLogEvents","Resource":"*"}]}\''


@pytest.mark.parametrize(
    ("resource_type", "properties"),
    [
        ("AWS::DynamoDB::Table", f"{{ResourcePolicy: {{PolicyDocument: {ANYBODY}}}}}"),
        ("AWS::DynamoDB::GlobalTable", f"{{Replicas: [{{ResourcePolicy: {{PolicyDocument: {ANYBODY}}}}}]}}"),
        ("AWS::ApiGateway::RestApi", f"{{Policy: {ANYBODY}}}"),
        ("AWS::SQS::QueuePolicy", f"{{PolicyDocument: !If [Live, {ANYBODY}, {{}}]}}"),
        ("AWS::KMS::Key", f"{{KeyPolicy: {ANYBODY}}}"),
        ("AWS::SecretsManager::ResourcePolicy", f"{{ResourcePolicy: {ANYBODY}}}"),
        ("AWS::ECR::Repository", f"{{RepositoryPolicyText: {ANYBODY}}}"),
        ("AWS::OpenSearchService::Domain", f"{{AccessPolicies: {ANYBODY}}}"),
        ("AWS::EFS::FileSystem", f"{{FileSystemPolicy: {ANYBODY}}}"),
        ("AWS::Events::EventBus", f"{{Policy: {ANYBODY}}}"),
        ("AWS::Events::EventBusPolicy", "{StatementId: a, Principal: '*', Action: 'events:PutEvents'}"),
        ("AWS::Logs::ResourcePolicy", f"{{PolicyDocument: {JSON}}}"),
        ("AWS::Logs::ResourcePolicy", f"{{PolicyDocument: !Sub {JSON}}}"),
        ("AWS::Lambda::Permission", "{Action: 'lambda:InvokeFunction', Principal: '*'}"),
        ("AWS::Lambda::Permission", "{Action: 'lambda:InvokeFunction', Principal: !Ref Wide, SourceArn: '*'}"),
        ("AWS::Lambda::Url", "{AuthType: !If [Live, AWS_IAM, NONE], TargetFunctionArn: x}"),
        ("AWS::Lambda::LayerVersionPermission", "{Action: 'lambda:GetLayerVersion', Principal: '*'}"),
    ],
)  # fmt: skip
def test_every_resource_that_lets_everybody_in_is_found(resource_type: str, properties: str) -> None:
    assert found(resource_type, properties) == {"E9155"}


ORGANIZATION = "StringEquals: {'aws:PrincipalOrgID': o-1}"


@pytest.mark.parametrize(
    ("resource_type", "properties"),
    [
        ("AWS::EC2::VPCEndpoint", f"{{PolicyDocument: {ANYBODY}}}"),
        ("AWS::Events::EventBusPolicy", "{Principal: '*', Condition: {Key: 'aws:PrincipalOrgID', Value: o-1}}"),
        ("AWS::Lambda::Permission", "{Action: 'lambda:InvokeFunction', Principal: '*', PrincipalOrgID: o-1}"),
        ("AWS::Lambda::Permission", "{Action: 'lambda:InvokeFunction', Principal: s3.amazonaws.com}"),
        ("AWS::Lambda::Url", "{AuthType: AWS_IAM, TargetFunctionArn: x}"),
        ("AWS::WAFv2::WebACL", "{Rules: [{Name: a, Statement: {GeoMatchStatement: {CountryCodes: [CH]}}}]}"),
    ],
)  # fmt: skip
def test_a_resource_that_lets_in_only_some_is_let_be(resource_type: str, properties: str) -> None:
    assert found(resource_type, properties) == set()


@pytest.mark.parametrize(
    "principal",
    [
        *("{AWS: '*'}", "{AWS: ['*']}", "!Ref Wide", "{AWS: !Split [',', '123456789012,*']}", "{Service: '*'}"),
        *("{AWS: 'arn:aws:iam::*:root'}", "!If [Live, {Service: a.amazonaws.com}, '*']", "{AWS: [!Ref Name, '*']}"),
    ],
)
def test_everybody_is_found_however_they_are_written(principal: str) -> None:
    assert of_topic(principal=principal) == {"E9155"}
    assert of_role(principal) == {"E9158"}


@pytest.mark.parametrize(
    "condition",
    [
        *("{Bool: {'aws:SecureTransport': 'true'}}", "{StringEquals: {'aws:PrincipalTag/team': orders}}"),
        *("{IpAddress: {'aws:SourceIp': 0.0.0.0/0}}", "{IpAddress: {'aws:SourceIp': [10.0.0.0/8, '::/0']}}"),
        *("{IpAddress: {'aws:SourceIp': [0.0.0.0/1, 128.0.0.0/1]}}", "{StringLike: {'aws:SourceAccount': '1234*'}}"),
        *("{StringEqualsIfExists: {'aws:PrincipalOrgID': o-1}}", "{StringNotEquals: {'aws:PrincipalOrgID': o-1}}"),
        *("{'ForAllValues:StringEquals': {'aws:PrincipalOrgID': o-1}}", "{StringLike: {'aws:PrincipalOrgID': 'o-*'}}"),
        *("{ArnLike: {'aws:SourceArn': 'arn:aws:s3:::*'}}", "{ArnLike: {'aws:SourceArn': 'arn:aws:sns:*:*:*'}}"),
        *("{ArnLike: {'aws:PrincipalArn': 'arn:aws:iam::*:role/Admin'}}", "{StringLike: {'aws:userid': '*:*'}}"),
        *("{StringLike: {'aws:PrincipalArn': !Ref Wide}}", "{StringLike: {'aws:userid': !If [Live, a, '*']}}"),
        *("{'Null': {'aws:PrincipalOrgID': 'false'}}", "{Bool: {'aws:PrincipalIsAWSService': 'false'}}"),
    ],
)  # fmt: skip
def test_a_condition_that_a_stranger_can_meet_is_none(condition: str) -> None:
    assert of_topic(condition) == {"E9155"}
    assert of_role("'*'", condition) == {"E9158"}


@pytest.mark.parametrize(
    "condition",
    [
        *(f"{{{ORGANIZATION}}}", "{StringEquals: {'AWS:SourceOwner': !Ref AWS::AccountId}}"),
        *("{StringEquals: {'aws:PrincipalOrgID': !Ref Name}}", "{IpAddress: {'aws:SourceIp': 203.0.113.0/24}}"),
        *("{ArnLike: {'aws:SourceArn': !Sub 'arn:aws:s3:::${Bucket}'}}", "{StringEquals: {'aws:SourceVpce': vpce-1}}"),
        *("{ArnLike: {'aws:SourceArn': !Sub 'arn:aws:events:*:${AWS::AccountId}:*'}}",),
        *("{StringEqualsIfExists: {'aws:PrincipalOrgID': o-1}, 'Null': {'aws:PrincipalOrgID': 'false'}}",),
        *("{'ForAnyValue:StringLike': {'aws:PrincipalOrgPaths': 'o-1/r-1/ou-1/*'}}",),
    ],
)
def test_a_condition_that_says_who_calls_is_enough(condition: str) -> None:
    assert of_topic(condition) == set()
    assert of_role("'*'", condition) == set()


def test_what_is_denied_to_all_but_some_is_not_allowed_to_everybody() -> None:
    denied = ", {Effect: %s, Principal: '*', Action: 'sns:*', Resource: '*', Condition: {%s}}"
    outside = "StringNotEquals: {'aws:SourceVpce': vpce-1}"
    assert of_topic(more=denied % ("Deny", outside)) == set()
    assert of_topic(more=denied % ("Deny", f"{outside}, Bool: {{'aws:SecureTransport': 'false'}}")) == {"E9155"}
    assert of_topic(more=denied % ("!If [Live, Deny, Allow]", outside)) == {"E9155"}


@pytest.mark.parametrize(
    "condition",
    [
        *(f"{{StringLike: {{'{GITHUB}:sub': '{subject}'}}}}" for subject in (
            *("*", "repo*", "repo:*", "r?po:*", "repo:acme*", "repo:ac?e/x:ref", "repo:*/orders:*", "*:acme/x:*"),
            "repo:*:ref:refs/heads/main",
        )),
        *("{}", f"{{StringEquals: {{'{GITHUB}:aud': sts.amazonaws.com}}}}"),
        f"{{StringLikeIfExists: {{'{GITHUB}:sub': 'repo:acme/x:*'}}}}",
        f"{{StringEquals: {{'{GITHUB}:ref': main}}}}",
        f"{{'ForAllValues:StringLike': {{'{GITHUB}:sub': 'repo:acme/x:*'}}}}",
        f"{{StringLike: {{'{GITHUB}:sub': ['repo:acme/x:*', 'repo:*']}}}}",
    ],
)  # fmt: skip
def test_a_token_that_any_repository_gets_is_anybodys(condition: str) -> None:
    assert of_token(condition) == {"E9158"}
    assert of_role("{Federated: !Ref Provider}", condition, "sts:*") == {"E9158"}


def test_a_policy_that_is_written_as_json_is_read_as_well() -> None:
    statement = '{"Effect": "Allow", "Principal": {"Federated": "%s"}, "Action": "sts:AssumeRoleWithWebIdentity"}'
    provider = f"arn:aws:iam::${{AWS::AccountId}}:oidc-provider/{GITHUB}"
    document = f"""!Sub '{{"Statement": [{statement % provider}]}}'"""
    assert found("AWS::IAM::Role", f"{{AssumeRolePolicyDocument: {document}}}") == {"E9158"}


@pytest.mark.parametrize(
    "subject",
    ["'repo:acme/x:*'", "'repo:acme/*'", "!Sub 'repo:${Name}/x:*'", "'repo:acme/x:ref:refs/heads/main'", "!Ref Name"],
)
def test_a_token_of_a_repository_is_its_owners(subject: str) -> None:
    assert of_token(f"{{StringLike: {{'{GITHUB}:sub': {subject}}}}}") == set()
    assert of_token(f"{{'ForAnyValue:StringLike': {{'{GITHUB}:sub': [{subject}]}}}}") == set()


def test_tokens_of_other_providers_are_told_apart_by_their_claims() -> None:
    assert of_token("{StringLike: {'gitlab.com:sub': 'project_path:*'}}", "gitlab.com") == {"E9158"}
    assert of_token("{StringLike: {'gitlab.com:sub': 'project_path:acme/x:*'}}", "gitlab.com") == set()
    cognito = "{Federated: cognito-identity.amazonaws.com}"
    web_identity = "sts:AssumeRoleWithWebIdentity"
    assert of_role(cognito, "{StringEquals: {'cognito-identity.amazonaws.com:amr': authenticated}}", web_identity) == {
        "E9158"
    }
    assert (
        of_role(cognito, "{StringEquals: {'cognito-identity.amazonaws.com:aud': 'eu-west-1:1'}}", web_identity) == set()
    )


@pytest.mark.parametrize(
    "principal",
    [
        *("{Service: lambda.amazonaws.com}", "{AWS: !Ref 'AWS::AccountId'}", "{AWS: !Ref Name}"),
        "{AWS: !Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root'}",
        "{AWS: 'arn:aws:iam::123456789012:role/deploy'}",
    ],
)  # fmt: skip
def test_a_service_a_role_and_the_own_account_may_be_trusted(principal: str) -> None:
    assert of_role(principal) == set()


@pytest.mark.parametrize(
    "account", ["'123456789012'", "['arn:aws:iam::123456789012:root']", "!Sub 'arn:aws:iam::${Name}:root'"]
)
def test_another_account_may_be_trusted_only_under_a_condition(account: str) -> None:
    principal = f"{{AWS: {account}}}"
    assert of_role(principal) == {"E9158"}
    assert of_role(principal, "{StringEquals: {'sts:ExternalId': order-7}}") == set()
    for useless in (
        "{StringNotEquals: {'sts:ExternalId': a}}",
        "{StringLike: {'sts:ExternalId': '*'}}",
        "{Bool: {'aws:SecureTransport': 'true'}}",
    ):
        assert of_role(principal, useless) == {"E9158"}


def test_the_findings_say_who_is_let_in() -> None:
    text = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
        - {Effect: Allow, Principal: {AWS: '*'}, Action: sts:AssumeRole}
        - {Effect: Allow, Principal: {AWS: !Sub 'arn:aws:iam::${Name}:root'}, Action: sts:AssumeRole}
        - {Effect: Allow, Principal: {Federated: !Ref Provider}, Action: sts:AssumeRoleWithWebIdentity}
"""
    assert messages(template(HEAD + text), "E9158") == [
        "Role should name who may assume it (got {AWS: *})",
        "Role should trust one role of the account, or set a condition such as sts:ExternalId "
        "(got !Sub arn:aws:iam::${Name}:root)",
        "Role should set a condition on the token's claims, such as sub (got none)",
    ]
