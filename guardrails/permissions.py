"""Rights that reach further than what their holder does."""

import re
from collections import Counter
from collections.abc import Iterator

from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from .iam import Statement, statements
from .reading import VARIABLE, Function, Resource, Template, functions, items, refers_to, text
from .rule import Fault, Rule

# Whether an action can be allowed on less than everything, from AWS's service authorization reference.
SERVICES = load_resource(AdditionalSpecs, "Policies.json")  # type: ignore[no-untyped-call] # cfn-lint gives no types
# An ARN that leaves its account or region open, or names a kind of resource and not one of it.
OPEN_ARN = re.compile(
    r"arn:[^:]*:[^:]*:(?:[^:]*\*[^:]*:[^:]*|[^:]*:[^:]*\*[^:]*):.*"
    r"|arn:[^:]*:[^:]*:[^:]*:[^:]*:(?:[a-z-]+[:/])?\*.*"
)


class _IdentityRule(Rule):
    """A rule about what identities are allowed."""

    def subjects(self, template: Template) -> list[Statement]:
        """List the statements that allow an identity something."""
        return [statement for statement in statements(template) if statement.of_identity and statement.allows]


class WildcardAction(_IdentityRule):
    """A statement allows actions that nobody listed."""

    id = "E9151"
    shortdesc = "An IAM policy allows a wildcard of actions"
    description = "A wildcard allows what AWS adds tomorrow; name each action that is called"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
    tags = ["iam", "security"]

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        """Look for wildcards in the actions."""
        for action in subject.actions:
            if "*" in action or "?" in action:
                yield Fault(
                    [*subject.path, "Action"], f"{subject.owner.id} should allow actions by name (got {action})"
                )


class WildcardResource(_IdentityRule):
    """A statement allows its actions on resources that nobody listed."""

    id = "E9152"
    shortdesc = "An IAM policy allows actions on a wildcard of resources"
    description = "Name the resource; only actions that AWS offers on nothing less may be allowed on *"
    source_url = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"
    tags = ["iam", "security"]

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        """Look for resources that are everything, or everything of a kind, account or region."""
        if all(map(_has_no_resource, subject.actions)):
            return
        for resource in map(text, subject.resources):
            if resource == "*" or OPEN_ARN.fullmatch(VARIABLE.sub("", resource)):
                yield Fault(
                    [*subject.path, "Resource"],
                    f"{subject.owner.id} should allow {', '.join(subject.actions)} on one resource (got {resource})",
                )


class SharedRole(Rule):
    """One role speaks for several functions, each of which has the others' rights."""

    id = "E9153"
    shortdesc = "Lambda functions share an execution role"
    description = "Who breaks into one function holds the rights of all; give each a role of its own"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"
    tags = ["iam", "lambda", "security"]

    def subjects(self, template: Template) -> list[Function]:
        """List the functions."""
        return functions(template)

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        """Count the functions of the role."""
        users = Counter(refers_to(function.properties.get("Role")) for function in functions(template))
        role = refers_to(subject.properties.get("Role"))
        if role and users[role] > 1:
            yield Fault(
                ["Resources", subject.id, "Properties", "Role"],
                f"{subject.id} should have a role of its own (got {role}, the role of {users[role]} functions)",
            )


class AllowAllBut(Rule):
    """A statement allows everything that it does not name."""

    id = "E9154"
    shortdesc = "An IAM policy allows everything but what it names"
    description = "Allow with NotAction, NotResource or NotPrincipal grants all the rest, today's and tomorrow's"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html"
    tags = ["iam", "security"]

    def subjects(self, template: Template) -> list[Statement]:
        """List the statements that allow something."""
        return [statement for statement in statements(template) if statement.allows]

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        """Look for the elements that negate."""
        for element in ("NotAction", "NotResource", "NotPrincipal"):
            if element in subject.body:
                yield Fault(
                    [*subject.path, element],
                    f"{subject.owner.id} should allow what it names (got {element}, which allows all the rest)",
                )


class AnybodyAllowed(Rule):
    """A statement allows something to everybody in the world."""

    id = "E9155"
    shortdesc = "A policy allows something to everybody"
    description = "Without a condition the principal * is every account of AWS, and anonymous callers"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
    tags = ["iam", "security"]

    def subjects(self, template: Template) -> list[Statement]:
        """List the statements that allow something to somebody they name."""
        return [statement for statement in statements(template) if statement.allows and "Principal" in statement.body]

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        """Look for a principal that is everybody, without a condition."""
        principal = subject.body["Principal"]
        named = items(principal.get("AWS")) if isinstance(principal, dict) else [principal]
        if "*" in named and not subject.body.get("Condition"):
            yield Fault(
                [*subject.path, "Principal"], f"{subject.owner.id} should name whom it allows something (got *)"
            )


class ManagedByAws(Rule):
    """A role has a policy that AWS wrote, for every resource of the account."""

    id = "W9156"
    shortdesc = "A role has a policy of AWS, which knows no resource of yours"
    description = "AWS's managed policies allow their actions on *; write down the few that are called"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-use-aws-defined-policies"
    tags = ["iam", "security"]
    # CodeDeploy's own role, which SAM makes for a gradual deployment.
    settings = {
        "accepted": ["service-role/AWSCodeDeployRoleForLambda", "service-role/AWSCodeDeployRoleForLambdaLimited"]
    }

    def subjects(self, template: Template) -> list[Resource]:
        """List the roles."""
        return template.of_type("AWS::IAM::Role")

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for the ARN of a policy that belongs to AWS."""
        for arn in map(text, items(subject.properties.get("ManagedPolicyArns"))):
            _, marker, name = arn.partition(":iam::aws:policy/")
            if marker and name not in self.config["accepted"]:
                yield Fault(
                    ["Resources", subject.id, "Properties", "ManagedPolicyArns"],
                    f"{subject.id} should have policies of its own (got AWS's {name})",
                )


def _has_no_resource(action: str) -> bool:
    service, _, name = action.lower().partition(":")
    known = SERVICES.get(service, {}).get("Actions", {}).get(name)
    return known is not None and not known.get("Resources")
