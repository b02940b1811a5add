"""Gives the messages of queues the sender that SQS gives them; MiniStack writes the account, whoever sent them.

SQS's `SenderId` is the id of the user, `<role id>:<session>` of a role, or the account for its owner:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from contextvars import ContextVar
from typing import Any

from pipeline.local.asynchronous.aws_api import Key
from pipeline.local.embedded.ministack import ministack
from pipeline.local.embedded.signatures import SESSION, principal_of

SENDER: ContextVar[Key | None] = ContextVar("sender", default=None)  # the key of whoever sent the current request


def write_senders(account: str) -> None:
    """Let a message keep who sent it, wherever it is moved."""
    sqs = ministack("services.sqs")
    attributes = sqs._build_send_sys_attrs

    def with_sender(*arguments: Any) -> dict[str, Any]:
        return {**attributes(*arguments), "SenderId": _id_of(SENDER.get(), account)}

    sqs._build_send_sys_attrs = with_sender


def _id_of(key: Key | None, account: str) -> str:
    principal = key and principal_of(key.access_key, account)
    role, _, session = (principal or account).partition(":")
    if session and not role.startswith(SESSION):
        found = ministack("services.iam")._roles.get(role)  # a function's session has its role by name
        role = found["RoleId"] if found else role
    return f"{role}:{session}" if session else role
