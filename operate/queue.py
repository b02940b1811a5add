"""The dead-letter queue, as far as an operator uses it: receive, give back, delete, and how much there is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from operate.aws import explained
from operate.letter import Letter

BATCH = 10
"""Messages in one call, SQS's limit."""
POLL = 1
"""Seconds that an empty queue is waited for: any wait makes SQS ask all of its servers, where none may miss some."""

T = TypeVar("T")


class Depth(NamedTuple):
    """How many letters there are, about, and AWS's time in ms since the epoch."""

    visible: int
    in_flight: int
    """In the hands of a reader, until it deletes them or its time is up."""
    time: int


@dataclass(frozen=True)
class DeadLetterQueue:
    """A queue; for any number of threads."""

    client: Any
    url: str

    def depth(self) -> Depth:
        """Ask how many letters there are."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with explained():
            answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        visible, in_flight = (int(answer["Attributes"].get(name, 0)) for name in names)
        return Depth(visible, in_flight, _server_time(answer))

    def receive(self, most: int, *, visibility: int) -> list[Letter]:
        """Take some letters, which nobody else sees for `visibility` seconds; none if there are none.

        Looking raises a letter's receive count, which nothing depends on: the queue has no redrive policy.
        """
        with explained():
            answer = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(most, BATCH),
                VisibilityTimeout=visibility,
                WaitTimeSeconds=POLL,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                MessageAttributeNames=["RequestID", "ErrorCode", "ErrorMessage"],
            )
        return [Letter.of_message(message) for message in answer.get("Messages", [])]

    def give_back(self, receipts: Iterable[str]) -> int:
        """Let others see letters again at once; return how many, the rest being seen again already."""
        return sum(len(self._show(batch)) for batch in batches(receipts))

    def _show(self, receipts: Sequence[str]) -> list[Any]:
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(receipts)
        ]
        with explained():
            answer = self.client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
        return list(answer.get("Successful", []))

    def delete(self, letters: Sequence[Letter]) -> list[Letter]:
        """Delete up to ten letters; return those that are still there."""
        entries = [{"Id": str(number), "ReceiptHandle": letter.receipt} for number, letter in enumerate(letters)]
        with explained():
            answer = self.client.delete_message_batch(QueueUrl=self.url, Entries=entries)
        return [letters[int(failed["Id"])] for failed in answer.get("Failed", [])]


def batches(values: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Yield values in lists of `size` at most."""
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch


def _server_time(answer: Any) -> int:
    """Return the answer's time, by which a letter's time can be judged whatever this machine's clock says."""
    date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return int(parsedate_to_datetime(date).timestamp() * 1000) if date else time.time_ns() // 1_000_000
