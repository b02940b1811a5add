"""The embedded AWS's fixed identity: the account, the region and the credentials that its owner uses."""

from __future__ import annotations

ACCOUNT = "000000000000"
REGION = "us-east-1"
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - of an AWS that exists on this machine only
HOST = "127.0.0.1"
