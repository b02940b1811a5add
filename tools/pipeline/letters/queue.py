"""The dead-letter queue: receive letters, give them back, delete them, and count them."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from pipeline.errors import DeniedError
from pipeline.stack import ATTRIBUTES, SYSTEM_ATTRIBUTES, DeadLetter
from pipeline.stack.aws import code_of, explained

BATCH = 10  # messages in one call, SQS's limit
NOT_IN_FLIGHT = ("ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue")
POLL = 1
"""Seconds that an empty queue is waited for. Long polling asks every SQS server; a short poll may miss messages."""

DELETIONS = 2  # how often a letter is tried to be deleted
IN_FLIGHT = 120_000
"""Messages that may be in flight, beyond which SQS hands out none and says nothing, about:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""

T = TypeVar("T")


class Depth(NamedTuple):
    """The approximate number of letters, and AWS's time in ms since the epoch."""

    visible: int
    in_flight: int  # in the hands of a reader, until it deletes them or its time is up
    time: int

    def readers(self, most: int) -> int:
        """Return how many threads the letters keep busy; each that finds nothing waits for a whole poll."""
        return max(1, min(most, self.visible // BATCH))

    @property
    def is_full(self) -> bool:
        """Whether SQS hands out no more letters, as too many are in flight."""
        return self.visible > 0 and self.in_flight > 0.99 * IN_FLIGHT

    def unseen(self, seen: int) -> int:
        """Return about how many letters a reader that saw so many never saw: SQS's figures are late."""
        return max(0, min(self.in_flight, self.visible + self.in_flight - seen))


@dataclass(frozen=True)
class DeadLetterQueue:
    """A queue; for any number of threads."""

    client: Any
    url: str
    poll: int | None = None  # seconds instead of POLL

    def depth(self) -> Depth:
        """Ask how many letters there are."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with explained():
            answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        visible, in_flight = (int(answer["Attributes"].get(name, 0)) for name in names)
        return Depth(visible, in_flight, _server_time(answer))

    def receive(self, most: int, *, visibility: int) -> list[DeadLetter]:
        """Take some letters, which nobody else sees for a time in seconds; nothing depends on their receive count."""
        with explained():
            answer = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(most, BATCH),
                VisibilityTimeout=visibility,
                WaitTimeSeconds=POLL if self.poll is None else self.poll,
                MessageSystemAttributeNames=SYSTEM_ATTRIBUTES,
                MessageAttributeNames=ATTRIBUTES,
            )
        return [DeadLetter.of_message(message) for message in answer.get("Messages", [])]

    def send(self, url: str, body: str) -> str:
        """Send a message to another queue, and return its id."""
        with explained():
            message_id: str = self.client.send_message(QueueUrl=url, MessageBody=body)["MessageId"]
        return message_id

    def give_back(self, receipts: Sequence[str]) -> None:
        """Let others see up to ten letters again at once; those that are seen again already don't matter."""
        entries = [{**entry, "VisibilityTimeout": 0} for entry in _entries(receipts)]
        self._batch(self.client.change_message_visibility_batch, self._give_back_one, entries)

    def hide(self, letter: DeadLetter, *, visibility: int) -> None:
        """Keep a letter that is in flight out of others' sight for `visibility` seconds from now."""
        with explained():
            self.client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=letter.receipt, VisibilityTimeout=visibility
            )

    def delete(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Delete up to ten letters; return those that are still there."""
        remaining = list(letters)
        for _ in range(DELETIONS):
            if remaining:
                entries = _entries([letter.receipt for letter in remaining])
                failed = self._batch(self.client.delete_message_batch, self._delete_one, entries)
                remaining = [remaining[int(entry)] for entry in failed]
        return remaining

    def _batch(
        self, call: Callable[..., Any], one: Callable[[str], None], entries: Sequence[Mapping[str, Any]]
    ) -> list[str]:
        """Call for all entries at once, or one by one where that is denied; return the ids of those that failed.

        AWS judges both by the same permission. MiniStack has one of its own for a batch, which AWS does not know.
        """
        try:
            with explained():
                answer = call(QueueUrl=self.url, Entries=entries)
            return [failed["Id"] for failed in answer.get("Failed", [])]
        except DeniedError:
            return [entry["Id"] for entry in entries if not _works(one, entry["ReceiptHandle"])]

    def _give_back_one(self, receipt: str) -> None:
        self.client.change_message_visibility(QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=0)

    def _delete_one(self, receipt: str) -> None:
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)


def _entries(receipts: Sequence[str]) -> list[dict[str, Any]]:
    return [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]


def _works(call: Callable[[str], None], receipt: str) -> bool:
    """Make a call about a letter; return whether the letter was still in flight."""
    with explained():
        try:
            call(receipt)
        except ClientError as error:
            if code_of(error) in NOT_IN_FLIGHT:
                return False
            raise
    return True


def batches(values: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Yield values in lists of `size` at most."""
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch


def _server_time(answer: Any) -> int:
    """Return the answer's time, by which a letter's time can be judged whatever this machine's clock says."""
    date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return int(parsedate_to_datetime(date).timestamp() * 1000) if date else time.time_ns() // 1_000_000
