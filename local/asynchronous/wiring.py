"""The queue's parts, put together on one embedded AWS."""

from __future__ import annotations

from local.aws_api import AwsApi
from local.destinations import Destinations
from local.event import Event, Target
from local.lambda_api import LambdaApi
from local.outcome import Outcomes
from local.queue import Pace, Queue
from local.roles import Roles
from local.stack_template import StackTemplates


def make_queue(aws: AwsApi, pace: Pace) -> Queue:
    """Make the queue of an embedded AWS; it asks with the owner's rights what the Lambda service knows by itself."""
    functions = LambdaApi(aws)

    def accept(origin: Event, target: Target, payload: bytes, request_id: str) -> None:
        queue.accept_from(origin, target, payload, request_id)

    outcomes = Outcomes(functions, Roles(aws), StackTemplates(aws), Destinations(aws, functions, accept))
    queue = Queue(functions, outcomes, pace)
    return queue
