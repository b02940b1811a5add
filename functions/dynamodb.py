"""DynamoDB in one module: botocore's signer, the standard library's HTTP, and the retries between them.

boto3's client does the same for one operation as for thousands: its service models, endpoint rules and hooks are half
of a cold start. `docs/performance.md` has the figures.
"""

from __future__ import annotations

import json
import os
import random
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zlib import crc32

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import get_cert_path

# At worst five attempts of 1 + 3 s with waits of 1, 2, 4 and 8 s between them: 35 s of the function's 60.
ATTEMPTS = 5
CONNECT_TIMEOUT = 1  # seconds, for the TCP and the TLS handshake each
READ_TIMEOUT = 3  # seconds without a byte

# The longest first wait in seconds; each further one is twice as long, and a random part of it is waited. As in AWS'
# own SDKs a throttled caller waits longer than one that met a fault.
_AFTER_THROTTLING = 1.0
_AFTER_FAULT = 0.05
_AT_ONCE = 0.0

_THROTTLING = frozenset({
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
})  # fmt: skip
_FAULTS = frozenset({"InternalServerError", "ReplicatedWriteConflictException", "RequestTimeout", "ServiceUnavailable"})
_FAULT_STATUSES = frozenset({500, 502, 503, 504})


class StorageError(RuntimeError):
    """DynamoDB refused a request, or did not answer it.

    Attributes:
        code: AWS' name of the error, or what went wrong on the way.
        details: what DynamoDB said besides the code and the message.
        backoff: the longest wait in seconds before a second attempt; None if that would fail in the same way.
    """

    def __init__(
        self, code: str, message: str, *, details: dict[str, Any] | None = None, backoff: float | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.details, self.backoff = code, details or {}, backoff


class ConfigurationError(RuntimeError):
    """The function's environment lacks what it needs."""


class _Credentials(NamedTuple):
    """What the signer reads of botocore's own Credentials, whose module loads every other provider of them too."""

    access_key: str
    secret_key: str
    token: str | None


class Client:
    """One connection to DynamoDB, kept open: an instance of a function handles one event at a time."""

    def __init__(self, endpoint: str, region: str) -> None:
        self.endpoint, self.region = endpoint, region
        self._path = urlsplit(endpoint).path + "/"
        self._connection = _connection(endpoint)

    def connect(self) -> None:
        """Open the connection ahead of the first request, which opens it itself where that fails."""
        try:
            self._open()
        except OSError:
            self.close()

    def call(self, operation: str, parameters: dict[str, Any]) -> Any:
        """Send a request, again where that can help, and return the answer.

        Raises:
            StorageError: DynamoDB refused the request, or the last attempt failed as well.
        """
        body = json.dumps(parameters).encode()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt(operation, body)
            except StorageError as error:
                if error.backoff is None or attempt == ATTEMPTS:
                    raise
                wait = error.backoff * 2 ** (attempt - 1)
            time.sleep(random.uniform(0, wait))  # noqa: S311 - it spreads callers, and keeps no secret
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def _attempt(self, operation: str, body: bytes) -> Any:
        request = self._signed(operation, body)
        kept_open = self._connection.sock is not None
        try:
            response, answer = self._exchange(request)
        except (OSError, HTTPException) as error:
            self.close()
            # DynamoDB closes idle connections, also while the instance is frozen: that says nothing about the next one.
            stale = kept_open and isinstance(error, ConnectionError)
            raise StorageError(
                type(error).__name__,
                f"no answer from {self.endpoint} ({error})",
                backoff=_AT_ONCE if stale else _AFTER_FAULT,
            ) from error
        return _read(response, answer)

    def _signed(self, operation: str, body: bytes) -> AWSRequest:
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"}
        request = AWSRequest(method="POST", url=f"{self.endpoint}/", headers=headers, data=body)
        SigV4Auth(_credentials(), "dynamodb", self.region).add_auth(request)
        return request

    def _exchange(self, request: AWSRequest) -> tuple[HTTPResponse, bytes]:
        if self._connection.sock is None:
            self._open()
        self._connection.request("POST", self._path, request.data, dict(request.headers))
        response = self._connection.getresponse()
        return response, response.read()

    def _open(self) -> None:
        self._connection.connect()
        self._connection.sock.settimeout(READ_TIMEOUT)
        self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def from_environment() -> Client:
    """Make a client for the endpoint and the region that the SDK's usual variables name."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise ConfigurationError("AWS_REGION must be set to the region of the data table")
    return Client(_endpoint(region), region)


def _endpoint(region: str) -> str:
    override = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return (override or f"https://dynamodb.{region}.{suffix}").rstrip("/")


def _connection(endpoint: str) -> HTTPConnection:
    url = urlsplit(endpoint)
    if url.scheme == "http" and url.hostname:
        return HTTPConnection(url.hostname, url.port, timeout=CONNECT_TIMEOUT)
    if url.scheme == "https" and url.hostname:
        trust = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True))
        return HTTPSConnection(url.hostname, url.port, timeout=CONNECT_TIMEOUT, context=trust)
    raise ConfigurationError(f"the endpoint of DynamoDB must be an http or https URL (got {endpoint})")


def _credentials() -> Any:
    """Read Lambda's credentials anew for each request: nothing here outlives what Lambda replaces."""
    try:
        key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    except KeyError as missing:
        raise ConfigurationError(f"{missing.args[0]} must be set: Lambda gives its functions credentials") from None
    return _Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN"))


def _read(response: HTTPResponse, body: bytes) -> Any:
    """Return what an answer says, or raise the error that it is."""
    checksum = response.headers.get("x-amz-crc32")
    if checksum and int(checksum) != crc32(body):
        raise StorageError("ChecksumMismatch", "the answer was damaged on the way", backoff=_AFTER_FAULT)
    answer = _decoded(body)
    if response.status != 200:
        raise _error(response.status, answer)
    return answer


def _decoded(body: bytes) -> dict[str, Any]:
    """Decode an answer; a proxy's or load balancer's own page says nothing more than its status."""
    try:
        answer = json.loads(body or b"{}")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _error(status: int, answer: dict[str, Any]) -> StorageError:
    code = str(answer.get("__type", f"HTTP {status}")).rpartition("#")[2]
    message = str(answer.get("message") or answer.get("Message") or "no message")
    return StorageError(code, message, details=answer, backoff=_backoff(status, code))


def _backoff(status: int, code: str) -> float | None:
    if code in _THROTTLING or status == 429:
        return _AFTER_THROTTLING
    return _AFTER_FAULT if code in _FAULTS or status in _FAULT_STATUSES else None
