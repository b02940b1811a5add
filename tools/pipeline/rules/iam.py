"""What a template's policies say: its statements, and the roles that they speak for."""

import fnmatch
from collections.abc import Iterator
from typing import Any, NamedTuple

from .reading import Path, Resource, Template, items, refers_to, text

# Policies of identities, which say what their holder may do; the others say who may use a resource.
IDENTITY_POLICIES = (
    *("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy"),
    *("AWS::IAM::GroupPolicy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"),
)
TRUST = "AssumeRolePolicyDocument"


class Statement(NamedTuple):
    """One statement of a policy."""

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
        """Whether it allows, not denies."""
        return self.body.get("Effect") == "Allow"

    @property
    def actions(self) -> list[str]:
        """The actions, as they are written."""
        return [text(action) for action in items(self.body.get("Action"))]

    @property
    def resources(self) -> list[Any]:
        """The resources, as they are written."""
        return items(self.body.get("Resource"))


def statements(template: Template) -> list[Statement]:
    """List the statements of every policy in a template."""
    return [statement for resource in template.resources.values() for statement in _statements(resource)]


def allowed_to(template: Template, role: str) -> list[Statement] | None:
    """List what a role of the template is allowed, or nothing if some of its policies can't be read here."""
    resource = template.resources.get(role)
    if resource is None or resource.type != "AWS::IAM::Role":
        return None
    attached = [refers_to(policy) for policy in items(resource.properties.get("ManagedPolicyArns"))]
    if not all(policy in template.resources for policy in attached):
        return None
    holders = {role, *attached, *_policies_that_name(template, role)}
    return [s for s in statements(template) if s.owner.id in holders and s.of_identity and s.allows]


def permits(statement: Statement, action: str, resource: Any) -> bool:
    """Tell whether a statement may allow an action on a resource of the template: in doubt, yes."""
    wanted = refers_to(resource)
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in statement.actions) and any(
        refers_to(allowed) in (wanted, None) for allowed in statement.resources
    )


def given(allowed: list[Statement], resource: Any) -> str:
    """Name the actions that statements allow on a resource of the template, for a message."""
    wanted = refers_to(resource)
    found = [action for s in allowed if wanted in map(refers_to, s.resources) for action in s.actions]
    return ", ".join(found) or "nothing"


def _policies_that_name(template: Template, role: str) -> list[str]:
    policies = template.of_type("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")
    return [
        policy.id
        for policy in policies
        if role in map(refers_to, [*items(policy.properties.get("Roles")), policy.properties.get("RoleName")])
    ]


def _statements(resource: Resource) -> Iterator[Statement]:
    for path, document in _documents(resource):
        of_identity = resource.type in IDENTITY_POLICIES and TRUST not in path
        for index, body in enumerate(items(document.get("Statement"))):
            if isinstance(body, dict):
                yield Statement(resource, [*path, "Statement", index], body, of_identity)


def _documents(resource: Resource) -> Iterator[tuple[Path, dict[str, Any]]]:
    start: Path = ["Resources", resource.id, "Properties"]
    for name in ("PolicyDocument", TRUST, "KeyPolicy", "ResourcePolicy"):
        yield from (
            ([*start, name], found) for found in items(resource.properties.get(name)) if isinstance(found, dict)
        )
    for index, inline in enumerate(items(resource.properties.get("Policies"))):
        if isinstance(inline, dict):
            path: Path = [*start, "Policies", index, "PolicyDocument"]
            yield from ((path, found) for found in items(inline.get("PolicyDocument")) if isinstance(found, dict))
