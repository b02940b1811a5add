"""The records that are measured with."""

from typing import Any

Record = dict[str, Any]

DATA = {"city": "Praha", "items": [1, 2], "total": 12.5}
RECORD: Record = {"id": "order-1001", "timestamp": 1767225600000, "data": DATA}
ENRICHED: Record = {**RECORD, "enriched": True, "enrichedAt": 1767225600500, "version": "1.0"}


def sized(index: int) -> Record:
    """Make a record of 250 bytes, give or take the digits of its number, unlike those of other numbers."""
    data = {"total": index, "text": "x" * 165}
    return {"id": f"bench-{index:06}", "timestamp": RECORD["timestamp"] + index, "data": data}


def enveloped(event: object, answer: object) -> Record:
    """Wrap an event and a stage's answer to it as Lambda does for the next stage."""
    arn = "arn:aws:lambda:us-east-1:123456789012:function:data-processing-validator-dev"
    return {
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "requestContext": {
            "requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "functionArn": f"{arn}:live",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "1"},
        "responsePayload": answer,
    }
