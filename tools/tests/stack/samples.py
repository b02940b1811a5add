"""A stack of three stages, and letters as its roles send them."""

import json
from typing import Any

from pipeline.stack import DeadLetter, Stack, Stage
from tests.envelope import ACCOUNT, REGION, alias, envelope

__all__ = ["ACCOUNT", "REGION", "alias", "envelope"]  # from where they are made, beside what is made here
STAGES = ("validator", "enricher", "processor")
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:letters"


def role_id(stage: str) -> str:
    return f"AROA{stage.upper()}"


def sender(stage: str) -> str:
    """Who Lambda is to SQS when it sends a dead letter of a stage."""
    return f"{role_id(stage)}:awslambda_123"


def stack(*stages: str, pipeline: tuple[str, ...] | None = None) -> Stack:
    """A stack of these stages, the three if none is named, followed in this order."""
    names = stages or STAGES
    return Stack(
        *("data-processing-dev", "UPDATE_COMPLETE", "records", f"https://sqs/{ACCOUNT}/letters", QUEUE_ARN),
        stages={name: Stage(name, alias(name), role_id(name)) for name in names},
        pipeline=names if pipeline is None else pipeline,
    )


def record(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"r-{number}", "timestamp": 1_700_000_000_000 + number, "data": {"n": number}, **more}


def letter(
    body: object,
    *,
    of: str = "validator",
    sent: int = 1_700_000_000_000,
    request_id: str = "id-0",
    error: str = "it failed",
    sent_by: str | None = None,
) -> DeadLetter:
    """A letter of a stage, or one that somebody else sent."""
    text = body if isinstance(body, str) else json.dumps(body)
    return DeadLetter(
        "m-1", "receipt", text, sender(of) if sent_by is None else sent_by, sent, 1, request_id, "200", error
    )


def message(event: object, attributes: dict[str, str], **written: str) -> DeadLetter:
    """A letter as SQS gives it: what SQS itself says of it, and what its writer does."""
    about = {name: {"DataType": "String", "StringValue": value} for name, value in written.items()}
    given = {"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(event), "Attributes": attributes}
    return DeadLetter.of_message({**given, "MessageAttributes": about})


class Time:
    """A clock that waiting moves, so that a rate can be judged without letting time pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds
