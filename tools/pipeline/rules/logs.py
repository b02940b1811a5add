"""Log groups: each function has one, which keeps its logs for a known time and which it may write to."""

from collections.abc import Iterator
from typing import Any

from .iam import lacking
from .reading import Fault, Function, Resource, Template
from .rule import FunctionRule, Rule
from .values import reference, refers_to, text

LOG_GROUP = "AWS::Logs::LogGroup"
DEFAULT_NAME = "/aws/lambda/"
# Lambda@Edge logs in every region to a group that names the region that the function was deployed to.
EDGE = "us-east-1."


def log_groups_of(function: Function, template: Template) -> list[str]:
    """List the log groups of the template that a function writes to, by its logging configuration or by their name."""
    configured = function.resource.possible("LoggingConfig", "LogGroup", by_name=True)
    return [group for form in configured for group in _groups(function, form, template)]


class NoLogGroup(FunctionRule):
    """Lambda makes a missing log group itself, without retention or tags, and it outlives the stack."""

    id = "E9171"
    shortdesc = "A Lambda function has no log group of the template"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html"

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        for form in subject.resource.possible("LoggingConfig", "LogGroup", by_name=True):
            if not _groups(subject, form, template):
                yield subject.resource.should("name a log group of the template in LoggingConfig", form)


class LogGroupOfNobody(Rule):
    """A group that only looks like a function's stays empty, while the logs go where nobody set retention."""

    id = "E9172"
    shortdesc = "A log group belongs to no Lambda function"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html"

    def subjects(self, template: Template) -> list[Resource]:
        groups = template.of_type(LOG_GROUP)
        return [group for group in groups if any(text(name).startswith(DEFAULT_NAME) for name in _named(group))]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        writers = [f for f in template.functions if subject.id in log_groups_of(f, template)]
        expected_names = [f"{DEFAULT_NAME}{name}" for writer in writers for name in _names(writer)]
        for name in _named(subject):
            if not writers and not _is_of_elsewhere(text(name), template):
                expected = "be named in the LoggingConfig of a function"
                yield subject.should(expected, "none that names it", kind="log group ")
            elif writers and text(name).replace(EDGE, "", 1) not in expected_names:
                expected = f"be called {expected_names[0]}, after its function {writers[0].id}"
                yield subject.should(expected, name, kind="log group ")


class UnwritableLogGroup(Rule):
    """Without logs:PutLogEvents on its log group a function runs, and its logs are dropped."""

    id = "E9173"
    shortdesc = "A Lambda function may not write to its log group"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"

    def subjects(self, template: Template) -> list[tuple[Function, str]]:
        return [(function, group) for function in template.functions for group in log_groups_of(function, template)]

    def faults(self, subject: tuple[Function, str], template: Template) -> Iterator[Fault]:
        function, group = subject
        actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
        for role in function.roles:
            purpose = f"the log group of {function.id}"
            yield from lacking(function, role, actions, (group, {"Ref": group}, purpose), template)


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
