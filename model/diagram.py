"""The architecture as a Mermaid flowchart, drawn from the built template: what calls, writes and watches what."""

from collections.abc import Iterator
from typing import Any

from troposphere import Template

SHAPES = {
    "AWS::Serverless::Function": '{id}["{text}"]',
    "AWS::DynamoDB::Table": '{id}[("{text}")]',
    "AWS::SQS::Queue": '{id}[["{text}"]]',
    "AWS::SNS::Topic": '{id}(["{text}"])',
}
# What a function's policy allows it to do with a node of the picture, beyond what its edges show already.
CALLS = {"AWS::DynamoDB::Table"}


def draw(template: Template) -> str:
    """Draw the functions with their destinations, dead letters and writes, and what the alarms tell."""
    resources = template.to_dict()["Resources"]
    nodes = {name: resource for name, resource in resources.items() if resource["Type"] in SHAPES}
    lines = [
        "flowchart LR",
        '    producer(["producer"])',
        *(f"    {_node(name, resource)}" for name, resource in nodes.items()),
        *(f"    {edge}" for edge in _edges(resources)),
    ]
    return "\n".join(lines) + "\n"


def _node(name: str, resource: dict[str, Any]) -> str:
    return SHAPES[resource["Type"]].format(id=name, text=_label(name, resource))


def _label(name: str, resource: dict[str, Any]) -> str:
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::Serverless::Function":
        return (
            f"{name.removesuffix('Function').lower()}:{properties['AutoPublishAlias']}<br>{properties['MemorySize']} MB"
        )
    return name


def _edges(resources: dict[str, Any]) -> Iterator[str]:
    functions = {n: r["Properties"] for n, r in resources.items() if r["Type"] == "AWS::Serverless::Function"}
    followers = {name: _destination(properties) for name, properties in functions.items()}
    yield f"producer -->|async| {next(iter(functions))}"
    yield from (f"{name} -->|on success| {follower}" for name, follower in followers.items() if follower)
    for name, properties in functions.items():
        yield from (f"{name} -->|{actions}| {target}" for actions, target in _calls(resources, properties))
        queue = properties["DeadLetterQueue"]["TargetArn"]["Fn::GetAtt"][0]
        yield f"{name} -.->|on failure| {queue}"
    yield from _alarms(resources)


def _destination(properties: dict[str, Any]) -> str | None:
    destinations = properties["EventInvokeConfig"].get("DestinationConfig")
    return destinations["OnSuccess"]["Destination"]["Ref"].partition(".")[0] if destinations else None


def _calls(resources: dict[str, Any], properties: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the function's role allows on the nodes of the picture: the actions, the resource."""
    role = resources[properties["Role"]["Fn::GetAtt"][0]]["Properties"]
    for attached in role["ManagedPolicyArns"]:
        for statement in resources[attached["Ref"]]["Properties"]["PolicyDocument"]["Statement"]:
            for resource in statement.get("Resource", []):
                name = resource["Fn::GetAtt"][0] if "Fn::GetAtt" in resource else None
                if name in resources and resources[name]["Type"] in CALLS:
                    yield ", ".join(action.partition(":")[2] for action in statement["Action"]), name


def _alarms(resources: dict[str, Any]) -> Iterator[str]:
    alarms = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    watched = {name for alarm in alarms for dimension in _dimensions(alarm) if (name := _referred(dimension["Value"]))}
    topics = [name for name, resource in resources.items() if resource["Type"] == "AWS::SNS::Topic"]
    yield from (f"{name} -.->|alarms| {topic}" for name in resources if name in watched for topic in topics)


def _dimensions(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    for metric in metrics or [alarm]:
        yield from metric.get("Dimensions", [])


def _referred(value: Any) -> str | None:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
    return None
