from typing import Any

from pipeline.rules.iam import allowed_to, permits, statements
from pipeline.rules.reading import Template

ALLOW = {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [{"Fn::GetAtt": ["Queue", "Arn"]}]}
DENY = {"Effect": "Deny", "Action": "*", "Resource": "*"}


def document(*bodies: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(bodies)}


INLINE = {"Policies": [{"PolicyName": "inline", "PolicyDocument": document(ALLOW)}]}


def template(role: dict[str, Any], **policies: dict[str, Any]) -> Template:
    trust = document({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
    made = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, **role}}
    return Template({"Resources": {"Role": made, "Queue": {"Type": "AWS::SQS::Queue"}, **policies}})


def policy(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::IAM::{kind}", "Properties": {"PolicyDocument": document(ALLOW, DENY), **properties}}


def allowed(given: Template) -> list[str] | None:
    found = allowed_to(given, "Role")
    return None if found is None else [statement.owner.id for statement in found]


def test_the_rights_of_a_role_come_by_every_way_of_attachment() -> None:
    assert allowed(template(INLINE)) == ["Role"]
    assert allowed(template({"ManagedPolicyArns": [{"Ref": "P"}]}, P=policy("ManagedPolicy"))) == ["P"]
    assert allowed(template({}, P=policy("ManagedPolicy", Roles=[{"Ref": "Role"}]))) == ["P"]
    assert allowed(template({}, P=policy("Policy", Roles=[{"Ref": "Role"}]))) == ["P"]
    assert allowed(template({}, P=policy("RolePolicy", RoleName={"Ref": "Role"}))) == ["P"]
    assert allowed(template({}, P=policy("Policy", Roles=[{"Ref": "Another"}]))) == []


def test_a_role_with_a_policy_that_cannot_be_read_is_not_judged() -> None:
    assert allowed(template({"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]})) is None
    assert allowed_to(template({}), "Queue") is None
    assert allowed_to(template({}), "Elsewhere") is None


def test_a_statement_permits_its_actions_on_its_resource_and_what_it_leaves_open() -> None:
    queue, another = {"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::GetAtt": ["Another", "Arn"]}
    _, narrow = statements(template(INLINE))
    assert permits(narrow, "sqs:sendmessage", queue)
    assert not permits(narrow, "sqs:ReceiveMessage", queue)
    assert not permits(narrow, "sqs:SendMessage", another)
    wide = {"Effect": "Allow", "Action": "sqs:Send*", "Resource": "*"}
    _, open_ended = statements(template({"Policies": [{"PolicyDocument": document(wide)}]}))
    assert permits(open_ended, "sqs:SendMessage", another)
