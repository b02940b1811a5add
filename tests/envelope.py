"""Lambda's document for an on-success destination, from a stage's event and result."""

from typing import Any

REGION, ACCOUNT = "us-east-1", "123456789012"
AT_FIRST = {"condition": "Success", "approximateInvokeCount": 1}


def alias(stage: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{stage}-dev:live"


def envelope(event: object, result: object, *, stage: str = "validator", request_id: str = "id-1") -> dict[str, Any]:
    return {
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:01.000Z",
        "requestContext": {"requestId": request_id, "functionArn": alias(stage), **AT_FIRST},
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "1"},
        "responsePayload": result,
    }
