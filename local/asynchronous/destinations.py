"""Sending on: an invocation record to a function or a queue, a dead letter to a queue, as the execution role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol
from uuid import uuid4

from botocore.credentials import Credentials

from local.aws_api import AwsApi
from local.event import Event, Target
from local.lambda_api import LambdaApi

PAYLOAD_LIMIT = 1024 * 1024
"""Bytes of an asynchronous event and of an SQS message with its attributes: 1 MB each."""
SUPPORTED = ("lambda", "sqs")


class DeliveryError(Exception):
    """A record or dead letter could not be sent, and is lost."""


class UnsupportedTargetError(DeliveryError):
    """The target is of a kind that the embedded AWS doesn't deliver to."""


def service_of(arn: str) -> str:
    """Return the service part of an ARN."""
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""


def require_supported(arn: str) -> None:
    """Raise UnsupportedTargetError for a target that is neither a function nor a queue."""
    if service_of(arn) not in SUPPORTED:
        raise UnsupportedTargetError(
            f"The embedded AWS delivers to Lambda functions and SQS queues only, not to {arn or 'an empty ARN'}."
        )


def parse_function_arn(arn: str) -> Target:
    """Split a function's ARN, qualified or not."""
    _, _, _, region, account, _, name, *qualifier = arn.split(":")
    return Target(account, region, name, qualifier[0] if qualifier else None)


class Document(NamedTuple):
    """What is sent, with the attributes that an SQS message of it has: name to type and value."""

    body: bytes
    attributes: Mapping[str, tuple[str, str]] = MappingProxyType({})

    @property
    def size(self) -> int:
        """Bytes, as SQS counts them."""
        attributes = (name + kind + value for name, (kind, value) in self.attributes.items())
        return len(self.body) + sum(len(text.encode()) for text in attributes)


class Accept(Protocol):
    """Takes the event of a destination that is a function."""

    def __call__(self, origin: Event, target: Target, payload: bytes, request_id: str) -> None:
        """Queue it."""


@dataclass
class Destinations:
    """Where records and dead letters go."""

    aws: AwsApi
    functions: LambdaApi
    accept: Accept

    async def send(self, arn: str, document: Document, *, origin: Event, credentials: Credentials) -> None:
        """Send a document that came of the event `origin` to a target.

        Raises:
            DeliveryError: It was not taken, and is lost.
        """
        require_supported(arn)
        if document.size > PAYLOAD_LIMIT:
            raise DeliveryError(f"{document.size} bytes are over the limit of {PAYLOAD_LIMIT} of {arn}")
        if service_of(arn) == "lambda":
            await self._to_function(parse_function_arn(arn), document, origin, credentials)
        else:
            await self._to_queue(arn, document, credentials)

    async def _to_function(self, target: Target, document: Document, origin: Event, credentials: Credentials) -> None:
        answer = await self.functions.may_invoke(target, credentials)
        if answer.status != 204:
            raise DeliveryError(f"{target.arn} was not invoked: {answer.problem}")
        self.accept(origin, target, document.body, str(uuid4()))

    async def _to_queue(self, arn: str, document: Document, credentials: Credentials) -> None:
        _, _, _, region, account, name = arn.split(":")
        attributes = {
            key: {"DataType": kind, "StringValue": value} for key, (kind, value) in document.attributes.items()
        }
        message = {
            "QueueUrl": f"https://{self.aws.host}/{account}/{name}",
            "MessageBody": document.body.decode(),
            "MessageAttributes": attributes,
        }
        answer = await self.aws.request(
            "POST",
            "/",
            service="sqs",
            region=region,
            credentials=credentials,
            headers={"x-amz-target": "AmazonSQS.SendMessage", "content-type": "application/x-amz-json-1.0"},
            body=json.dumps(message).encode(),
        )
        if answer.status != 200:
            raise DeliveryError(f"{arn} did not take the message: {answer.problem}")
