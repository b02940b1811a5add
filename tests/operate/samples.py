"""Records, envelopes, letters and the stack that they are of."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from operate.dead_letters.letter import Letter
from operate.stack import Stack

from .fake_aws import QUEUE_ARN, STACK, STAGES, alias


def record(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"r-{number}", "timestamp": 1_700_000_000_000 + number, "data": {"n": number}, **more}


def envelope(event: object, result: object, *, stage: str = "validator", request_id: str = "id-1") -> dict[str, Any]:
    """Lambda's document for an on-success destination."""
    return {
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:01.000Z",
        "requestContext": {
            "requestId": request_id,
            "functionArn": alias(stage),
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "1"},
        "responsePayload": result,
    }


def letter(
    body: object, *, sent: int = 1_700_000_000_000, request_id: str = "id-0", error: str = "it failed"
) -> Letter:
    text = body if isinstance(body, str) else json.dumps(body)
    return Letter("m-1", "receipt", text, sent, 1, request_id, "200", error)


STACK_READ = Stack(
    *(STACK, "UPDATE_COMPLETE", "records", "https://queue", QUEUE_ARN),
    aliases={stage: alias(stage) for stage in STAGES},
    after=dict(pairwise(STAGES)),
)
