"""The handlers' client of AWS, for DynamoDB and SQS: Signature Version 4, HTTP and the retries between them.

The standard library does: boto3 is two thirds of a cold start, and botocore's signer alone half of one; AWS also
changes both under published versions. `docs/performance.md` has the figures.
"""

from __future__ import annotations

import hmac
import json
import os
import random
import socket
import ssl
import time
from functools import lru_cache
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit
from zlib import crc32

# At worst five attempts of 1 + 3 s with waits of 1, 2, 4 and 8 s between them: 35 s of the function's 60.
ATTEMPTS = 5
CONNECT_TIMEOUT = 1  # seconds, for the TCP and the TLS handshake each
READ_TIMEOUT = 3  # seconds without a byte

_TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}  # X-Amz-Target begins so

# Where endpoints end by the region's partition, as botocore's partitions.json has it; elsewhere amazonaws.com.
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "us-isof-": "csp.hci.ic.gov",
}

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


class ServiceError(RuntimeError):
    """A service refused a request, or did not answer it.

    Attributes:
        code: AWS' name of the error, or what went wrong on the way.
        details: what the service said besides the code and the message.
        backoff: the longest wait in seconds before a second attempt; None if that would fail in the same way.
    """

    def __init__(
        self, code: str, message: str, *, details: dict[str, Any] | None = None, backoff: float | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.details, self.backoff = code, details or {}, backoff


class ConfigurationError(RuntimeError):
    """The function's environment lacks what it needs."""


class Client:
    """One connection to a service, kept open: an instance of a function handles one event at a time."""

    def __init__(self, service: str, endpoint: str, region: str) -> None:
        self.service, self.endpoint, self.region = service, endpoint, region
        self._path = urlsplit(endpoint).path.rstrip("/") + "/"
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
            ServiceError: the service refused the request, or the last attempt failed as well.
        """
        body = json.dumps(parameters).encode()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt(operation, body)
            except ServiceError as error:
                if error.backoff is None or attempt == ATTEMPTS:
                    raise
                wait = error.backoff * 2 ** (attempt - 1)
            time.sleep(random.uniform(0, wait))  # noqa: S311 - it spreads callers, and keeps no secret
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def _attempt(self, operation: str, body: bytes) -> Any:
        headers = self._signed(operation, body)
        kept_open = self._connection.sock is not None
        try:
            response, answer = self._exchange(headers, body)
        except (OSError, HTTPException) as error:
            self.close()
            # AWS closes idle connections, also while the instance is frozen: that says nothing about the next one.
            stale = kept_open and isinstance(error, ConnectionError)
            raise ServiceError(
                type(error).__name__,
                f"no answer from {self.endpoint} ({error})",
                backoff=_AT_ONCE if stale else _AFTER_FAULT,
            ) from error
        return _read(response, answer)

    def _signed(self, operation: str, body: bytes) -> dict[str, str]:
        """Return the headers of a request, with its signature."""
        key, secret, token = _credentials()
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": _host(self.endpoint),
            "x-amz-date": now,
            **({"x-amz-security-token": token} if token else {}),
            "x-amz-target": f"{_TARGETS[self.service]}.{operation}",
        }
        names, lines = ";".join(headers), "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = f"POST\n{quote(self._path, safe='/~')}\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        scope = f"{now[:8]}/{self.region}/{self.service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(_signing_key(secret, scope), text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def _exchange(self, headers: dict[str, str], body: bytes) -> tuple[HTTPResponse, bytes]:
        if self._connection.sock is None:
            self._open()
        self._connection.request("POST", self._path, body, headers)
        response = self._connection.getresponse()
        return response, response.read()

    def _open(self) -> None:
        self._connection.connect()
        self._connection.sock.settimeout(READ_TIMEOUT)
        self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def from_environment(service: str) -> Client:
    """Make a client of "dynamodb" or "sqs", for the endpoint and the region that the SDK's usual variables name."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise ConfigurationError("AWS_REGION must be set to the region of the function")
    return Client(service, _endpoint(service, region), region)


def _endpoint(service: str, region: str) -> str:
    override = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    partition = next((prefix for prefix in _SUFFIXES if region.startswith(prefix)), "")
    return (override or f"https://{service}.{region}.{_SUFFIXES.get(partition, 'amazonaws.com')}").rstrip("/")


def _connection(endpoint: str) -> HTTPConnection:
    url = urlsplit(endpoint)
    if url.scheme == "http" and url.hostname:
        return HTTPConnection(url.hostname, url.port, timeout=CONNECT_TIMEOUT)
    if url.scheme == "https" and url.hostname:
        trust = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
        return HTTPSConnection(url.hostname, url.port, timeout=CONNECT_TIMEOUT, context=trust)
    raise ConfigurationError(f"the endpoint of a service must be an http or https URL (got {endpoint})")


def _credentials() -> tuple[str, str, str | None]:
    """Read Lambda's credentials anew for each request: nothing here outlives what Lambda replaces."""
    try:
        key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    except KeyError as missing:
        raise ConfigurationError(f"{missing.args[0]} must be set: Lambda gives its functions credentials") from None
    return key, secret, os.environ.get("AWS_SESSION_TOKEN")


@lru_cache(maxsize=2)  # one for each service: it holds for a day
def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _host(endpoint: str) -> str:
    """Return the header of that name, which leaves out the port where it is the scheme's own."""
    url = urlsplit(endpoint)
    host = f"[{url.hostname}]" if ":" in str(url.hostname) else str(url.hostname)
    return host if url.port in (None, {"http": 80, "https": 443}[url.scheme]) else f"{host}:{url.port}"


def _read(response: HTTPResponse, body: bytes) -> Any:
    """Return what an answer says, or raise the error that it is."""
    checksum = response.headers.get("x-amz-crc32")
    if checksum and int(checksum) != crc32(body):
        raise ServiceError("ChecksumMismatch", "the answer was damaged on the way", backoff=_AFTER_FAULT)
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


def _error(status: int, answer: dict[str, Any]) -> ServiceError:
    code = str(answer.get("__type", f"HTTP {status}")).rpartition("#")[2]
    message = str(answer.get("message") or answer.get("Message") or "no message")
    return ServiceError(code, message, details=answer, backoff=_backoff(status, code))


def _backoff(status: int, code: str) -> float | None:
    if code in _THROTTLING or status == 429:
        return _AFTER_THROTTLING
    return _AFTER_FAULT if code in _FAULTS or status in _FAULT_STATUSES else None
