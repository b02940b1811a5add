"""What MiniStack does otherwise than AWS, each mended in a module named for it.

`configurations`, `invocations` and `statements` stand before MiniStack's public API. The rest never passes that API:
CloudFormation makes functions from the inside, rules send and mappings poll there, and the names of IAM's actions,
request ids and senders are made up there. For these, `inside`, `mappings`, `rule_targets`, `sender_ids` and `streams`
wrap MiniStack's own functions.
For each gap a test asks MiniStack alone, and fails on the day that it needs no mending.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from pipeline.local.asynchronous.aws_api import CALLER, Answer, AwsApi, Receive, Scope, Send, header, read_body, respond

from . import configurations, inside, invocations, statements
from .mappings import map_queues, settle_after
from .rule_targets import deliver_by
from .sender_ids import SENDER, write_senders
from .statements import batch_answer, execute
from .streams import tell_streams
from .versions import tell_versions

__all__ = ["batch_answer", "deliver_by", "execute", "mended", "settle_after"]

Mending = Callable[[AwsApi, Scope, bytes], Awaitable[Answer]]
MENDED: tuple[tuple[str, re.Pattern[str], Mending], ...] = (
    ("POST", re.compile(r"/2015-03-31/functions/[^/]+/invocations/?"), invocations.invocation),
    ("POST", re.compile(r"/2015-03-31/functions/?"), configurations.create),
    ("PUT", re.compile(r"/2015-03-31/functions/[^/]+/configuration/?"), configurations.update),
    ("", re.compile(r"/2019-09-25/functions/[^/]+/event-invoke-config/?"), configurations.event_invoke_config),
)
"""The requests to Lambda that are answered otherwise, by their method, or any, and path."""
REQUEST_LIMIT = 70 * 1024 * 1024  # bytes of a request with a package in it, the largest of all


@dataclass(frozen=True)
class Gaps:
    """Wraps MiniStack."""

    aws: AwsApi

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it through."""
        mending = _mending_of(scope) if scope["type"] == "http" else None
        if mending is None:
            await self.aws.app(scope, receive, send)
        else:
            await respond(send, await mending(self.aws, scope, await read_body(receive, REQUEST_LIMIT) or b""))


def _mending_of(scope: Scope) -> Mending | None:
    SENDER.set(scope[CALLER].key)
    if scope["path"] == "/":
        return statements.batch if header(scope, "x-amz-target") == statements.TARGET else None
    for method, path, mending in MENDED:
        if method in ("", scope["method"]) and path.fullmatch(scope["path"]):
            return mending
    return None


def mended(aws: AwsApi) -> AwsApi:
    """Return MiniStack as AWS would be, by an API of it alone; it is mended in this process for good."""
    inside.wrap()
    write_senders(aws.account)
    tell_streams()
    tell_versions()
    map_queues()
    return replace(aws, app=Gaps(aws))
