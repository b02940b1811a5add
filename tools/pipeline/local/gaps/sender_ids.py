"""Gives the messages of queues the sender that SQS gives them; MiniStack writes the account, whoever sent them.

SQS's `SenderId` is the id of the user, `<role id>:<session>` of a role, or the account for its owner:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.local.asynchronous import Answer, App, AwsApi, Receive, Scope, Send, call, read_body, respond
from pipeline.local.embedded.signatures import sender_of

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/sqs/")
REQUEST_LIMIT = 16 * 1024 * 1024
"""Bytes, far beyond what SQS takes."""
SENT = re.compile(rb'"MessageId": ?"([\w-]+)"|<MessageId>([\w-]+)</MessageId>')
MESSAGE = re.compile(rb"<Message>.*?</Message>", re.DOTALL)
SENDER = re.compile(rb"(<Name>SenderId</Name>\s*<Value>)[^<]*")


@dataclass(frozen=True)
class SenderIds:
    """Wraps an embedded AWS, and remembers the sender of each message that has come in."""

    inner: App
    aws: AwsApi
    """By it the ids of roles are asked."""
    _senders: dict[str, str] = field(default_factory=dict)
    """By message id. They stay when messages are deleted: about 200 bytes each."""
    _roles: dict[str, str] = field(default_factory=dict)
    """The ids of roles, by name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it through."""
        key = _access_key(scope) if scope["type"] == "http" else None
        if key is None:
            await self.inner(scope, receive, send)
            return
        answer = await call(self.inner, scope, await read_body(receive, REQUEST_LIMIT) or b"")
        if b"SenderId" in answer.body:
            answer = self._received(answer)
        else:
            await self._sent(answer, key)
        await respond(send, answer)

    async def _sent(self, answer: Answer, access_key: str) -> None:
        if ids := [(json_id or xml_id).decode() for json_id, xml_id in SENT.findall(answer.body)]:
            sender = await self._sender(access_key)
            # Messages that are received without their senders answer with ids, too.
            for message_id in ids:
                self._senders.setdefault(message_id, sender)

    async def _sender(self, access_key: str) -> str:
        role, _, session = sender_of(access_key, self.aws.account).principal_id.partition(":")
        if session and not role.startswith("AROA"):
            role = await self._role_id(role)
        return f"{role}:{session}" if session else role

    async def _role_id(self, name: str) -> str:
        """Return the id of a role, which a function's session has by name."""
        if name not in self._roles:
            answer = await self.aws.query("iam", "us-east-1", "GetRole", {"RoleName": name})
            found = answer.xml("RoleId")
            self._roles[name] = name if found is None or found.text is None else found.text
        return self._roles[name]

    def _received(self, answer: Answer) -> Answer:
        if answer.body.startswith(b"{"):
            document = answer.json()
            for message in document.get("Messages", []):
                attributes = message.get("Attributes", {})
                if sender := "SenderId" in attributes and self._senders.get(message["MessageId"]):
                    attributes["SenderId"] = sender
            body = json.dumps(document).encode()
        else:
            body = MESSAGE.sub(self._with_sender, answer.body)
        return answer._replace(body=body, headers=_sized(answer.headers, body))

    def _with_sender(self, message: re.Match[bytes]) -> bytes:
        found = SENT.search(message[0])
        sender = self._senders.get(found[2].decode()) if found else None
        return SENDER.sub(rb"\g<1>" + sender.encode(), message[0]) if sender else message[0]


def _sized(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    return {**headers, "content-length": str(len(body))}


def _access_key(scope: Scope) -> str | None:
    """Return the access key of a request to SQS."""
    authorization = next((value for name, value in scope["headers"] if name.lower() == b"authorization"), b"")
    match = CREDENTIAL.search(authorization.decode("latin-1"))
    return match[1] if match else None
