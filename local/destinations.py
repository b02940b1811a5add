"""Sending on: an invocation record to a function or a queue, a dead letter to a queue, as the execution role."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Destinations:
    """Where records and dead letters go; `accept` takes the event of a destination that is a function."""

    aws: AwsApi
    functions: LambdaApi
    accept: Callable[[Target, bytes, Event, str], None]

    async def send(
        self,
        arn: str,
        body: bytes,
        *,
        event: Event,
        credentials: Credentials,
        attributes: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        """Send a document that came of `event` to a target.

        Raises:
            DeliveryError: It was not taken, and is lost.
        """
        require_supported(arn)
        size = len(body) + sum(len(f"{name}{kind}{value}".encode()) for name, (kind, value) in (attributes or {}).items())
        if size > PAYLOAD_LIMIT:
            raise DeliveryError(f"{size} bytes are over the limit of {PAYLOAD_LIMIT} of {arn}")
        if service_of(arn) == "lambda":
            await self._to_function(parse_function_arn(arn), body, event, credentials)
        else:
            await self._to_queue(arn, body, attributes or {}, credentials)

    async def _to_function(self, target: Target, body: bytes, event: Event, credentials: Credentials) -> None:
        answer = await self.functions.may_invoke(target, credentials)
        if answer.status != 204:
            raise DeliveryError(f"{target.arn} was not invoked: {answer.problem}")
        self.accept(target, body, event, answer.headers["x-amzn-requestid"])

    async def _to_queue(
        self, arn: str, body: bytes, attributes: Mapping[str, tuple[str, str]], credentials: Credentials
    ) -> None:
        _, _, _, region, account, name = arn.split(":")
        message = {
            "QueueUrl": f"https://{self.aws.host}/{account}/{name}",
            "MessageBody": body.decode(),
            "MessageAttributes": {
                key: {"DataType": kind, "StringValue": value} for key, (kind, value) in attributes.items()
            },
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
