"""Rights that reach further than what their holder does."""

import fnmatch
import re
from collections import Counter
from collections.abc import Iterator

from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from .iam import Statement, statements
from .reading import Fault, Function, Resource, Template, is_made_by_sam, items
from .rule import FunctionRule, Rule
from .values import ANYTHING, has_wildcard, known, text

# The actions of each service, what they can be allowed on, and the forms of ARNs: AWS's service authorization
# reference, as of this release of cfn-lint.
SERVICES = load_resource(AdditionalSpecs, "Policies.json")  # type: ignore[no-untyped-call] # cfn-lint gives no types
# Actions whose every resource is optional, so that most calls name none: the reference marks this, cfn-lint's copy
# does not. Where resources are optional because there are several kinds of them, as for s3:GetObject, one is needed.
OPTIONAL = (
    *("bedrock:listblueprints", "bedrock:listguardrails", "bedrock:listprompts", "ce:get*", "cloudwatch:getmetricdata"),
    *("cloudformation:describestacks", "cloudwatch:listmetrics", "cloudwatch:putmetricdata", "glue:listschemas"),
    *("comprehend:detectentities", "dynamodb:listexports", "dynamodb:listimports", "elasticfilesystem:describe*s"),
    *("iam:listmfadevices", "logs:listanomalies", "logs:listloganomalydetectors", "mediaconvert:listjobs"),
    *("polly:*synthesi*", "rds:describedb*groups", "rds:describeexporttasks", "rds:describeoptiongroups"),
    *("rekognition:detectmoderationlabels", "rekognition:startmediaanalysisjob", "ses:batchgetmetricdata"),
    *("ses:listsuppresseddestinations", "sns:unsubscribe", "translate:starttexttranslationjob"),
    *("translate:translatedocument", "translate:translatetext"),
)
# Who can have managed policies, and by which property.
HOLDERS = {
    **dict.fromkeys(("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"), "ManagedPolicyArns"),
    "AWS::SSO::PermissionSet": "ManagedPolicies",
}
# What CodeDeploy's own role needs, which SAM makes for a gradual deployment.
OF_CODE_DEPLOY = ("AWSCodeDeployRoleForLambda", "AWSCodeDeployRoleForLambdaLimited")


class _IdentityRule(Rule):
    def subjects(self, template: Template) -> list[Statement]:
        return [statement for statement in statements(template) if statement.of_identity and statement.allows]


class WildcardAction(_IdentityRule):
    """A wildcard allows what AWS adds tomorrow; name each action that is called."""

    id = "E9151"
    shortdesc = "An IAM policy allows a wildcard of actions"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        for action in subject.actions:
            if has_wildcard(action):
                yield subject.should("allow actions by name", action, "Action")


class WildcardResource(_IdentityRule):
    """Name the resource; only actions that AWS offers on nothing less may be allowed on *."""

    id = "E9152"
    shortdesc = "An IAM policy allows actions on a wildcard of resources"
    source_url = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        if all(map(_needs_no_resource, subject.actions)):
            return
        for resource in subject.resources:
            if _is_open(text(resource)):
                yield subject.should(f"allow {', '.join(subject.actions)} on one resource", resource, "Resource")


class SharedRole(FunctionRule):
    """Who breaks into one function holds the rights of all; give each a role of its own."""

    id = "E9153"
    shortdesc = "Lambda functions share an execution role"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        beside = [each for each in template.functions if template.together(each.resource, subject.resource)]
        users = Counter(role for function in beside for role in set(function.roles))
        for role in subject.roles:
            if users[role] > 1:
                got = f"{role}, the role of {users[role]} functions"
                yield subject.resource.should("have a role of its own", got, "Role")


class AllowAllBut(Rule):
    """Allow with NotAction, NotResource or NotPrincipal grants all the rest, today's and tomorrow's."""

    id = "E9154"
    shortdesc = "An IAM policy allows everything but what it names"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html"

    def subjects(self, template: Template) -> list[Statement]:
        return [statement for statement in statements(template) if statement.allows]

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        for element in ("NotAction", "NotResource", "NotPrincipal"):
            if element in subject.body:
                yield subject.should("allow what it names", f"{element}, which allows all the rest", element)


class UnknownAction(Rule):
    """IAM accepts any text as an action: a misspelled one is allowed or denied to nobody, without an error.

    cfn-lint's own W3037 finds these too, but skips templates of SAM.
    """

    id = "W9157"
    shortdesc = "A policy names an action that AWS does not have"
    source_url = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"

    def subjects(self, template: Template) -> list[Statement]:
        return statements(template)

    def faults(self, subject: Statement, template: Template) -> Iterator[Fault]:
        for element in ("Action", "NotAction"):
            for action in map(text, items(subject.body.get(element))):
                if not _exists(action):
                    yield subject.should("name actions of AWS", action, element)


class ManagedByAws(Rule):
    """AWS's managed policies allow their actions on *; write down the few that are called."""

    id = "W9156"
    shortdesc = "A role, user or group has a policy that AWS wrote, which names no resource of yours"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-use-aws-defined-policies"
    settings = {"accepted": []}  # names of policies, such as AWSLambdaBasicExecutionRole

    def subjects(self, template: Template) -> list[Resource]:
        return template.of_type(*HOLDERS)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
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
            why = "since the role that SAM makes for it has a policy of AWS"
            return function.resource.should(f"name a Role of the template, {why}", policy)
    return holder.should("have policies of its own", f"AWS's {policy}", HOLDERS[holder.type])


def _is_open(pattern: str) -> bool:
    """Return whether a pattern matches resources of any name, account or region."""
    fields = known(pattern).split(":", 5)
    if not has_wildcard(pattern):
        return False
    if fields[0] != "arn":
        return any(left.startswith("*") for left in _after(known(pattern), "arn:"))
    if len(fields) < 6 or any(map(has_wildcard, fields[2:5])):
        return True
    formats = [arn for kind in SERVICES.get(fields[2], {}).get("Resources", {}).values() for arn in kind["ARNFormats"]]
    kinds = [arn.split(":", 5)[5].partition(".*")[0] for arn in formats if ".*" in arn]
    return any(
        ANYTHING.fullmatch(re.split("[:/]", left)[0]) for kind in {"", *kinds} for left in _after(fields[5], kind)
    )


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
    found = _actions(service).get(name)
    optional = any(fnmatch.fnmatchcase(f"{service}:{name}", pattern) for pattern in OPTIONAL)
    return found is not None and (optional or not found.get("Resources"))


def _actions(service: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = SERVICES.get(service, {}).get("Actions", {})
    return found
