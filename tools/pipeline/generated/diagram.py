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
    text = name
    if resource["Type"] == "AWS::Serverless::Function":
        alias, memory = (resource.get("Properties", {}).get(key) for key in ("AutoPublishAlias", "MemorySize"))
        text = name.removesuffix("Function").lower() + (f":{alias}" if alias else "")
        text += f"<br>{memory} MB" if memory else ""
    return SHAPES[resource["Type"]].format(id=name, text=text)


def _edges(resources: dict[str, Any]) -> Iterator[str]:
    functions = {n: r["Properties"] for n, r in resources.items() if r["Type"] == "AWS::Serverless::Function"}
    read = [(source, function) for source, function in _messages(resources) if source in resources]
    followers = {name: _destination(properties) for name, properties in functions.items()}
    yield from (f"producer -->|async| {name}" for name in [*functions][:1])
    yield from (f"{name} -->|on success| {follower}" for name, follower in followers.items() if follower in functions)
    for name, properties in functions.items():
        sources = {source for source, function in read if function == name and _is_queue(resources[source])}
        queues = {failing: queue for failing, queue in _failures(resources) if failing in {name, *sources}}
        for target, actions in _calls(resources, properties).items():
            if target not in {*queues.values(), *sources}:
                yield f"{name} -->|{', '.join(actions)}| {target}"
        yield from (f"{failing} -.->|on failure| {queue}" for failing, queue in queues.items())
    queues_read = dict.fromkeys(source for source, _ in read if _is_queue(resources[source]))
    yield from (f"producer -->|messages| {queue}" for queue in queues_read)
    for source, function in read:  # a table that has a stream is written by the pipeline, and not by a producer
        if resources[source]["Type"] in SHAPES and function in functions:
            yield f"{source} -->|each {'message' if _is_queue(resources[source]) else 'change'}| {function}"


def _destination(properties: dict[str, Any]) -> str | None:
    match properties.get("EventInvokeConfig"):
        case {"DestinationConfig": {"OnSuccess": {"Destination": destination}}}:
            return (_referred(destination) or "").partition(".")[0] or None
    return None


def _is_queue(resource: dict[str, Any]) -> bool:
    return bool(resource["Type"] == "AWS::SQS::Queue")


def _failures(resources: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield functions and queues, each with its dead-letter queue."""
    for name, resource in resources.items():
        match resource.get("Properties", {}):
            case {"DeadLetterQueue": {"TargetArn": {"Fn::GetAtt": [queue, _]}}}:
                yield name, queue
            case {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": [queue, _]}}}:
                yield name, queue


def _calls(resources: dict[str, Any], properties: dict[str, Any]) -> dict[str, list[str]]:
    """Return what the function's role allows on the nodes of the picture: the actions, by the resource."""
    found: dict[str, list[str]] = {}
    role = resources.get(_referred(properties.get("Role")) or "", {}).get("Properties", {})
    attached = (resources.get(_referred(policy) or "", {}) for policy in role.get("ManagedPolicyArns", []))
    for policy in attached:
        for statement in policy.get("Properties", {}).get("PolicyDocument", {}).get("Statement", []):
            for resource in _several(statement.get("Resource")):
                name = (_referred(resource) or "").partition(".")[0]
                if name in resources and resources[name]["Type"] in SHAPES:
                    actions = [action.partition(":")[2] for action in _several(statement.get("Action"))]
                    found.setdefault(name, []).extend(actions)
    return found


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _messages(resources: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield which queue's messages, or which table's changes, Lambda gives to which function."""
    for mapping in (r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::EventSourceMapping"):
        source, function = _referred(mapping.get("EventSourceArn")), _referred(mapping.get("FunctionName"))
        yield source or "", (function or "").partition(".")[0]


def _referred(value: Any) -> str | None:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
        case {"Fn::Sub": str(text)} if text.startswith("${"):  # an ARN and what follows it
            return text[2:].partition(".")[0].partition("}")[0]
    return None
