"""The queue's own small door for the commands here: read what it has done, begin anew with other faults."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from local.aws_api import Answer
from local.clock import Clock
from local.event import Result
from local.faults import Faults
from local.queue import Queue

CONTROL_PATH = "/_local/queue"
"""No path of AWS begins like this."""


async def control(queue: Queue, method: str, body: bytes | None) -> Answer:
    """Answer a GET with the queue's state; begin anew on a PUT, with the clock and the faults that it names."""
    if method == "PUT":
        try:
            clock, faults = parse(json.loads(body or b"{}"))
        except (ValueError, TypeError, KeyError) as error:
            return _answer(400, {"message": str(error)})
        await queue.restart(clock=clock, faults=faults)
    elif method != "GET":
        return _answer(405, {"message": f"{method} is neither GET nor PUT"})
    return _answer(200, state(queue))


def state(queue: Queue) -> dict[str, Any]:
    """Describe what the queue has done so far."""
    tally = queue.tally
    functions: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for count, number in tally.counts.items():
        functions[count.function][count.metric] = functions[count.function].get(count.metric, 0) + number
    return {
        "open": tally.open,
        "accepted": tally.accepted,
        "ended": tally.ended,
        "calls": tally.calls,
        "stopped": queue.stopped,
        "functions": functions,
        "losses": [loss._asdict() for loss in tally.losses],
        "unsupported": sorted(set(tally.unsupported)),
        "errors": tally.faults,
    }


def document(clock: Clock, faults: Faults) -> dict[str, Any]:
    """Write a clock and faults as JSON has them."""
    return {"minute": clock.minute, "faults": faults._asdict() | {"kinds": [kind.name for kind in faults.kinds]}}


def parse(settings: dict[str, Any]) -> tuple[Clock, Faults]:
    """Read what `document` wrote."""
    faults = dict(settings.get("faults", {}))
    if "kinds" in faults:
        faults["kinds"] = tuple(Result[kind] for kind in faults["kinds"])
    return Clock(float(settings.get("minute", Clock().minute))), Faults(**faults)


def _answer(status: int, body: dict[str, Any]) -> Answer:
    content = json.dumps(body).encode()
    return Answer(status, {"content-type": "application/json", "content-length": str(len(content))}, content)
