"""Alarms: that what they watch exists, that somebody hears them, and that deployments heed them."""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .reading import Fault, Resource, Template, find, items
from .rule import Rule
from .values import Given, Path, Reference, mentioned, reference, refers_to, shown, text

ALARM = "AWS::CloudWatch::Alarm"
ALIAS = "AWS::Lambda::Alias"
# The dimension by which a namespace names a resource, the resource's types, and how its name is referred to.
NAMED_BY: Mapping[str, tuple[str, tuple[str, ...], str | None]] = {
    "AWS/SQS": ("QueueName", ("AWS::SQS::Queue",), "QueueName"),
    "AWS/SNS": ("TopicName", ("AWS::SNS::Topic",), "TopicName"),
    "AWS/DynamoDB": ("TableName", ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"), None),
    "AWS/Lambda": ("FunctionName", ("AWS::Lambda::Function",), None),
}
# Whose attributes can be the name of anything.
OPAQUE = re.compile(r"AWS::CloudFormation::.*|AWS::ServiceCatalog::.*|AWS::SSM::Parameter|Custom::.*|.*::MODULE")
# DynamoDB reports these by operation only: an alarm on the table's name alone never gets a value.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
BY_OPERATION = {"SystemErrors", "ThrottledRequests", "SuccessfulRequestLatency", "ReturnedItemCount"}
# Counts of events that are in no queue any more. They are reported only if there is something to report.
LOSSES = {
    *("DeadLetterErrors", "DestinationDeliveryFailures", "AsyncEventsDropped"),  # AWS/Lambda
    "InvocationsFailedToBeSentToDlq",  # AWS/Events
}
FILL = re.compile(r"FILL\((.+?),\s*(?:[-\d.]+|REPEAT|LINEAR)\s*\)")
NAME = re.compile(r"[A-Za-z]\w*")


class Metric(NamedTuple):
    """One metric that an alarm watches."""

    alarm: Resource
    path: Path
    namespace: str
    name: str
    dimensions: Mapping[str, Any]
    statistic: Any
    query: str = ""  # the name by which metric math refers to it

    def should(self, expected: str, got: Any) -> Fault:
        return Fault(self.path, f"alarm {self.alarm.id} on {self.name} should {expected} (got {shown(got)})")


@functools.lru_cache(maxsize=8)  # the rules read one template after the other
def metrics(template: Template) -> list[Metric]:
    """List the metrics of every alarm, those of metric math included."""
    return [metric for alarm in template.of_type(ALARM) for form in _forms(alarm) for metric in _metrics(alarm, form)]


def watching(template: Template, metric: str, resource: str) -> list[Metric]:
    """List what watches a metric of a resource, and names the resource as the metric's namespace does."""
    return [
        found
        for found in metrics(template)
        if found.name == metric and found.namespace in NAMED_BY
        for dimension, _, attribute in [NAMED_BY[found.namespace]]
        if _is_name_of(found.dimensions.get(dimension), template.resources[resource], dimension, attribute)
    ]


class BlindAlarm(Rule):
    """A dimension that names no resource makes no error: the metric has no data, and the alarm sleeps."""

    id = "E9311"
    shortdesc = "An alarm watches nothing"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension"

    def subjects(self, template: Template) -> list[Metric]:
        return [metric for metric in metrics(template) if metric.namespace in NAMED_BY]

    def faults(self, subject: Metric, template: Template) -> Iterator[Fault]:
        dimension = NAMED_BY[subject.namespace][0]
        given = ", ".join(subject.dimensions) or "none"
        if dimension in subject.dimensions:
            yield from _misnamed(subject, template)
        elif subject.dimensions or subject.namespace == "AWS/SQS":
            yield subject.should(f"have the dimension {dimension}", given)
        by_operation = subject.namespace == "AWS/DynamoDB" and subject.name in BY_OPERATION
        if by_operation and "Operation" not in subject.dimensions:
            yield subject.should("have the dimension Operation too, without which it has no data", given)
        if "Resource" in subject.dimensions and subject.namespace == "AWS/Lambda":
            yield from _unaliased(subject, template)


class SilentAlarm(Rule):
    """An alarm without an action changes colour on a page that nobody has open."""

    id = "W9312"
    shortdesc = "An alarm notifies nobody"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html"
    looks_at = (ALARM, "AWS::CloudWatch::CompositeAlarm")

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        if not any(subject.find("AlarmActions")):  # an action under a condition is one
            yield subject.should("have AlarmActions, such as a topic", None, kind="alarm ")
        elif [*map(shown, subject.find("ActionsEnabled"))] == ["false"]:
            yield subject.should("have ActionsEnabled: true", False, "ActionsEnabled", kind="alarm ")


class FilledLosses(Rule):
    """Metrics come late: FILL stands in for the newest minute, and so may keep the alarm at OK for ever."""

    id = "E9313"
    shortdesc = "An alarm on losses fills in what was not counted yet"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html"

    def subjects(self, template: Template) -> list[Resource]:
        losing = {metric.alarm.id for metric in metrics(template) if metric.name in LOSSES}
        return [alarm for alarm in template.of_type(ALARM) if alarm.id in losing]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        for form in _forms(subject):
            expressions = _expressions(form)
            filled = _filled(expressions)
            losses = [metric for metric in _metrics(subject, form) if metric.name in LOSSES]
            lost = [metric.name for metric in losses if metric.query in filled or "METRICS" in filled]
            if lost:
                expected = f"leave the gaps of {', '.join(lost)} to TreatMissingData"
                yield subject.should(expected, "; ".join(expressions.values()), "Metrics", kind="alarm ")


class UnwatchedDeployment(Rule):
    """Shifting traffic step by step helps only if an alarm shifts it back when the new version fails.

    cfn-lint expands SAM by the defaults of the parameters: a deployment that they switch off is not seen.
    """

    id = "E9321"
    shortdesc = "A gradual deployment has no alarms"
    source_url = (
        "https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-configure-advanced-options.html"
    )

    def subjects(self, template: Template) -> list[tuple[str, Resource]]:
        shift = ("UpdatePolicy", "CodeDeployLambdaAliasUpdate", "DeploymentGroupName")
        return [
            (refers_to(alias.properties.get("FunctionName")) or alias.id, template.resources[group])
            for alias in template.of_type(ALIAS)
            for group in map(refers_to, alias.attribute(*shift))
            if group in template.resources
            and "AllAtOnce" not in shown(template.resources[group].find("DeploymentConfigName"))
        ]

    def faults(self, subject: tuple[str, Resource], template: Template) -> Iterator[Fault]:
        function, group = subject
        found = group.find("AlarmConfiguration")
        if not any(each.get("Alarms") and shown(each.get("Enabled", True)) != "false" for each in found):
            got = shown(found[0]) if found else "none"
            expected = f"gradual deployment of {function} should have alarms that roll it back (got {got})"
            yield Fault(group.at("AlarmConfiguration"), expected)


def _misnamed(metric: Metric, template: Template) -> Iterator[Fault]:
    dimension, types, attribute = NAMED_BY[metric.namespace]
    value = metric.dimensions[dimension]
    known = any(_is_name_of(value, resource, dimension, attribute) for resource in template.of_type(*types))
    if not known and not _is_told(value, template):
        expected = f"GetAtt {attribute}" if attribute else "Ref"
        yield metric.should(f"have the dimension {dimension} by {expected} of an {types[0]}", value)


def _unaliased(metric: Metric, template: Template) -> Iterator[Fault]:
    function = refers_to(metric.dimensions.get("FunctionName"))
    names = [one.find("Name", by_name=True) for one in template.belonging_to(function or "", ALIAS)]
    aliases = [f"${{{function}}}:{text(name)}" for of_alias in names for name in of_alias]
    given = metric.dimensions["Resource"]
    if function and text(given) not in aliases:
        expected = f"have the dimension Resource by !Sub {aliases[0]}" if aliases else "have no dimension Resource"
        yield metric.should(expected, given)


def _is_name_of(value: Any, resource: Resource, dimension: str, attribute: str | None) -> bool:
    """Return whether a value is the name of a resource, by reference or spelled as the resource spells it."""
    spelled = [text(name) for name in resource.find(dimension, by_name=True)]
    return reference(value) == Reference(resource.id, attribute) or text(value) in spelled


def _is_told(value: Any, template: Template) -> bool:
    """Return whether a name is that of something elsewhere: a parameter's, another stack's, or read at deployment."""
    opaque = {name for name, resource in template.resources.items() if OPAQUE.fullmatch(resource.type)}
    return (
        isinstance(value, Given)
        or "${}" in text(value)
        or "{{resolve:" in text(value)
        or not mentioned(value).isdisjoint({*template.parameters, *opaque})
    )


def _forms(alarm: Resource) -> list[dict[str, Any]]:
    names = ("Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic", "Metrics")
    return alarm.forms(*names, by_name=True)


def _metrics(alarm: Resource, form: Mapping[str, Any]) -> Iterator[Metric]:
    if "MetricName" in form:
        yield _metric(alarm, alarm.at(), form, form.get("Statistic", form.get("ExtendedStatistic")))
    for index, query in enumerate(items(form.get("Metrics"))):
        for body in find(query, "MetricStat", "Metric"):
            found = _metric(alarm, alarm.at("Metrics", index), body, query["MetricStat"].get("Stat"))
            yield found._replace(query=text(query.get("Id")))


def _metric(alarm: Resource, path: Path, body: Mapping[str, Any], statistic: Any) -> Metric:
    dimensions = {text(entry.get("Name")): entry.get("Value") for entry in items(body.get("Dimensions"))}
    return Metric(alarm, path, text(body.get("Namespace")), text(body.get("MetricName")), dimensions, statistic)


def _expressions(form: Mapping[str, Any]) -> dict[str, str]:
    """Give the metric math of an alarm, by the name of each expression."""
    queries = items(form.get("Metrics"))
    return {text(query.get("Id")): text(query["Expression"]) for query in queries if "Expression" in query}


def _filled(expressions: Mapping[str, str]) -> set[str]:
    """Name the metrics and expressions whose gaps FILL fills, also if it is given an expression of them."""
    filled = {name for each in expressions.values() for inner in FILL.findall(each) for name in NAME.findall(inner)}
    while further := {name for each in filled & {*expressions} for name in NAME.findall(expressions[each])} - filled:
        filled |= further
    return filled
