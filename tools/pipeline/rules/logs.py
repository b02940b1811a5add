"""Log groups: each function has one, which keeps its logs for a known time and which it may write to."""

from collections.abc import Iterator

from .iam import allowed_to, given, permits
from .reading import Function, Resource, Template, alternatives, find, functions, refers_to, shown, text
from .rule import Fault, Rule

LOG_GROUP = "AWS::Logs::LogGroup"
DEFAULT_NAME = "/aws/lambda/"


def log_groups_of(function: Function, template: Template) -> list[str]:
    """List the log groups of the template that a function writes to, by its logging configuration or by their name."""
    configured = find(function.properties, "LoggingConfig", "LogGroup")
    if configured:
        return [name for group in configured if (name := refers_to(group)) in template.resources and name]
    names = {f"{DEFAULT_NAME}{name}" for name in _names(function)}
    return [group.id for group in template.of_type(LOG_GROUP) if text(group.properties.get("LogGroupName")) in names]


class NoLogGroup(Rule):
    """A function logs to a group that Lambda makes, and keeps for ever."""

    id = "E9171"
    shortdesc = "A Lambda function has no log group of the template"
    description = "Lambda makes a missing log group itself, without retention or tags, and it outlives the stack"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html"
    tags = ["lambda", "logs", "cost"]

    def subjects(self, template: Template) -> list[Function]:
        """List the functions."""
        return functions(template)

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        """Look for the function's log group."""
        if not log_groups_of(subject, template):
            got = ", ".join(map(shown, find(subject.properties, "LoggingConfig", "LogGroup"))) or "none"
            yield Fault(
                ["Resources", subject.id],
                f"{subject.id} should name a log group of the template in LoggingConfig (got {got})",
            )


class LogGroupOfNobody(Rule):
    """A log group is named as if it were a function's, but is no function's."""

    id = "E9172"
    shortdesc = "A log group belongs to no Lambda function"
    description = "A group that only looks like a function's stays empty, while the logs go where nobody set retention"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html"
    tags = ["lambda", "logs"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the log groups that are named after a function."""
        return [
            group
            for group in template.of_type(LOG_GROUP)
            if text(group.properties.get("LogGroupName")).startswith(DEFAULT_NAME)
        ]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for a function that writes to the group, and bears its name."""
        writers = [f for f in functions(template) if subject.id in log_groups_of(f, template)]
        name = subject.properties["LogGroupName"]
        if not writers:
            yield _misnamed(subject, "be named in the LoggingConfig of a function", "none that names it")
            return
        expected = [f"{DEFAULT_NAME}{each}" for writer in writers for each in _names(writer)]
        if text(name) not in expected:
            yield _misnamed(subject, f"be called {expected[0]}, after its function {writers[0].id}", shown(name))


class UnwritableLogGroup(Rule):
    """A function's role may not write to its log group, so that it logs nothing and says nothing of it."""

    id = "E9173"
    shortdesc = "A Lambda function may not write to its log group"
    description = "Without logs:PutLogEvents on its log group a function runs, and its logs are dropped"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"
    tags = ["lambda", "logs", "iam"]

    def subjects(self, template: Template) -> list[tuple[Function, str]]:
        """List the functions with each of their log groups."""
        return [(function, group) for function in functions(template) for group in log_groups_of(function, template)]

    def faults(self, subject: tuple[Function, str], template: Template) -> Iterator[Fault]:
        """Look for what the role is allowed on the group."""
        function, group = subject
        for role in filter(None, map(refers_to, alternatives(function.properties.get("Role")))):
            allowed = allowed_to(template, role)
            for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
                if allowed is not None and not any(permits(s, action, {"Ref": group}) for s in allowed):
                    yield Fault(
                        ["Resources", function.id, "Properties", "Role"],
                        f"{role} should allow {action} on {group}, the log group of {function.id} "
                        f"(got {given(allowed, {'Ref': group})})",
                    )


def _names(function: Function) -> list[str]:
    """Give a function's name in each way that a template can write it."""
    return [*map(text, find(function.properties, "FunctionName")), f"${{{function.id}}}"]


def _misnamed(group: Resource, expected: str, got: str) -> Fault:
    return Fault(["Resources", group.id], f"log group {group.id} should {expected} (got {got})")
