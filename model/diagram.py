"""The architecture as a Mermaid flowchart, drawn from the built template: what calls, writes and watches what."""

from collections.abc import Iterable, Iterator
from typing import Any

from troposphere import Template

SHAPES = {
    "AWS::Serverless::Function": '{id}["{text}"]',
    "AWS::DynamoDB::Table": '{id}[("{text}")]',
    "AWS::SQS::Queue": '{id}[["{text}"]]',
    "AWS::SNS::Topic": '{id}(["{text}"])',
    "AWS::S3::Bucket": '{id}[("{text}")]',
}


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
    given = [*_files(resources), *_messages(resources)]
    followers = {name: _destination(properties) for name, properties in functions.items()}
    yield f"producer -->|async| {next(iter(functions))}"
    yield from (f"{name} -->|on success| {follower}" for name, follower in followers.items() if follower)
    for name, properties in functions.items():
        queues = {
            failing: queue for failing, queue in _failures(resources) if failing in {name, *_sources(name, given)}
        }
        for target, actions in _calls(resources, properties).items():
            if target not in {*queues.values(), *_sources(name, given)}:
                yield f"{name} -->|{', '.join(actions)}| {target}"
        yield from (f"{failing} -.->|on failure| {queue}" for failing, queue in queues.items())
    begun = {started for _, _, started in given}
    yield from (f"producer -->|{what}s| {source}" for source, what, _ in given if source not in begun)
    yield from (f"{source} -->|each {what}| {started}" for source, what, started in given)
    yield from _alarms(resources)


def _destination(properties: dict[str, Any]) -> str | None:
    destinations = properties.get("EventInvokeConfig", {}).get("DestinationConfig")
    return destinations["OnSuccess"]["Destination"]["Ref"].partition(".")[0] if destinations else None


def _failures(resources: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield of which functions and queues what failed for good goes to which queue."""
    for name, resource in resources.items():
        match resource.get("Properties", {}):
            case {"DeadLetterQueue": {"TargetArn": {"Fn::GetAtt": [queue, _]}}}:
                yield name, queue
            case {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": [queue, _]}}}:
                yield name, queue


def _sources(function: str, given: Iterable[tuple[str, str, str]]) -> set[str]:
    """Return what starts a function, and what starts that."""
    direct = {source for source, _, started in given if started == function}
    return direct | {further for source in direct for further in _sources(source, given)}


def _calls(resources: dict[str, Any], properties: dict[str, Any]) -> dict[str, list[str]]:
    """Return what the function's role allows on the nodes of the picture: the actions, by the resource."""
    found: dict[str, list[str]] = {}
    role = resources[properties["Role"]["Fn::GetAtt"][0]]["Properties"]
    for attached in role["ManagedPolicyArns"]:
        for statement in resources[attached["Ref"]]["Properties"]["PolicyDocument"]["Statement"]:
            for resource in statement.get("Resource", []):
                name = (_referred(resource) or "").partition(".")[0]
                if name in resources and resources[name]["Type"] in SHAPES:
                    found.setdefault(name, []).extend(action.partition(":")[2] for action in statement["Action"])
    return found


def _files(resources: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield which bucket's files a rule gives to what."""
    for rule in (r["Properties"] for r in resources.values() if r["Type"] == "AWS::Events::Rule"):
        (bucket,) = map(_referred, rule["EventPattern"]["detail"]["bucket"]["name"])
        for target in rule["Targets"]:
            yield bucket or "", "file", (_referred(target["Arn"]) or "").partition(".")[0]


def _messages(resources: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield which queue's messages Lambda gives to which function."""
    for mapping in (r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::EventSourceMapping"):
        queue, function = _referred(mapping["EventSourceArn"]), _referred(mapping["FunctionName"])
        yield queue or "", "message", (function or "").partition(".")[0]


def _alarms(resources: dict[str, Any]) -> Iterator[str]:
    alarms = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    watched = {name for alarm in alarms for dimension in _dimensions(alarm) if (name := _referred(dimension["Value"]))}
    topics = [name for name, resource in resources.items() if resource["Type"] == "AWS::SNS::Topic"]
    yield from (
        f"{name} -.->|alarms| {topic}"
        for name, resource in resources.items()
        if name in watched and resource["Type"] in SHAPES
        for topic in topics
    )


def _dimensions(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    for metric in metrics or [alarm]:
        yield from metric.get("Dimensions", [])


def _referred(value: Any) -> str | None:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
        case {"Fn::Sub": str(text)} if text.startswith("${"):  # an ARN and what follows it
            return text[2:].partition(".")[0].partition("}")[0]
    return None
