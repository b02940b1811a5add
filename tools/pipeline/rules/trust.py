"""Who is let in: by the policies of resources, and by the trust policies of roles."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .iam import Statement, statements
from .reading import Template, find, items, refers_to, shown, text
from .rule import Fault, Rule

# Condition keys that anybody can meet: they say how, when and with which words somebody calls, not who calls. An
# external id is no secret: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
NOT_WHO = {
    *("aws:currenttime", "aws:epochtime", "aws:multifactorauthage", "aws:multifactorauthpresent", "aws:referer"),
    *("aws:requestedregion", "aws:securetransport", "aws:tokenissuetime", "aws:useragent"),
    *("s3:tlsversion", "sts:externalid", "sts:rolesessionname"),
}
# A whole account, by its number or by a parameter: anybody in it whom its administrators let.
ACCOUNT = re.compile(r"\d{12}|arn:.*:iam::(?:\d{12}|\$\{(?!AWS::)\w+\}):root")
# Gives tokens to anybody. Its claim `aud` says nothing; `sub` and others say which repository asks:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
GITHUB = "token.actions.githubusercontent.com"
ANY_REPOSITORY = re.compile(r"(?:repo:)?\*.*")


class AnybodyAllowed(Rule):
    """A policy of a resource allows something to everybody in the world."""

    id = "E9155"
    shortdesc = "A policy allows something to everybody"
    description = "Unless a condition says who calls, the principal * is every account of AWS, and anonymous callers"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
    tags = ["iam", "security"]

    def subjects(self, template: Template) -> list[Statement]:
        """List the statements that allow something to somebody, but for those of trust policies."""
        return [s for s in statements(template) if s.allows and "Principal" in s.body and not s.of_trust]

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        """Look for a principal that is everybody."""
        if _is_everybody(subject):
            actions = ", ".join(subject.actions)
            yield _fault(subject, f"name who is allowed {actions}", subject.body["Principal"])


class AnybodyTrusted(Rule):
    """A trust policy lets anybody assume a role: of the world, of another account, or with a token that all can get."""

    id = "E9158"
    shortdesc = "A trust policy lets anybody assume a role"
    description = "Who assumes a role has its rights: name a role or a service, or set a condition that says who calls"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"
    tags = ["iam", "security"]

    def subjects(self, template: Template) -> list[Statement]:
        """List the statements of trust policies that allow something."""
        return [statement for statement in statements(template) if statement.allows and statement.of_trust]

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        """Look at every principal that is more than one caller."""
        conditions = _conditions(subject)
        if _is_everybody(subject):
            yield _fault(subject, "name who may assume it", subject.body["Principal"])
        for account in _principals(subject, "AWS"):
            if ACCOUNT.fullmatch(text(account)) and not conditions:
                yield _fault(
                    subject, "trust one role of the account, or set a condition such as sts:ExternalId", account
                )
        for provider in _principals(subject, "Federated"):
            if "sts:AssumeRoleWithWebIdentity" in subject.actions and not _claims(provider, conditions, template):
                yield _fault(
                    subject, "set a condition on the token's claims, such as sub", subject.body.get("Condition")
                )


def _principals(statement: Statement, kind: str) -> list[Any]:
    return [one for listed in find(statement.body, "Principal", kind) for one in items(listed)]


def _conditions(statement: Statement) -> dict[str, list[Any]]:
    """Give the values that a statement asks for, by condition key in lower case; what it excludes does not count."""
    return {
        key.lower(): items(values)
        for condition in find(statement.body, "Condition")
        if isinstance(condition, Mapping)
        for operator, tests in condition.items()
        if isinstance(tests, Mapping) and "Not" not in operator and operator != "Null"
        for key, values in tests.items()
    }


def _is_everybody(statement: Statement) -> bool:
    asked = {key for key, values in _conditions(statement).items() if set(map(text, values)) != {"*"}}
    return "*" in [*find(statement.body, "Principal"), *_principals(statement, "AWS")] and asked <= NOT_WHO


def _claims(provider: Any, conditions: Mapping[str, list[Any]], template: Template) -> list[str]:
    """List the condition keys that tell one holder of a provider's tokens from another."""
    resource = template.resources.get(refers_to(provider) or "")
    issuer = text(resource.properties.get("Url")) if resource else text(provider)
    if GITHUB not in issuer:
        return list(conditions)
    return [
        key
        for key, values in conditions.items()
        if key.startswith(GITHUB)
        and not key.endswith(":aud")
        and not any(ANY_REPOSITORY.match(text(v)) for v in values)
    ]


def _fault(statement: Statement, expected: str, got: Any) -> Fault:
    return Fault([*statement.path, "Principal"], f"{statement.owner.id} should {expected} (got {shown(got)})")
