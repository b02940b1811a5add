"""The execution roles' sessions: in them Lambda sends a function's records and dead letters on."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from .aws_api import AwsApi, Key
from .targets import Target

MARGIN = 300  # seconds before its end at which a session is renewed
SESSION = "awslambda_{}"
"""Lambda's own sessions begin like this, so that SQS's SenderId tells its messages from the function's own."""
SESSION_LIMIT = 64  # characters of a session's name


class AssumeRoleError(Exception):
    """The role could not be assumed."""


@dataclass
class Roles:
    """Assumes roles, as the Lambda service does, and keeps the sessions until they end."""

    aws: AwsApi
    _kept: dict[tuple[str, str], tuple[Key, float]] = field(default_factory=dict)

    async def key(self, role: str, target: Target) -> Key:
        """Return the key of a session in a function's role; AssumeRoleError if it is gone, or doesn't trust Lambda."""
        session = SESSION.format(target.name)[:SESSION_LIMIT]
        kept = self._kept.get((role, session))
        if kept is None or kept[1] - MARGIN < time.time():
            kept = self._kept[role, session] = await self._assume(role, target.region, session)
        return kept[0]

    async def _assume(self, role: str, region: str, session: str) -> tuple[Key, float]:
        form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role, "RoleSessionName": session}
        headers, body = {"content-type": "application/x-www-form-urlencoded"}, urlencode(form).encode()
        answer = await self.aws.request("POST", "/", service="sts", region=region, headers=headers, body=body)
        found = answer.xml("Credentials")
        if answer.status != 200 or found is None:
            raise AssumeRoleError(f"{role} could not be assumed: {answer.body.decode('utf-8', 'replace')}")
        part = {child.tag.rpartition("}")[2]: child.text or "" for child in found}
        end = datetime.fromisoformat(part["Expiration"].replace("Z", "+00:00")).timestamp()
        return Key(part["AccessKeyId"], part["SessionToken"]), end
