"""What MiniStack 1.5 leaves out of Lambda, each in a class of its own.

Its CloudFormation makes functions without their DeadLetterConfig. The deployed template has it, and the function's
tags name its stack, so that the public API still tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .aws_api import AwsApi
from .targets import UNQUALIFIED, Target, UnsupportedTargetError

FUNCTIONS = "/2015-03-31/functions"


@dataclass
class StackTemplates:
    """The deployed templates, asked with the rights of the service itself."""

    aws: AwsApi
    _known: dict[tuple[str, str, str], str | None] = field(default_factory=dict)

    async def dead_letter_target(self, target: Target, version: str | None) -> str | None:
        """Return the ARN of the dead-letter target that the function's template names, if any.

        Raises:
            UnsupportedTargetError: It is written in a way that can't be followed from outside.
        """
        tags = await self._tags(target)
        stack, logical_id = tags.get("aws:cloudformation:stack-id"), tags.get("aws:cloudformation:logical-id")
        if stack is None or logical_id is None:
            return None
        key = (stack, logical_id, version or UNQUALIFIED)
        # A published version doesn't change, and a stack made anew has another id.
        if key not in self._known or key[2] == UNQUALIFIED:
            self._known[key] = await self._find(target, stack, logical_id)
        return self._known[key]

    async def _find(self, target: Target, stack: str, logical_id: str) -> str | None:
        template = json.loads(await self._cloudformation(target, "GetTemplate", "TemplateBody", StackName=stack))
        resources: Mapping[str, Any] = template["Resources"]
        named = resources[logical_id].get("Properties", {}).get("DeadLetterConfig", {}).get("TargetArn")
        if named is None or isinstance(named, str):
            return named
        match named:
            case {"Fn::GetAtt": [str(name), str()]} | {"Ref": str(name)} if name in resources:
                kind = resources[name]["Type"]
                physical = await self._cloudformation(
                    target, "DescribeStackResource", "PhysicalResourceId", StackName=stack, LogicalResourceId=name
                )
                return _arn(kind, physical, target)
        raise UnsupportedTargetError(
            f"The dead-letter target of {target.name} must be a queue of its stack (got {named})"
        )

    async def _tags(self, target: Target) -> Mapping[str, str]:
        answer = await self.aws.request("GET", f"{FUNCTIONS}/{target.name}", service="lambda", region=target.region)
        tags: Mapping[str, str] = answer.json().get("Tags") or {} if answer.status == 200 else {}
        return tags

    async def _cloudformation(self, target: Target, action: str, field_name: str, **parameters: str) -> str:
        answer = await self.aws.query("cloudformation", target.region, action, parameters)
        found = answer.xml(field_name)
        if answer.status != 200 or found is None or found.text is None:
            raise UnsupportedTargetError(f"{action} did not tell the {field_name}: {answer.body!r}")
        return found.text


def _arn(kind: str, physical: str, target: Target) -> str:
    """Return the ARN of a resource by its physical id, which is a queue's URL and a topic's ARN."""
    if kind != "AWS::SQS::Queue":
        return physical
    account, name = urlsplit(physical).path.strip("/").split("/")
    return f"arn:aws:sqs:{target.region}:{account}:{name}"
