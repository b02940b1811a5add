"""AWS's documented limits: the one place where they stand, each with its page and the day it was read."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

READ = date(2026, 11, 25)
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg"
_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide"
_SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide"


class Limit(NamedTuple):
    """One documented limit."""

    value: float
    unit: str
    says: str
    page: str
    adjustable: bool = False
    read: date = READ


CONCURRENCY = Limit(
    1_000,
    "executions at once",
    "of all functions of an account in a region; new accounts have less at first",
    f"{_LAMBDA}/gettingstarted-limits.html",
    adjustable=True,
)
KEPT_UNRESERVED = Limit(
    100,
    "executions at once",
    "of the account's concurrency that no function can reserve",
    f"{_LAMBDA}/configuration-concurrency.html",
)
SCALING = Limit(
    1_000,
    "new instances in 10 s",
    "of each function; the allowance is refilled continuously and not saved up",
    f"{_LAMBDA}/scaling-behavior.html",
)
SCALING_PERIOD = Limit(10, "s", "in which a function gets that many new instances", f"{_LAMBDA}/scaling-behavior.html")
ASYNCHRONOUS_REQUESTS = Limit(
    float("inf"),
    "requests a second",
    "asynchronous invocations are bounded by concurrency alone, not by ten requests a second for each instance",
    f"{_LAMBDA}/gettingstarted-limits.html",
)
PROVISIONED_REQUESTS = Limit(
    10,
    "requests a second for each warm instance",
    "of an alias with provisioned concurrency; what is beyond runs on ordinary instances",
    f"{_LAMBDA}/gettingstarted-limits.html",
)
FIRST_BACKOFF = Limit(
    1,
    "s",
    "until a throttled event is tried again, growing exponentially; longer where the queue has many entries",
    f"{_LAMBDA}/invocation-async-error-handling.html",
)
LONGEST_BACKOFF = Limit(
    300, "s", "between two attempts of a throttled event", f"{_LAMBDA}/invocation-async-error-handling.html"
)
EVENT_AGE = Limit(
    21_600,
    "s",
    "for which an event is tried; then it is a dead letter",
    f"{_LAMBDA}/invocation-async-error-handling.html",
)
RETRY = Limit(
    60,
    "s",
    "before a failed event's first retry, and twice that before the second",
    f"{_LAMBDA}/invocation-async-error-handling.html",
)
EVENT_SIZE = Limit(1_048_576, "bytes", "of an asynchronous event", f"{_LAMBDA}/gettingstarted-limits.html")
WARM_WRITES = Limit(
    4_000, "writes a second", "that a new on-demand table takes at once", f"{_DYNAMODB}/on-demand-capacity-mode.html"
)
DOUBLING = Limit(
    1_800,
    "s",
    "within which a table takes twice its previous peak; traffic that grows faster may be throttled",
    f"{_DYNAMODB}/on-demand-capacity-mode.html",
)
TABLE_WRITES = Limit(
    40_000,
    "writes a second",
    "of one on-demand table",
    f"{_DYNAMODB}/ServiceQuotas.html",
    adjustable=True,
)
KEY_WRITES = Limit(
    1_000,
    "writes a second",
    "of one partition, and so of one id",
    f"{_DYNAMODB}/bp-partition-key-design.html",
)
IN_FLIGHT = Limit(
    120_000, "messages", "received from a queue and not deleted yet, approximately", f"{_SQS}/quotas-queues.html"
)
RETENTION = Limit(1_209_600, "s", "for which a queue keeps a message at most", f"{_SQS}/quotas-messages.html")

ALL = {name: limit for name, limit in globals().items() if isinstance(limit, Limit)}
