"""Who is let in: by the policies of resources, and by the trust policies of roles."""

import fnmatch
import ipaddress
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .iam import Statement, statements
from .reading import Fault, Template, find, items
from .rule import Rule
from .values import ANYTHING, has_wildcard, known, refers_to, text

# Condition keys that say who calls, claims of tokens included. Others say how, when and with which words, or what the
# caller says of itself: an account tags its own principals, and an external id is no secret.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
WHO = re.compile(
    r"aws:(principal(account|arn|org.*|isawsservice|servicename.*)|source(account|arn|ip|org.*|owner|vpc.*|instance.*)"
    r"|userid|federatedprovider|vpcsourceip|vpce(account|org.*)|ec2instancesource.*)|kms:calleraccount|saml:.*"
    r"|s3:(dataaccesspoint.*|accesspointnetworkorigin)|elasticfilesystem:access.*|lambda:eventsourcetoken"
    r"|vpc-lattice-svcs:source.*|[^:]*\.[^:]*:(?!amr$).*"
)
# Conditions that everybody in an account can meet.
ALWAYS_MET = {
    *("aws:currenttime", "aws:epochtime", "aws:referer", "aws:requestedregion", "aws:securetransport"),
    *("aws:tokenissuetime", "aws:useragent", "s3:tlsversion", "cognito-identity.amazonaws.com:amr"),
}
# A whole account, by its number or by a parameter: anybody in it whom its administrators let.
ACCOUNT = re.compile(r"\d{12}|arn:.*:iam::(?:\d{12}|\$\{(?!AWS::)\w+\}):root")
# Whole values of these keys are one caller's; a wildcard in one lets others in.
WHOLE = re.compile(r".*(account|orgid|owner|vpc|vpce)")
# These give tokens to anybody. The claim `aud` says nothing; `sub` and others begin with whose pipeline asks:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
SHARED_ISSUERS = ("token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io", "agent.buildkite.com")
TENANT = {
    "sub": re.compile(r"\w+:[^*?/:]+[/:].*"),
    **dict.fromkeys(
        ("repository", "repository_owner", "job_workflow_ref", "project_path", "namespace_path", "repository_id"),
        re.compile(r"[^*?/]+(/.*)?"),
    ),
}
# No organization has a larger part of the internet.
LARGEST_NETWORK = {4: 8, 6: 19}  # bits of its prefix


class Asked(NamedTuple):
    """What a statement asks of one condition key."""

    key: str  # in lower case
    operator: str  # in lower case, without what stands before a colon and without `IfExists`
    values: list[str]
    optional: bool  # whether a request without the key passes

    @property
    def restricts(self) -> bool:
        """Whether only some values pass; what is excluded says nothing of who is left."""
        excludes = "not" in self.operator or self.operator == "null"
        return not (self.optional or excludes or self.is_open)

    @property
    def is_open(self) -> bool:
        """Whether one of the values is any, or anybody's."""
        return _is_internet(self.values) or any(_is_anybodys(self.key, value) for value in self.values)


class AnybodyAllowed(Rule):
    """Unless a condition says who calls, the principal * is every account of AWS, and anonymous callers."""

    id = "E9155"
    shortdesc = "A policy allows something to everybody"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"

    def subjects(self, template: Template) -> list[Statement]:
        found = [s for s in statements(template) if s.owner.type != "AWS::EC2::VPCEndpoint"]
        return [s for s in found if s.allows and "Principal" in s.body and not s.of_trust]

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        if _is_everybody(subject) and not _is_closed(subject, template):
            actions = ", ".join(subject.actions) or "all but NotAction"
            yield subject.should(f"name who is allowed {actions}", subject.body["Principal"], "Principal")


class AnybodyTrusted(Rule):
    """Who assumes a role has its rights: name a role or a service, or set a condition that says who calls."""

    id = "E9158"
    shortdesc = "A trust policy lets anybody assume a role"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"

    def subjects(self, template: Template) -> list[Statement]:
        return [statement for statement in statements(template) if statement.allows and statement.of_trust]

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        asked = [test for test in asked_of(subject) if test.restricts and test.key not in ALWAYS_MET]
        if _is_everybody(subject):
            yield subject.should("name who may assume it", subject.body["Principal"], "Principal")
        for account in _principals(subject, "AWS"):
            if ACCOUNT.fullmatch(text(account)) and not asked:
                expected = "trust one role of the account, or set a condition such as sts:ExternalId"
                yield subject.should(expected, account, "Principal")
        for provider in _principals(subject, "Federated"):
            if subject.is_about("sts:AssumeRoleWithWebIdentity") and not _names_holder(provider, asked, template):
                expected = "set a condition on the token's claims, such as sub"
                yield subject.should(expected, subject.body.get("Condition"), "Principal")


def asked_of(statement: Statement) -> list[Asked]:
    """List what a statement asks for."""
    asked = [
        (str(operator or "null").lower(), str(key).lower(), [text(value) for value in items(values)])
        for condition in find(statement.body, "Condition")
        if isinstance(condition, dict)
        for operator, by_key in condition.items()
        if isinstance(by_key, dict)
        for key, values in by_key.items()
    ]
    there = {key for operator, key, values in asked if operator == "null" and values == ["false"]}
    return [
        Asked(
            key,
            operator.rpartition(":")[2].removesuffix("ifexists"),
            values,
            (operator.endswith("ifexists") or operator.startswith("forallvalues:")) and key not in there,
        )
        for operator, key, values in asked
    ]


def is_anybody(statement: Statement) -> bool:
    """Return whether the principal of a statement is everybody, whatever its conditions are."""
    principal = statement.body.get("Principal")
    named = [one for each in principal.values() for one in items(each)] if isinstance(principal, dict) else [principal]
    return any(ANYTHING.fullmatch(text(one)) or _is_open_arn(text(one)) for one in named)


def _is_everybody(statement: Statement) -> bool:
    return is_anybody(statement) and not any(t.restricts and WHO.fullmatch(t.key) for t in asked_of(statement))


def _is_closed(statement: Statement, template: Template) -> bool:
    """Return whether the same policy denies it, in every case, to all but those whom a condition names."""
    beside = [s for s in statements(template) if s.owner.id == statement.owner.id]
    leaking = [s.path for s in beside if s.allows or not _shuts_out(s, statement)]
    return any("Fn::If" not in denial.path and denial.path not in leaking for denial in beside)


def _shuts_out(denial: Statement, statement: Statement) -> bool:
    asked = asked_of(denial)
    patterns = [text(each) for each in denial.resources]
    return (
        is_anybody(denial)
        and len(asked) == 1
        and bool(WHO.fullmatch(asked[0].key))
        and "not" in asked[0].operator
        and not asked[0].is_open
        and all(denial.is_about(action) for action in statement.actions)
        and all(any(fnmatch.fnmatchcase(text(r), pattern) for pattern in patterns) for r in statement.resources)
    )


def _principals(statement: Statement, kind: str) -> list[Any]:
    return [one for listed in find(statement.body, "Principal", kind) for one in items(listed)]


def _names_holder(provider: Any, asked: list[Asked], template: Template) -> bool:
    """Return whether conditions tell one holder of a provider's tokens from another."""
    resource = template.resources.get(refers_to(provider) or "")
    issuers = [text(url) for url in resource.find("Url")] if resource else [text(provider)]
    shared = [host for host in SHARED_ISSUERS if any(host in issuer for issuer in issuers)]
    if not shared:
        return bool(asked)
    return any(
        all(not has_wildcard(value) or claim.fullmatch(known(value)) for value in test.values)
        for test in asked
        for claim in [TENANT.get(test.key.rpartition(":")[2])]
        if claim and any(test.key.startswith(host) for host in shared)
    )


def _is_internet(values: list[str]) -> bool:
    """Return whether addresses are more of the internet than anybody has."""
    networks: dict[int, list[Any]] = {4: [], 6: []}
    for value in values:
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            continue
        networks[network.version].append(network)
    return any(
        network.prefixlen < LARGEST_NETWORK[version]
        for version, found in networks.items()
        for network in ipaddress.collapse_addresses(found)
    )


def _is_anybodys(key: str, value: str) -> bool:
    """Return whether a value of a condition key matches what a stranger can have."""
    if not has_wildcard(value):
        return value.lower() == "false"  # such as aws:PrincipalIsAWSService
    open_text = re.fullmatch(r"([a-z]{1,4}-|AROA|AIDA)?[*?:/]*", known(value))
    return bool(WHOLE.fullmatch(key) or open_text or _is_open_arn(value))


def _is_open_arn(pattern: str) -> bool:
    """Return whether a pattern matches ARNs of every account; those of buckets have none, but a name of their own."""
    fields = known(pattern).split(":", 5)
    if fields[0] != "arn" or not has_wildcard(pattern):
        return False
    if len(fields) < 6:  # the wildcard stands for the rest, the account too
        return True
    return has_wildcard(fields[4]) or (not fields[4] and bool(ANYTHING.fullmatch(re.split("[:/]", fields[5])[0])))
