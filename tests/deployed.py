"""The stack as tests see it: deployed to an embedded AWS, with clients of it."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.letters.queue import DeadLetterQueue
from pipeline.local.asynchronous import QueueOptions
from pipeline.local.deploy import build, deploy
from pipeline.local.embedded.process import EmbeddedAws, Options
from pipeline.local.watch import empty
from pipeline.project import default_stack
from pipeline.records import table
from pipeline.records.dead import origins
from pipeline.stack import ENTRY, DeadLetter, Stack, attribute

ROOT = Path(__file__).resolve().parent.parent
STACK_NAME = default_stack(ROOT)

DEADLINE = 60
"""Seconds within which the queue drains."""


class Item(NamedTuple):
    id: str
    timestamp: int
    data: str
    """In JSON."""
    enriched_by: str | None
    """The enricher's version; None on an item that was never enriched."""
    fields: Mapping[str, Any]
    """All of it, as JSON has it."""


class Failure(NamedTuple):
    """A dead letter, with the stage that failed and the submitted documents that it is about."""

    stage: str
    letter: DeadLetter
    origins: tuple[Any, ...]


def read_items(client: Any, name: str) -> Iterator[Item]:
    for page in client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
        for item in map(table.Item.of, page["Items"]):
            yield Item(*item.key, item.data, item.enriched_by, {**item.fields, "data": json.loads(item.data)})


def take_failures(client: Any, stack: Stack) -> Iterator[Failure]:
    """Take every message out of the dead-letter queue, and find the stages that failed."""
    queue = DeadLetterQueue(client, stack.queue_url)
    while queue.depth().visible:
        letters = queue.receive(10, visibility=60)
        queue.delete(letters)
        for letter in letters:
            found = attribute(letter, stack)
            yield Failure(found.stage or "unknown", letter, tuple(origins(found)) if found.stage else ())


@dataclass(frozen=True)
class DeployedStack:
    """The deployed stack, and the embedded AWS that it is deployed to."""

    aws: EmbeddedAws
    outputs: Stack

    @property
    def entry(self) -> str:
        """The alias that records are submitted to."""
        return self.outputs.aliases[ENTRY]

    def function(self, stage: str) -> str:
        function = self.outputs.stages[stage].function
        assert function
        return function.name

    @cached_property
    def client(self) -> Callable[[str], Any]:
        """Give boto3 clients with the owner's rights, made once: botocore reads a service's model anew for each."""
        return cache(self.aws.client)

    def submit(self, *events: object) -> None:
        """Send events to the validator, asynchronously."""
        client = self.client("lambda")
        for event in events:
            client.invoke(FunctionName=self.entry, InvocationType="Event", Payload=json.dumps(event))

    def drain(self) -> dict[str, Any]:
        """Wait until nothing is left in the queue, and return its state."""
        deadline = time.monotonic() + DEADLINE
        while (state := self.aws.queue_state())["open"]:
            assert time.monotonic() < deadline, f"the queue has not drained: {state}"
            time.sleep(0.05)
        return state

    def items(self) -> list[Item]:
        return list(read_items(self.client("dynamodb"), self.outputs.table))

    def failures(self) -> list[Failure]:
        return list(take_failures(self.client("sqs"), self.outputs))

    def reset(self, options: QueueOptions = QueueOptions()) -> None:  # noqa: B008 - a value
        """Empty the asynchronous queue, the table and the dead-letter queue."""
        self.aws.restart_queue(options)
        empty(self.client("dynamodb"), self.outputs.table)
        self.failures()


@contextmanager
def deployed(parameters: Mapping[str, str], root: Path) -> Iterator[DeployedStack]:
    aws = EmbeddedAws(Options())
    aws.start()
    try:
        template = build(aws.workspace, root=root)
        aws.wait_until_ready()
        yield DeployedStack(aws, deploy(aws, template, root=root, parameters=parameters))
    finally:
        aws.end()
