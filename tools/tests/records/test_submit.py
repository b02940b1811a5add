from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from typing import Any

from pipeline.records.lines import Line, prepare
from pipeline.records.packing import Packing
from pipeline.records.submit import AHEAD, Submission
from pipeline.stack.invoke import Invoker
from pipeline.stack.rate_limit import RateLimiter

PARALLEL = 2


class Slow:
    """Lambda, which accepts nothing until it is told to."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def invoke(self, **_: Any) -> dict[str, Any]:
        assert self.go_on.wait(10)
        return {"StatusCode": 202, "Payload": io.BytesIO(), "ResponseMetadata": {"RequestId": "id-1"}}


def test_no_more_is_read_than_the_threads_will_send_soon() -> None:
    client, read = Slow(), list[int]()

    def lines() -> Iterator[Line]:
        for number in range(1, 101):
            read.append(number)
            yield Line(number, b"{}", number)

    submission = Submission(
        function="f",
        invoker=Invoker(client, RateLimiter(), threading.Event()),
        packing=Packing(prepare, batch=1),
        permits=lambda batch: 1,
        parallel=PARALLEL,
    )
    thread = threading.Thread(target=submission.run, args=(lines(),))
    thread.start()
    time.sleep(0.2)
    assert len(read) == AHEAD * PARALLEL
    client.go_on.set()
    thread.join()
    assert (submission.counts.accepted, len(read)) == (100, 100)
