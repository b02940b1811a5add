"""The execution roles' credentials: with them Lambda sends a function's records and dead letters on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from botocore.credentials import Credentials

from local.aws_api import AwsApi

STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"
MARGIN = 300
"""Seconds before their end at which credentials are renewed."""


class AssumeRoleError(Exception):
    """The role could not be assumed."""


@dataclass
class Roles:
    """Assumes roles, as the Lambda service does, and keeps the credentials until they end."""

    aws: AwsApi
    _kept: dict[tuple[str, str], tuple[Credentials, float]] = field(default_factory=dict)

    async def credentials(self, role: str, *, region: str, session: str) -> Credentials:
        """Return credentials of the role.

        Raises:
            AssumeRoleError: The role is gone, or doesn't trust Lambda.
        """
        kept = self._kept.get((role, session))
        if kept is None or kept[1] - MARGIN < time.time():
            kept = self._kept[role, session] = await self._assume(role, region, session)
        return kept[0]

    async def _assume(self, role: str, region: str, session: str) -> tuple[Credentials, float]:
        form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role, "RoleSessionName": session}
        answer = await self.aws.request(
            "POST",
            "/",
            service="sts",
            region=region,
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        if answer.status != 200:
            raise AssumeRoleError(f"{role} could not be assumed: {answer.body.decode('utf-8', 'replace')}")
        # The document is the embedded AWS's own, from this process.
        found = ET.fromstring(answer.body).find(f".//{STS}Credentials")  # noqa: S314
        if found is None:
            raise AssumeRoleError(f"{role} could not be assumed: the answer has no credentials")
        part = {child.tag.removeprefix(STS): child.text or "" for child in found}
        end = datetime.fromisoformat(part["Expiration"].replace("Z", "+00:00")).timestamp()
        return Credentials(part["AccessKeyId"], part["SecretAccessKey"], part["SessionToken"]), end
