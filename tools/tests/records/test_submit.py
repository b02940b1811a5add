import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.errors import AwsError
from pipeline.records.journal import Header, Journal
from pipeline.records.lines import Line, prepare
from pipeline.records.packing import Batch, Packing
from pipeline.records.submit import AHEAD, Submission, SubmitCounts
from pipeline.stack.invoke import Answer, Invoker, Reply
from pipeline.stack.rate_limit import RateLimiter

PARALLEL = 2


class Lambda:
    """Accepts events when it is told to go on; what holds `bad` is refused, and what holds `denied` denied."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()

    def invoke(self, *, Payload: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's
        assert self.go_on.wait(10)
        for word, status in ((b"bad", 413), (b"denied", 403)):
            if word in Payload:
                answer: Any = {"Error": {"Code": "AsTold"}, "ResponseMetadata": {"HTTPStatusCode": status}}
                raise ClientError(answer, "Invoke")
        return {"StatusCode": 202, "Payload": io.BytesIO(), "ResponseMetadata": {"RequestId": "id-1"}}


def lines(*contents: bytes) -> Iterator[Line]:
    return (Line(number, content, number) for number, content in enumerate(contents, 1))


def submission(client: Lambda, *, batch: int = 1, **options: Any) -> Submission:
    invoker = Invoker(client, options.pop("rate", RateLimiter()), threading.Event())
    packing = Packing(prepare, batch=batch)
    return Submission("f", invoker, packing, lambda one: one.records, parallel=PARALLEL, **options)


def test_no_more_is_read_than_the_threads_will_send_soon() -> None:
    client, read = Lambda(), list[int]()
    client.go_on.clear()
    run = submission(client)
    source = (line for line in lines(*[b"{}"] * 100) if not read.append(line.number))  # type: ignore[func-returns-value]
    thread = threading.Thread(target=run.run, args=(source,))
    thread.start()
    deadline = time.monotonic() + 10
    while len(read) < AHEAD * PARALLEL and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(read) == AHEAD * PARALLEL
    client.go_on.set()
    thread.join()
    assert (run.counts.accepted, len(read)) == (100, 100)


def test_each_line_counts_once_and_what_is_not_accepted_is_named() -> None:
    told, rejected = list[tuple[int, Reply]](), list[Batch]()

    def tell(batch: Batch, answer: Answer) -> None:
        told.append((batch.lines[0].number, answer.reply))

    run = submission(Lambda(), batch=2, tell=tell, reject=rejected.append)
    counts = run.run(lines(b"1", b"2", b"{broken", b'["bad", 2, 3]', b"3"))
    assert counts == SubmitCounts(accepted=3, events=2, rejected=4, invalid=1)
    assert [batch.lines[0].number for batch in rejected] == [3, 4]
    assert told == [(1, Reply.ACCEPTED), (3, Reply.REFUSED), (4, Reply.REFUSED), (5, Reply.ACCEPTED)]


def test_each_event_waits_for_the_permits_of_its_records() -> None:
    waits = list[float]()
    rate = RateLimiter(10, clock=lambda: 0.0, wait=waits.append)
    submission(Lambda(), batch=2, rate=rate).run(lines(*[b"1"] * 6))
    assert sorted(waits) == pytest.approx([0.2, 0.4])


@pytest.mark.parametrize("resumable", [False, True])
def test_where_it_can_not_go_on_all_that_was_not_accepted_is_rejected_unless_a_journal_resumes_it(
    tmp_path: Path, resumable: bool
) -> None:
    header, contents = Header("f", "keep", 1), [b"1", b"2", b'"denied"', b"4", b"{broken"]
    rejected = list[Line]()
    with Journal(tmp_path / "journal", header) as journal:
        run = submission(
            Lambda(), reject=lambda batch: rejected.extend(batch.lines), journal=journal if resumable else None
        )
        with pytest.raises(AwsError, match="AsTold"):
            run.run(lines(*contents))
    assert run.invoker.stop.is_set()
    assert not rejected if resumable else run.counts.accepted + len(rejected) == len(contents)
    with Journal(tmp_path / "journal", header) as journal:
        again = submission(Lambda(), journal=journal).run(lines(*contents[:2]))
        assert again.skipped + again.accepted == 2
        assert again.skipped >= (run.counts.accepted if resumable else 0)
