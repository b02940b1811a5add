import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.errors import AwsError
from pipeline.letters.queue import BATCH, IN_FLIGHT, DeadLetterQueue, Depth, batches

from ..stack.samples import letter, record


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as told"}}, "DeleteMessage")


class OneByOne:
    """SQS where batches are denied, and each receipt answers as told."""

    def __init__(self, **refusals: str) -> None:
        self.refusals, self.asked = refusals, list[str]()

    def delete_message_batch(self, **_: Any) -> None:
        raise refusal("AccessDenied")

    change_message_visibility_batch = delete_message_batch

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803 - boto3's
        self.asked.append(ReceiptHandle)
        if code := self.refusals.get(ReceiptHandle):
            raise refusal(code)

    change_message_visibility = delete_message


LETTERS = [letter(record(n)) for n in range(3)]


@pytest.mark.parametrize("code", ["ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"])
def test_a_letter_that_is_in_hand_no_more_is_still_there(code: str) -> None:
    client = OneByOne(receipt=code)
    assert DeadLetterQueue(client, "q").delete(LETTERS[:1]) == LETTERS[:1]
    assert len(client.asked) == 2  # it was tried again
    DeadLetterQueue(client, "q").give_back(["receipt"])  # others see it already: that is as well


def test_letters_that_are_deleted_one_by_one_are_gone() -> None:
    assert DeadLetterQueue(OneByOne(), "q").delete(LETTERS) == []


def test_another_refusal_is_told() -> None:
    with pytest.raises(AwsError, match="denies"):
        DeadLetterQueue(OneByOne(receipt="AccessDenied"), "q").delete(LETTERS)


@pytest.mark.parametrize(("visible", "readers"), [(0, 1), (BATCH, 1), (3 * BATCH, 3), (1000 * BATCH, 8)])
def test_there_are_no_more_readers_than_letters_keep_busy(visible: int, readers: int) -> None:
    assert Depth(visible, 0, 0).readers(8) == readers


@pytest.mark.parametrize(
    ("visible", "in_flight", "seen", "unseen"), [(5, 0, 5, 0), (5, 2, 5, 2), (5, 2, 7, 0), (5, 2, 3, 2), (5, 2, 9, 0)]
)
def test_what_was_not_seen_was_in_flight_at_most(visible: int, in_flight: int, seen: int, unseen: int) -> None:
    assert Depth(visible, in_flight, 0).unseen(seen) == unseen


@pytest.mark.parametrize(
    ("visible", "in_flight", "is_full"), [(1, IN_FLIGHT, True), (0, IN_FLIGHT, False), (1, 1000, False)]
)
def test_sqs_hands_out_no_more_where_too_many_are_in_flight(visible: int, in_flight: int, is_full: bool) -> None:
    assert Depth(visible, in_flight, 0).is_full == is_full


@pytest.mark.parametrize("date", ["Thu, 01 Jan 2026 00:00:00 GMT", None])
def test_the_time_is_that_of_the_answer_or_else_this_machines(date: str | None) -> None:
    class Sqs:
        def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
            return {"Attributes": {}, "ResponseMetadata": {"HTTPHeaders": {"date": date} if date else {}}}

    expected = 1_767_225_600_000 if date else time.time() * 1000
    assert DeadLetterQueue(Sqs(), "q").depth().time == pytest.approx(expected, abs=600_000)


def test_batches_hold_all_values_in_order() -> None:
    assert list(batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(batches([])) == []
