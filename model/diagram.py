"""The architecture as a Mermaid flowchart, drawn from the built template: what calls and writes what."""

from collections.abc import Iterator
from typing import Any

from troposphere import Template

SHAPES = {
    "AWS::Serverless::Function": '{id}["{text}"]',
    "AWS::DynamoDB::Table": '{id}[("{text}")]',
    "AWS::SQS::Queue": '{id}[["{text}"]]',
    "AWS::S3::Bucket": '{id}[("{text}")]',
}


def draw(template: Template) -> str:
    """Draw what every stack has: the functions, their destinations, dead letters and writes."""
    resources = {name: one for name, one in template.to_dict()["Resources"].items() if "Condition" not in one}
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
    read = dict(_messages(resources))
    followers = {name: _destination(properties) for name, properties in functions.items()}
    yield f"producer -->|async| {next(iter(functions))}"
    yield from (f"{name} -->|on success| {follower}" for name, follower in followers.items() if follower)
    for name, properties in functions.items():
        sources = {queue for queue, function in read.items() if function == name}
        queues = {failing: queue for failing, queue in _failures(resources) if failing in {name, *sources}}
        for target, actions in _calls(resources, properties).items():
            if target not in {*queues.values(), *sources}:
                yield f"{name} -->|{', '.join(actions)}| {target}"
        yield from (f"{failing} -.->|on failure| {queue}" for failing, queue in queues.items())
    yield from (f"producer -->|messages| {queue}" for queue in read)
    yield from (f"{queue} -->|each message| {function}" for queue, function in read.items())


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


def _messages(resources: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield which queue's messages Lambda gives to which function."""
    for mapping in (r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::EventSourceMapping"):
        queue, function = _referred(mapping["EventSourceArn"]), _referred(mapping["FunctionName"])
        yield queue or "", (function or "").partition(".")[0]


def _referred(value: Any) -> str | None:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
        case {"Fn::Sub": str(text)} if text.startswith("${"):  # an ARN and what follows it
            return text[2:].partition(".")[0].partition("}")[0]
    return None
