"""The queue's control path, for the commands here: read what it has done, or begin anew with other options."""

import json
from collections import defaultdict
from typing import Any

from pipeline.local.asynchronous import Clock, Faults, Queue, QueueOptions, Result
from pipeline.local.asynchronous.aws_api import Answer, App, Receive, Scope, Send, json_answer, read_body, respond

CONTROL_PATH = "/_local/queue"  # no path of AWS begins like this
BODY_LIMIT = 10_000  # bytes


def control_of(queue: Queue) -> App:
    """Make the app that answers the control path of a queue."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, await control(queue, scope["method"], await read_body(receive, BODY_LIMIT)))

    return answer


async def control(queue: Queue, method: str, body: bytes | None) -> Answer:
    """Answer a GET with the queue's state; begin anew on a PUT, with the options that it names."""
    if method == "PUT":
        try:
            options = parse(json.loads(body or b"{}"))
        except (ValueError, TypeError, KeyError) as error:
            return json_answer(400, {"message": str(error)})
        await queue.restart(options)
    elif method != "GET":
        return json_answer(405, {"message": f"{method} is neither GET nor PUT"})
    return json_answer(200, state(queue))


def state(queue: Queue) -> dict[str, Any]:
    """Describe what the queue has done so far."""
    counts = queue.counts
    functions: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for count, number in counts.metrics.items():
        of_function = functions[count.target.name]
        of_function[count.metric] = of_function.get(count.metric, 0) + number
    return {
        "open": counts.open,
        "accepted": counts.accepted,
        "ended": counts.ended,
        "calls": counts.calls,
        "stopped": queue.stopped,
        "functions": functions,
        "losses": [loss._asdict() for loss in counts.losses],
        "errors": counts.errors,
    }


def document(options: QueueOptions) -> dict[str, Any]:
    """Write options as JSON has them."""
    faults = options.faults._asdict() | {"kinds": [kind.name for kind in options.faults.kinds]}
    return {"minute": options.clock.minute, "faults": faults, "concurrency": options.concurrency}


def parse(options: dict[str, Any]) -> QueueOptions:
    """Read what `document` wrote."""
    faults = options["faults"] | {"kinds": tuple(Result[kind] for kind in options["faults"]["kinds"])}
    return QueueOptions(Clock(options["minute"]), Faults(**faults), options["concurrency"])
