"""The queue's own small door for the commands here: read what it has done, begin anew at another pace."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from local.aws_api import Answer
from local.clock import Clock
from local.event import Result
from local.faults import Faults
from local.queue import Pace, Queue

CONTROL_PATH = "/_local/queue"
"""No path of AWS begins like this."""


async def control(queue: Queue, method: str, body: bytes | None) -> Answer:
    """Answer a GET with the queue's state; begin anew on a PUT, at the pace that it names."""
    if method == "PUT":
        try:
            pace = parse(json.loads(body or b"{}"))
        except (ValueError, TypeError, KeyError) as error:
            return _answer(400, {"message": str(error)})
        await queue.restart(pace)
    elif method != "GET":
        return _answer(405, {"message": f"{method} is neither GET nor PUT"})
    return _answer(200, state(queue))


def state(queue: Queue) -> dict[str, Any]:
    """Describe what the queue has done so far."""
    tally = queue.tally
    functions: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for count, number in tally.counts.items():
        of_function = functions[count.target.name]
        of_function[count.metric] = of_function.get(count.metric, 0) + number
    return {
        "open": tally.open,
        "accepted": tally.accepted,
        "ended": tally.ended,
        "calls": tally.calls,
        "stopped": queue.stopped,
        "functions": functions,
        "losses": [loss._asdict() for loss in tally.losses],
        "unsupported": sorted(tally.unsupported),
        "errors": tally.errors,
    }


def document(pace: Pace) -> dict[str, Any]:
    """Write a pace as JSON has it."""
    faults = pace.faults._asdict() | {"kinds": [kind.name for kind in pace.faults.kinds]}
    return {"minute": pace.clock.minute, "faults": faults, "concurrency": pace.concurrency}


def parse(settings: dict[str, Any]) -> Pace:
    """Read what `document` wrote."""
    faults = settings["faults"] | {"kinds": tuple(Result[kind] for kind in settings["faults"]["kinds"])}
    return Pace(Clock(settings["minute"]), Faults(**faults), settings["concurrency"])


def _answer(status: int, body: dict[str, Any]) -> Answer:
    content = json.dumps(body).encode()
    return Answer(status, {"content-type": "application/json", "content-length": str(len(content))}, content)
