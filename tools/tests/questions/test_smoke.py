"""What is said of a version that does not start: on AWS its log tells, on the embedded AWS nothing does."""

import json
import time
from types import SimpleNamespace
from typing import Any, Self

import pytest

from pipeline.questions.smoke import Smoke, StuckError
from pipeline.records.table import Table
from pipeline.stack.invoke import Answer, Reply
from pipeline.stack.rate_limit import RateLimiter

from ..stack.samples import record, stack


class Aws:
    """A table without items, and a log with one line for whoever asks."""

    def __init__(self, group: str, **fields: Any) -> None:
        self.group, self.fields = group, fields

    def get_paginator(self, _: str) -> Self:
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        asked = request.get("logGroupName") == self.group
        return [{"Items": [], "events": [{"timestamp": 1, "message": json.dumps(self.fields)}] * asked}]


def stuck(aws: Aws, reply: Reply = Reply.ACCEPTED) -> str:
    invoker: Any = SimpleNamespace(send=lambda *_, **__: Answer(reply, reason="as the test asked"))
    with pytest.raises(StuckError) as caught:
        list(Smoke(aws, stack(), Table(aws, "t", RateLimiter()), invoker, record(1), time.monotonic(), 0).run())
    return str(caught.value)


def test_a_version_that_does_not_start_is_told_by_its_log() -> None:
    told = stuck(Aws("/aws/lambda/validator-dev", errorType="Runtime.ImportModuleError"))
    assert told == "it stuck in the validator, which does not start: Runtime.ImportModuleError"


def test_a_record_that_lambda_does_not_accept_is_told() -> None:
    assert stuck(Aws(""), Reply.REFUSED) == "Lambda did not accept it: as the test asked"
