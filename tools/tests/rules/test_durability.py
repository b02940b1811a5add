"""What holds data in the templates of other people: buckets above all, since this one's are optional."""

from typing import Any

import pytest

from .linting import edited, found, lint, runner
from .mutation import bucket, drop, put
from .templates import ASIDE, template

BUCKET = """
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
    Properties:
      Bucket: {bucket}
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          Effect: Deny
          Principal: {{AWS: '*'}}
          Action: [s3:*]
          Resource: {resource}
          Condition: {{Bool: {{'aws:SecureTransport': false}}}}
"""
CLOSED = "{BlockPublicAcls: true, BlockPublicPolicy: 'true', IgnorePublicAcls: true, RestrictPublicBuckets: true}"
ALL_OF_IT = "[!GetAtt Files.Arn, !Sub '${Files.Arn}/*']"
OTHERS = ASIDE - {"E9301", "E9302", "E9304"}


def files(closed: str = CLOSED, name: str = "!Ref Files", resource: str = ALL_OF_IT) -> dict[str, Any]:
    return template(BUCKET.format(closed=closed, bucket=name, resource=resource))


def test_the_bucket_that_the_mutants_spoil_has_no_findings(committed: dict[str, Any]) -> None:
    assert found(edited(committed, bucket()), runner().rules) == set()


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
    named = files(name="orders-in", resource="['arn:aws:s3:::orders-in', 'arn:aws:s3:::orders-in/*']")
    assert "E9302" not in found(named)


def test_public_access_has_to_be_blocked_on_both_sides_of_a_condition() -> None:
    conditions = {"Conditions": {"Live": {"Fn::Equals": ["a", "b"]}}}
    half = f"!If [Live, {CLOSED}, {{BlockPublicAcls: true}}]"
    assert found(files(closed=half) | conditions) - OTHERS == {"E9304"}
    assert found(files(closed=f"!If [Live, {CLOSED}, {CLOSED}]") | conditions) - OTHERS == set()


def test_the_findings_say_what_the_bucket_was_given() -> None:
    messages = {match.rule.id: match.message for match in lint(files(closed="{BlockPublicAcls: false}"))}
    assert messages["E9304"] == (
        "PublicAccessBlockConfiguration of Files should set BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, "
        "RestrictPublicBuckets to true (got {BlockPublicAcls: false})"
    )


def test_what_is_retained_but_when_its_creation_fails_is_retained(committed: dict[str, Any]) -> None:
    for resource in ("DataTable", "DeadLetterQueue"):
        on_deletion = edited(committed, drop(f"/Resources.{resource}.DeletionPolicy"))
        kept = edited(on_deletion, put(f"/Resources.{resource}.DeletionPolicy", "RetainExceptOnCreate"))
        assert "E9301" in found(on_deletion)
        assert found(kept, runner().rules) == set()


def test_a_deletion_policy_that_is_missing_is_said_to_be_missing(committed: dict[str, Any]) -> None:
    (match,) = lint(edited(committed, drop("/Resources.DataTable.DeletionPolicy")))
    assert match.message == (
        "DeletionPolicy of DataTable should be Retain or RetainExceptOnCreate (got none, which is Delete)"
    )
