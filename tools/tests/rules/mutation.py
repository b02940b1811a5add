"""Edits of a template, by paths: what a mutant is made of."""

from collections.abc import Callable
from typing import Any

Template = dict[str, Any]
Edit = Callable[[Template], object]

GITHUB = "token.actions.githubusercontent.com"


def parent(template: Template, path: str) -> tuple[Any, Any]:
    """Find what holds the last key of a path.

    A path starts at a resource and goes on in its properties; with `/` it starts at the top of the template. In a
    list, a key is the name of an item, an action that a statement names, or the intrinsic function that the item is.
    """
    *keys, last = path.lstrip("/").split(".")
    if not path.startswith("/"):
        resource, *rest = keys
        keys = ["Resources", resource, "Properties", *rest]
    holder: Any = template
    for key in keys:
        holder = holder[place(holder, key)]
    return holder, place(holder, last)


def place(holder: Any, key: str) -> str | int:
    if not isinstance(holder, list):
        return key
    if key.isdecimal():
        return int(key)
    (found,) = (
        index
        for index, item in enumerate(holder)
        if key in (item.get("Name"), item.get("Key"), *item, *item.get("Action", []))
    )
    return found


def put(path: str, value: Any) -> Edit:
    def edit(template: Template) -> None:
        holder, key = parent(template, path)
        holder[key] = value

    return edit


def drop(path: str) -> Edit:
    def edit(template: Template) -> None:
        holder, key = parent(template, path)
        del holder[key]

    return edit


def add(path: str, value: Any) -> Edit:
    def edit(template: Template) -> None:
        holder, key = parent(template, path)
        holder[key].append(value)

    return edit


def granted(stage: str) -> str:
    return f"{stage}Policy.PolicyDocument.Statement"


def both(*edits: Edit) -> Edit:
    def edit(template: Template) -> None:
        for each in edits:
            each(template)

    return edit


def trust(principal: Any, condition: Any = None, *, action: str = "sts:AssumeRole") -> Edit:
    statement = {"Effect": "Allow", "Principal": principal, "Action": [action]}
    return put(
        "ValidatorRole.AssumeRolePolicyDocument.Statement.0",
        {**statement, "Condition": condition} if condition else statement,
    )


def bucket(policy: dict[str, Any] | None = None, keep: dict[str, Any] | None = None, **properties: Any) -> Edit:
    """Add a bucket that no rule finds anything wrong with, but for what is given."""
    arn = {"Fn::GetAtt": ["Files", "Arn"]}
    tls_only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, {"Fn::Sub": "${Files.Arn}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **(policy or {}),
    }
    names = ("CostCenter", "Environment", "ManagedBy", "Project")
    closed = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    return both(
        put(
            "/Resources.Files",
            {
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "RetainExceptOnCreate",
                "UpdateReplacePolicy": "Retain",
                **(keep or {}),
                "Properties": {
                    "PublicAccessBlockConfiguration": closed,
                    "Tags": [{"Key": name, "Value": "example"} for name in names],
                    **properties,
                },
            },
        ),
        put(
            "/Resources.FilesPolicy",
            {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": {"Ref": "Files"},
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": [tls_only]},
                },
            },
        ),
    )


def filled(alarm: str) -> Edit:
    """Put what an alarm watches into metric math that fills its gaps."""

    def edit(template: Template) -> None:
        properties = template["Resources"][alarm]["Properties"]
        metric = {name: properties.pop(name) for name in ("Namespace", "MetricName", "Dimensions")}
        measured = {"Metric": metric, "Period": properties.pop("Period"), "Stat": properties.pop("Statistic")}
        properties["Metrics"] = [
            {"Id": "filled", "Expression": "FILL(raw, 0)"},
            {"Id": "raw", "ReturnData": False, "MetricStat": measured},
        ]

    return edit


def point_at(path: str, resource: str, attribute: str | None = None) -> Edit:
    return put(path, {"Fn::GetAtt": [resource, attribute]} if attribute else {"Ref": resource})
