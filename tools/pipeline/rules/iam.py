"""What a template's policies say: its statements, and the roles that they speak for."""

import fnmatch
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .reading import Fault, Function, Resource, Template, items
from .values import Path, is_intrinsic, refers_to, shown, text

# Policies of identities, which say what their holder may do; the others say who may use a resource.
IDENTITY_POLICIES = (
    *("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy"),
    *("AWS::IAM::GroupPolicy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::SSO::PermissionSet"),
)
TRUST = "AssumeRolePolicyDocument"
# Resources that are a statement without being written as one, with the property that names what it is about.
AS_STATEMENTS = {
    "AWS::Lambda::Permission": "FunctionName",
    "AWS::Lambda::LayerVersionPermission": "LayerVersionArn",
    "AWS::Lambda::Url": "TargetFunctionArn",
    "AWS::Events::EventBusPolicy": "EventBusName",
}
# Their properties that are conditions.
AS_CONDITIONS = {
    **{name: f"aws:{name}" for name in ("SourceArn", "SourceAccount", "PrincipalOrgID")},
    "OrganizationId": "aws:PrincipalOrgID",
    "EventSourceToken": "lambda:EventSourceToken",
}


class Statement(NamedTuple):
    """One form of a statement of a policy."""

    owner: Resource
    path: Path
    body: dict[str, Any]
    of_identity: bool

    @property
    def of_trust(self) -> bool:
        """Whether it says who may assume a role."""
        return TRUST in self.path

    @property
    def allows(self) -> bool:
        """Whether it allows, as far as can be told."""
        return self.body.get("Effect") != "Deny"

    @property
    def actions(self) -> list[str]:
        return [text(action) for action in items(self.body.get("Action"))]

    @property
    def resources(self) -> list[Any]:
        return items(self.body.get("Resource"))

    def should(self, expected: str, got: Any, element: str) -> Fault:
        return Fault([*self.path, element], f"{self.owner.id} should {expected} (got {shown(got)})")

    def is_about(self, action: str) -> bool:
        return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in self.actions)


@functools.lru_cache(maxsize=8)  # the rules read one template after the other
def statements(template: Template) -> list[Statement]:
    """List the statements of every policy in a template, each in every form that it can take."""
    return [statement for resource in template.resources.values() for statement in _statements(resource)]


def statements_of(form: Any) -> list[dict[str, Any]]:
    """List the statements of one form of a policy."""
    return [body for body in items(_parsed(form).get("Statement")) if isinstance(body, dict)]


def allowed_to(template: Template, role: str) -> list[Statement] | None:
    """List what a role of the template is allowed, or nothing if some of its policies can't be read here."""
    resource = template.resources.get(role)
    if resource is None or resource.type != "AWS::IAM::Role":
        return None
    attached = [refers_to(arn) for form in resource.find("ManagedPolicyArns", by_name=True) for arn in items(form)]
    if not all(policy in template.resources for policy in attached):
        return None
    holders = {role, *attached}
    for policy in template.of_type("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy"):
        named = [*policy.find("Roles", by_name=True), *policy.find("RoleName", by_name=True)]
        holders |= {policy.id for form in named if role in map(refers_to, items(form))}
    return [s for s in statements(template) if s.owner.id in holders and s.of_identity and s.allows]


def lacking(
    function: Function, role: str, actions: list[str], on: tuple[str, Any, str], template: Template
) -> Iterator[Fault]:
    """Say which actions a role is not allowed on a resource: its name, a reference to it, and what it is for."""
    name, resource, purpose = on
    allowed = allowed_to(template, role)
    for action in actions:
        if allowed is not None and not any(permits(statement, action, resource) for statement in allowed):
            got = f"(got {given(allowed, resource)})"
            yield Fault(function.resource.at("Role"), f"{role} should allow {action} on {name}, {purpose} {got}")


def permits(statement: Statement, action: str, resource: Any) -> bool:
    """Return whether a statement may allow an action on a resource of the template: in doubt, yes."""
    known = {refers_to(resource), None}
    return statement.is_about(action) and not known.isdisjoint(map(refers_to, statement.resources))


def given(allowed: list[Statement], resource: Any) -> str:
    """Name the actions that statements allow on a resource of the template, for a message."""
    wanted = refers_to(resource)
    found = [action for s in allowed if wanted in map(refers_to, s.resources) for action in s.actions]
    return ", ".join(dict.fromkeys(found)) or "nothing"


def _statements(resource: Resource) -> Iterator[Statement]:
    for path, written in _written(resource.properties, resource.at()):
        of_identity = resource.type in IDENTITY_POLICIES and TRUST not in path
        for form in resource.values.possible(written, when=resource.when):
            bodies = [form] if isinstance(form, dict) and "Effect" in form else statements_of(form)
            yield from (Statement(resource, path, body, of_identity) for body in bodies if "Effect" in body)
    for form in resource.forms(*resource.properties) if resource.type in AS_STATEMENTS else ():
        if "Statement" not in form and (resource.type != "AWS::Lambda::Url" or form.get("AuthType") != "AWS_IAM"):
            yield Statement(resource, resource.at(), _as_statement(resource.type, form), of_identity=False)


def _as_statement(resource_type: str, form: dict[str, Any]) -> dict[str, Any]:
    asked = {key: form[name] for name, key in AS_CONDITIONS.items() if name in form}
    match form.get("Condition"):
        case {"Key": key, "Value": value}:
            asked[text(key)] = value
    return {
        "Effect": "Allow",
        "Principal": form.get("Principal", "*"),
        "Action": form.get("Action", "lambda:InvokeFunctionUrl"),
        "Resource": form.get(AS_STATEMENTS[resource_type]),
        "Condition": {"ArnLike": asked},
    }


def _written(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Walk the statements of every policy in some properties, as they are written; a policy of text is one."""
    match value:
        case {"Statement": inside}:
            yield from _listed(inside, [*path, "Statement"])
        case str() if '"Statement"' in value:
            yield path, value
        case Mapping() if is_intrinsic(value) and "Fn::If" not in value:
            if '"Statement"' in json.dumps(value, default=str).replace("\\", ""):
                yield path, value
        case Mapping():
            for key, inner in value.items():
                yield from _written(inner, [*path, key])
        case list():
            for index, inner in enumerate(value):
                yield from _written(inner, [*path, index])


def _listed(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Walk the items of a list, also of one that a condition decides on."""
    match value:
        case {"Fn::If": [_, *sides]}:
            for index, side in enumerate(sides, start=1):
                yield from _listed(side, [*path, "Fn::If", index])
        case list():
            for index, inner in enumerate(value):
                yield from _listed(inner, [*path, index])
        case Mapping():
            yield path, value


def _parsed(form: Any) -> dict[str, Any]:
    """Read a policy, also one that is written as a text of JSON."""
    if isinstance(form, dict) and not is_intrinsic(form):
        return form
    try:
        found = json.loads(text(form))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
