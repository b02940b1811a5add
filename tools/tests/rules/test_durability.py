"""What holds data in the templates of other people: buckets above all, since this one's are optional."""

from typing import Any

import pytest

from .linting import found, found_unexpanded, messages
from .templates import ASIDE, template

BUCKET = """
Parameters: {{Stage: {{Type: String, Default: dev}}}}
Conditions: {{Live: !Equals [!Ref Stage, prod]}}
Resources:
  Files:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      BucketName: orders-in
      PublicAccessBlockConfiguration: {closed}
  Policy:
    Type: AWS::S3::BucketPolicy
    {more}
    Properties:
      Bucket: {bucket}
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          Effect: {effect}
          Principal: {{AWS: '*'}}
          Action: [s3:*]
          Resource: {resource}
          Condition: {condition}
"""
PLAIN_HTTP = "{Bool: {'aws:SecureTransport': false}}"
CLOSED = "{BlockPublicAcls: true, BlockPublicPolicy: 'true', IgnorePublicAcls: true, RestrictPublicBuckets: true}"
ALL_OF_IT = "[!GetAtt Files.Arn, !Sub '${Files.Arn}/*']"
OTHERS = ASIDE - {"E9301", "E9302", "E9304"}


def files(**given: str) -> dict[str, Any]:
    usual = {"closed": CLOSED, "bucket": "!Ref Files", "resource": ALL_OF_IT, "effect": "Deny", "condition": PLAIN_HTTP}
    usual["more"] = ""
    return template(BUCKET.format(**usual | given))


def test_a_plain_bucket_is_open_listens_on_plain_http_and_goes_with_the_stack() -> None:
    assert found(template("Resources: {Files: {Type: AWS::S3::Bucket}}")) - OTHERS == {"E9301", "E9302", "E9304"}


@pytest.mark.parametrize(
    "resource",
    [
        ALL_OF_IT,
        "!Sub '${Files.Arn}*'",
        "[!Sub 'arn:${AWS::Partition}:s3:::${Files}', !Sub 'arn:${AWS::Partition}:s3:::${Files}/*']",
        "'*'",
    ],
)
def test_a_policy_that_covers_a_bucket_and_all_that_is_in_it_keeps_plain_http_out(resource: str) -> None:
    assert found(files(resource=resource)) - OTHERS == set()


@pytest.mark.parametrize("resource", ["!GetAtt Files.Arn", "!Sub '${Files.Arn}/*'", "!Sub '${Files.Arn}/in/*'"])
def test_a_policy_that_covers_less_does_not(resource: str) -> None:
    assert found(files(resource=resource)) - OTHERS == {"E9302"}


def test_a_policy_may_name_its_bucket_by_its_name() -> None:
    named = files(bucket="orders-in", resource="['arn:aws:s3:::orders-in', 'arn:aws:s3:::orders-in/*']")
    assert "E9302" not in found(named)


@pytest.mark.parametrize(
    "given",
    [
        {"condition": "{Bool: {'aws:SecureTransport': false}, StringEquals: {'aws:PrincipalOrgID': o-1}}"},
        {"condition": "{Bool: {'aws:SecureTransport': false, 'aws:ViaAWSService': false}}"},
        {"condition": "{Bool: {'aws:SecureTransport': !If [Live, false, true]}}"},
        {"effect": "!If [Live, Deny, Allow]"},
        {"more": "Condition: Live"},
    ],
)
def test_a_denial_that_another_condition_narrows_lets_something_through(given: dict[str, str]) -> None:
    assert "E9302" in found_unexpanded(files(**given), "E9302")
    assert not found_unexpanded(files(condition="{BoolIfExists: {'aws:SecureTransport': 'false'}}"), "E9302")


def test_public_access_has_to_be_blocked_on_both_sides_of_a_condition() -> None:
    half = f"!If [Live, {CLOSED}, {{BlockPublicAcls: true}}]"
    assert found(files(closed=half)) - OTHERS == {"E9304"}
    assert found(files(closed=f"!If [Live, {CLOSED}, {CLOSED}]")) - OTHERS == set()


def test_the_findings_say_what_the_bucket_was_given() -> None:
    assert messages(files(closed="{BlockPublicAcls: false}"), "E9304") == [
        "PublicAccessBlockConfiguration of Files should set BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, "
        "RestrictPublicBuckets to true (got {BlockPublicAcls: false})"
    ]
