"""What follows an event's end: the record to its destination, and a failed one as a dead letter, sent as the role."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from local.destinations import DeliveryError, Destinations, Document, UnsupportedTargetError
from local.event import Event
from local.invocation_record import dead_letter_attributes, invocation_record
from local.lambda_api import InvokeConfig, LambdaApi, VersionConfig
from local.roles import AssumeRoleError, Roles
from local.schedule import Condition
from local.stack_template import StackTemplates
from local.tally import Loss, Tally

logger = logging.getLogger(__name__)

DEAD_LETTER_ERRORS = "DeadLetterErrors"
DESTINATION_FAILURES = "DestinationDeliveryFailures"


@dataclass(frozen=True)
class Outcomes:
    """Sends the outcomes of events on; what can't be sent is lost, and counted."""

    functions: LambdaApi
    roles: Roles
    templates: StackTemplates
    destinations: Destinations

    async def send(self, event: Event, config: InvokeConfig, condition: Condition, tally: Tally) -> None:
        """Send all that the end of this event calls for."""
        version = await self.functions.version_config(event.target, event.last.version if event.last else None)
        succeeded = condition is Condition.SUCCESS
        if not succeeded:
            tally.count("AsyncEventsDropped", event.target)
            await self._dead_letter(event, version, tally)
        if arn := config.on_success if succeeded else config.on_failure:
            document = Document(invocation_record(event, condition))
            await self._send(DESTINATION_FAILURES, event, version, arn, document, tally)

    async def _dead_letter(self, event: Event, version: VersionConfig | None, tally: Tally) -> None:
        try:
            arn = await self._dead_letter_target(event, version)
        except UnsupportedTargetError as error:
            _lose(DEAD_LETTER_ERRORS, event, error, tally)
            return
        if arn:
            document = Document(event.payload, dead_letter_attributes(event))
            await self._send(DEAD_LETTER_ERRORS, event, version, arn, document, tally)

    async def _dead_letter_target(self, event: Event, version: VersionConfig | None) -> str | None:
        """Return the target of the version that ran."""
        if version is None:
            return None
        return version.dead_letter_target or await self.templates.dead_letter_target(event.target, version.version)

    async def _send(  # noqa: PLR0917 - one delivery has these parts
        self, metric: str, event: Event, version: VersionConfig | None, arn: str, document: Document, tally: Tally
    ) -> None:
        try:
            if version is None:
                raise DeliveryError(f"{event.target.arn} is gone, and its role with it")
            region, session = event.target.region, event.target.name
            credentials = await self.roles.credentials(version.role, region=region, session=session)
            await self.destinations.send(arn, document, origin=event, credentials=credentials)
        except (DeliveryError, AssumeRoleError) as error:
            _lose(metric, event, error, tally)


def _lose(metric: str, event: Event, error: Exception, tally: Tally) -> None:
    tally.count(metric, event.target)
    tally.losses.append(Loss(metric, event.request_id, str(error)))
    if isinstance(error, UnsupportedTargetError):
        tally.unsupported.add(str(error))
    logger.warning("%s, request %s: %s", metric, event.request_id, error)
