"""The same requests by a boto3 client, as most handlers send them: made in init, the same limits and retries."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

_RETRIES: Any = {"mode": "standard", "total_max_attempts": 5}
_CONFIG = Config(connect_timeout=1, read_timeout=3, retries=_RETRIES, max_pool_connections=1, tcp_keepalive=True)


class ConfigurationError(RuntimeError):
    """The function's environment lacks what it needs."""


class ServiceError(RuntimeError):
    """A service refused a request."""

    def __init__(self, code: str, details: Any) -> None:
        super().__init__(code)
        self.code, self.details = code, details


class Client:
    """A client of one service."""

    def __init__(self, service: str) -> None:
        session: Any = boto3  # its types know each service by a literal name
        self._client = session.client(service, region_name=os.environ["AWS_REGION"], config=_CONFIG)

    def connect(self) -> None:
        """Leave it to the first request, as boto3 does."""

    def call(self, operation: str, parameters: dict[str, Any]) -> Any:
        """Send a request."""
        try:
            return getattr(self._client, xform_name(operation))(**parameters)
        except ClientError as error:
            raise ServiceError(error.response["Error"]["Code"], error.response) from error


from_environment = Client
