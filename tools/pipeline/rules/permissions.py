"""Rights that reach further than what their holder does."""

import fnmatch
import re
from collections import Counter
from collections.abc import Iterator

from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from .iam import Statement, statements
from .reading import Function, Resource, Template, is_made_by_sam, items
from .rule import Fault, Rule
from .values import VARIABLE, shown, text

# The actions of each service, what they can be allowed on, and the forms of ARNs: AWS's service authorization
# reference, as of this release of cfn-lint.
SERVICES = load_resource(AdditionalSpecs, "Policies.json")  # type: ignore[no-untyped-call] # cfn-lint gives no types
# Actions whose every resource is optional, so that most calls name none: the reference marks this, cfn-lint's copy
# does not. Where resources are optional because there are several kinds of them, as for s3:GetObject, one is needed.
OPTIONAL = {
    "bedrock": "listblueprints listdataautomationprojects listguardrails listprompts",
    "ce": "get*",
    "cloudformation": "describestacks listhookresults",
    "cloudwatch": "getmetricdata listmetrics putmetricdata",
    "comprehend": "detectentities",
    "dax": "describeclusters",
    "directconnect": "describeconnections describeinterconnects describelags",
    "dynamodb": "listexports listimports",
    "elasticfilesystem": "describeaccesspoints describefilesystems describereplicationconfigurations",
    "glue": "listschemas",
    "iam": "listmfadevices",
    "logs": "listanomalies listloganomalydetectors",
    "mediaconvert": "listjobs searchjobs",
    "polly": "startspeechsynthesisstream startspeechsynthesistask synthesizespeech",
    "rds": "describedb*groups describeexporttasks describeoptiongroups",
    "rekognition": "detectmoderationlabels startmediaanalysisjob",
    "ses": "batchgetmetricdata getsuppresseddestination listrecommendations listsuppresseddestinations",
    "sns": "unsubscribe",
    "translate": "starttexttranslationjob translatedocument translatetext",
}
# A wildcard that matches any name, if it is all of the name.
ANY = re.compile(r"[*?]*\*[*?]*")
# Who can have managed policies, and by which property.
HOLDERS = {
    **dict.fromkeys(("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"), "ManagedPolicyArns"),
    "AWS::SSO::PermissionSet": "ManagedPolicies",
}
# What CodeDeploy's own role needs, which SAM makes for a gradual deployment.
OF_CODE_DEPLOY = ("AWSCodeDeployRoleForLambda", "AWSCodeDeployRoleForLambdaLimited")


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
        if all(map(_needs_no_resource, subject.actions)):
            return
        for resource in subject.resources:
            if _is_open(text(resource)):
                actions = ", ".join(subject.actions)
                yield Fault(
                    [*subject.path, "Resource"],
                    f"{subject.owner.id} should allow {actions} on one resource (got {shown(resource)})",
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
        return template.functions

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        """Count the functions that can have the role while this one exists."""
        beside = [each for each in template.functions if template.together(each.resource, subject.resource)]
        users = Counter(role for function in beside for role in set(function.roles))
        for role in subject.roles:
            if users[role] > 1:
                yield Fault(
                    subject.resource.at("Role"),
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


class UnknownAction(Rule):
    """A statement names an action that AWS does not have, and so says nothing.

    cfn-lint's own W3037 finds these too, but skips templates of SAM.
    """

    id = "W9157"
    shortdesc = "A policy names an action that AWS does not have"
    description = "IAM accepts any text as an action: a misspelled one is allowed or denied to nobody, without an error"
    source_url = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"
    tags = ["iam", "security"]

    def subjects(self, template: Template) -> list[Statement]:
        """List the statements."""
        return statements(template)

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        """Look each action up, also those with a wildcard, in the list that cfn-lint comes with."""
        for element in ("Action", "NotAction"):
            for action in map(text, items(subject.body.get(element))):
                if not _exists(action):
                    yield Fault(
                        [*subject.path, element], f"{subject.owner.id} should name actions of AWS (got {action})"
                    )


class ManagedByAws(Rule):
    """A role, user or group has a policy that AWS wrote, for every resource of the account."""

    id = "W9156"
    shortdesc = "A role, user or group has a policy that AWS wrote, which names no resource of yours"
    description = "AWS's managed policies allow their actions on *; write down the few that are called"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-use-aws-defined-policies"
    tags = ["iam", "security"]
    settings = {"accepted": []}  # names of policies, such as AWSLambdaBasicExecutionRole

    def subjects(self, template: Template) -> list[Resource]:
        """List who can have policies, the roles that SAM makes for functions without a Role included."""
        return template.of_type(*HOLDERS)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for the ARN of a policy that belongs to AWS."""
        for form in subject.find(HOLDERS[subject.type]):
            for arn in map(text, items(form)):
                _, marker, path = arn.partition(":iam::aws:policy/")
                policy = path.rpartition("/")[2]
                if marker and policy not in {*OF_CODE_DEPLOY, *self.config["accepted"]}:
                    yield _managed(subject, policy, template)


def _managed(holder: Resource, policy: str, template: Template) -> Fault:
    """Name the function, not the role, if SAM makes the role: that stands in nobody's template."""
    for function in template.functions if is_made_by_sam(holder) else ():
        if holder.id in function.roles:
            return Fault(
                ["Resources", function.id],
                f"{function.id} should name a Role of the template, since the role that SAM makes for it has a policy "
                f"of AWS (got {policy})",
            )
    return Fault(holder.at(HOLDERS[holder.type]), f"{holder.id} should have policies of its own (got AWS's {policy})")


def _is_open(pattern: str) -> bool:
    """Return whether a pattern matches resources of any name, account or region."""
    known = VARIABLE.sub("known", pattern).replace("${}", "known")
    if not {"*", "?"} & {*known}:
        return False
    fields = known.split(":", 5)
    if fields[0] != "arn":
        return any(left.startswith("*") for left in _after(known, "arn:"))
    if len(fields) < 6 or any({"*", "?"} & {*field} for field in fields[2:5]):
        return True
    formats = [arn for kind in SERVICES.get(fields[2], {}).get("Resources", {}).values() for arn in kind["ARNFormats"]]
    kinds = [arn.split(":", 5)[5].partition(".*")[0] for arn in formats if ".*" in arn]
    return any(ANY.fullmatch(re.split("[:/]", left)[0]) for kind in {"", *kinds} for left in _after(fields[5], kind))


def _after(pattern: str, literal: str) -> set[str]:
    """Give what can be left of a pattern when its beginning has matched a text."""
    left = {pattern}
    for letter in literal:
        left |= {each.lstrip("*") for each in left}
        left = {each if each[0] == "*" else each[1:] for each in left if each and each[0] in ("*", "?", letter)}
    return left


def _exists(action: str) -> bool:
    """Tell whether there is an action, or one that a wildcard matches: in doubt, yes."""
    service, _, name = action.lower().partition(":")
    return action == "*" or "${" in action or any(fnmatch.fnmatchcase(known, name) for known in _actions(service))


def _needs_no_resource(action: str) -> bool:
    service, _, name = action.lower().partition(":")
    known = _actions(service).get(name)
    optional = OPTIONAL.get(service, "").split()
    return known is not None and (
        not known.get("Resources") or any(fnmatch.fnmatchcase(name, pattern) for pattern in optional)
    )


def _actions(service: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = SERVICES.get(service, {}).get("Actions", {})
    return found
