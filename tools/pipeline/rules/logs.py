"""Log groups: each function has one, which keeps its logs for a known time and which it may write to."""

from collections.abc import Iterator
from typing import Any

from .iam import allowed_to, given, permits
from .reading import Function, Resource, Template
from .rule import Demand, Fault, Rule
from .values import reference, refers_to, shown, text

LOG_GROUP = "AWS::Logs::LogGroup"
DEFAULT_NAME = "/aws/lambda/"
# Lambda@Edge logs in every region to a group that names the region that the function was deployed to.
EDGE = "us-east-1."


def log_groups_of(function: Function, template: Template) -> list[str]:
    """List the log groups of the template that a function writes to, by its logging configuration or by their name."""
    configured = function.resource.possible("LoggingConfig", "LogGroup", by_name=True)
    return [group for form in configured for group in _groups(function, form, template)]


class KeptForEver(Demand):
    """A log group keeps logs for ever."""

    id = "E9003"
    shortdesc = "A log group should set RetentionInDays, else it keeps logs for ever"
    description = "CloudWatch deletes no logs by itself, and charges for them by the month"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"
    tags = ["logs", "cost"]
    resource_type = LOG_GROUP
    demanded = "RetentionInDays"


class NoLogGroup(Rule):
    """A function logs to a group that Lambda makes, and keeps for ever."""

    id = "E9171"
    shortdesc = "A Lambda function has no log group of the template"
    description = "Lambda makes a missing log group itself, without retention or tags, and it outlives the stack"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html"
    tags = ["lambda", "logs", "cost"]

    def subjects(self, template: Template) -> list[Function]:
        """List the functions."""
        return template.functions

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        """Look for the function's log group, in every form of its logging configuration."""
        for form in subject.resource.possible("LoggingConfig", "LogGroup", by_name=True):
            if not _groups(subject, form, template):
                yield Fault(
                    ["Resources", subject.id],
                    f"{subject.id} should name a log group of the template in LoggingConfig (got {shown(form)})",
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
            if any(text(name).startswith(DEFAULT_NAME) for name in _named(group))
        ]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for a function that writes to the group, and bears its name."""
        writers = [f for f in template.functions if subject.id in log_groups_of(f, template)]
        expected = [f"{DEFAULT_NAME}{name}" for writer in writers for name in _names(writer)]
        for name in _named(subject):
            if not writers and not _is_of_elsewhere(text(name), template):
                yield _misnamed(subject, "be named in the LoggingConfig of a function", "none that names it")
            elif writers and text(name).replace(EDGE, "", 1) not in expected:
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
        return [(function, group) for function in template.functions for group in log_groups_of(function, template)]

    def faults(self, subject: tuple[Function, str], template: Template) -> Iterator[Fault]:
        """Look for what the role is allowed on the group."""
        function, group = subject
        for role in function.roles:
            allowed = allowed_to(template, role)
            for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
                if allowed is not None and not any(permits(s, action, {"Ref": group}) for s in allowed):
                    yield Fault(
                        function.resource.at("Role"),
                        f"{role} should allow {action} on {group}, the log group of {function.id} "
                        f"(got {given(allowed, {'Ref': group})})",
                    )


def _groups(function: Function, configured: Any, template: Template) -> list[str]:
    """List the log groups of a function by one form of its configuration."""
    if configured is not None:
        return [name for name in [refers_to(configured)] if name and name in template.resources]
    names = {f"{DEFAULT_NAME}{edge}{name}" for name in _names(function) for edge in ("", EDGE)}
    return [group.id for group in template.of_type(LOG_GROUP) if names.intersection(map(text, _named(group)))]


def _named(group: Resource) -> list[Any]:
    return group.find("LogGroupName", by_name=True)


def _names(function: Function) -> list[str]:
    """Give a function's name in each way that a template can write it."""
    return [*map(text, function.resource.find("FunctionName", by_name=True)), f"${{{function.id}}}"]


def _is_of_elsewhere(name: str, template: Template) -> bool:
    """Return whether a log group is named after something that the template is told, such as a stack's output."""
    function = name.removeprefix(DEFAULT_NAME).removeprefix(EDGE)
    told = reference({"Fn::Sub": function})
    return function == "${}" or bool(told and told.id not in {each.id for each in template.functions})


def _misnamed(group: Resource, expected: str, got: str) -> Fault:
    return Fault(["Resources", group.id], f"log group {group.id} should {expected} (got {got})")
