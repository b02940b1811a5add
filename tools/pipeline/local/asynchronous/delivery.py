"""What follows an event's end: its record goes to the destination, a failed event becomes a dead letter.

The function's execution role sends both. What it may not send, or what is not taken, is lost and counted:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .aws_api import AwsApi, Key
from .counts import Counts, Loss
from .documents import Document, dead_letter, invocation_record
from .event import Event, EventInvokeConfig, VersionConfig
from .lambda_api import LambdaApi
from .retries import Condition
from .roles import AssumeRoleError, Roles
from .targets import Target, service_of, unsupported

logger = logging.getLogger(__name__)

PAYLOAD_LIMIT = 1024 * 1024  # bytes of an asynchronous event, and of an SQS message with its attributes
DEAD_LETTER_ERRORS = "DeadLetterErrors"
DESTINATION_FAILURES = "DestinationDeliveryFailures"


class DeliveryError(Exception):
    """A record or dead letter could not be sent, and is lost."""


@dataclass(frozen=True)
class Delivery:
    """Sends on what comes of events."""

    aws: AwsApi
    functions: LambdaApi
    roles: Roles
    accept: Callable[[Event, Target, bytes], Awaitable[None]]
    """Takes the event that came of another one, for a destination that is a function."""

    async def send(self, event: Event, config: EventInvokeConfig, condition: Condition, counts: Counts) -> None:
        """Send all that the end of this event calls for."""
        version = await self.functions.version_config(event.target, event.last.version if event.last else None)
        if version is None:
            version, config = event.known.version, event.known.config
        succeeded = condition is Condition.SUCCESS
        if not succeeded:
            counts.count("AsyncEventsDropped", event.target)
            if version and version.dead_letter_target:
                letter = dead_letter(event, condition)
                await self._send(DEAD_LETTER_ERRORS, event, version, version.dead_letter_target, letter, counts)
        if arn := config.on_success if succeeded else config.on_failure:
            await self._send(DESTINATION_FAILURES, event, version, arn, invocation_record(event, condition), counts)

    async def _send(  # noqa: PLR0917 - one delivery has these parts
        self, metric: str, event: Event, version: VersionConfig | None, arn: str, document: Document, counts: Counts
    ) -> None:
        try:
            if version is None:
                raise DeliveryError(f"{event.target.arn} is gone, and its role with it")
            if sentence := unsupported(arn):
                raise DeliveryError(sentence)
            key = await self.roles.key(version.role, event.target)
            if document.size > PAYLOAD_LIMIT:
                raise DeliveryError(f"{document.size} bytes are over the limit of {PAYLOAD_LIMIT} of {arn}")
            send = self._to_function if service_of(arn) == "lambda" else self._to_queue
            await send(arn, document, event, key)
        except (DeliveryError, AssumeRoleError) as error:
            counts.count(metric, event.target)
            counts.losses.append(Loss(metric, event.request_id, str(error)))
            logger.warning("%s, request %s: %s", metric, event.request_id, error)

    async def _to_function(self, arn: str, document: Document, origin: Event, key: Key) -> None:
        target = Target.of_arn(arn)
        answer = await self.functions.may_invoke(target, key)
        if answer.status != 204:
            raise DeliveryError(f"{target.arn} was not invoked: {answer.problem}")
        await self.accept(origin, target, document.body)

    async def _to_queue(self, arn: str, document: Document, origin: Event, key: Key) -> None:
        region, account, queue = arn.split(":")[3:]
        attributes = {
            name: {"DataType": kind, "StringValue": value} for name, (kind, value) in document.attributes.items()
        }
        message = {
            "QueueUrl": f"https://{self.aws.host}/{account}/{queue}",
            "MessageBody": document.body.decode(),
            "MessageAttributes": attributes,
            "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": origin.trace}},
        }
        answer = await self.aws.perform("sqs", region, "AmazonSQS.SendMessage", message, key)
        if answer.status != 200:
            raise DeliveryError(f"{arn} did not take the message: {answer.problem}")
