"""The handlers' client of AWS, for DynamoDB and SQS: Signature Version 4, HTTP and the retries between them.

Python's standard library is all it needs. botocore's signer alone was half of a cold start, and AWS changes it under
published versions. `docs/performance.md` has the figures; `typing` is not imported for the same reason.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import ssl
import time
from binascii import a2b_base64
from email.utils import mktime_tz, parsedate_tz
from functools import lru_cache
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import quote, urlsplit
from zlib import crc32

TYPE_CHECKING = False  # the name that type checkers know, without the import
if TYPE_CHECKING:
    from typing import Any

_LOG = logging.getLogger(__name__)

# At worst five attempts of 1 + 3 s with waits of 1, 2, 4 and 8 s between them: 35 s of the function's 60.
ATTEMPTS = 5
CONNECT_TIMEOUT = 1  # seconds, for the TCP and the TLS handshake each
READ_TIMEOUT = 3  # seconds without a byte
# Seconds without a request after which a connection is not used again. What lies between a function and a service
# forgets a connection after 350 s, and what is sent then arrives nowhere; a frozen instance sends no keepalive.
# https://aws.amazon.com/blogs/networking-and-content-delivery/implementing-long-running-tcp-connections-within-vpc-networking/
IDLE_TIMEOUT = 300

_TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}  # what X-Amz-Target begins with

# What endpoints end with in partitions other than amazonaws.com's, as in botocore's partitions.json.
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "us-isof-": "csp.hci.ic.gov",
}

MINUTE = float(os.environ.get("SECONDS_A_MINUTE", "60"))  # seconds; an embedded AWS makes them fewer

# Longest first wait, in seconds. It doubles each time; we sleep a random fraction. As in AWS' own SDKs, a throttled
# caller waits longer than one that met a fault.
AFTER_THROTTLING = MINUTE / 60
AFTER_FAULT = 0.05
_AT_ONCE = 0.0

_THROTTLING = frozenset({
    "KmsThrottled",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
})  # fmt: skip
_FAULTS = frozenset({"InternalServerError", "ReplicatedWriteConflictException", "RequestTimeout", "ServiceUnavailable"})
_FAULT_STATUSES = frozenset({500, 502, 503, 504})

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_AMAZON = b"Amazon"  # in the name of each authority of Amazon's: https://www.amazontrust.com/repository/


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
        self.service, self.endpoint, self.region = service, endpoint.rstrip("/"), region
        self._path = urlsplit(self.endpoint).path + "/"
        self._connection = _connection(self.endpoint)
        self._last_used = 0.0  # seconds since the epoch; a clock that stands still in a frozen instance would not do
        self._clock_offset = 0.0  # seconds that AWS' clock is ahead of this machine's

    def connect(self) -> None:
        """Open the connection before the first request. If that fails, the request opens it."""
        try:
            self._open()
        except OSError:
            self.close()

    def call(self, operation: str, parameters: dict[str, Any]) -> Any:
        """Send a request, retry it if that can help, and return the answer.

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
            time.sleep(jitter(wait))
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def _attempt(self, operation: str, body: bytes) -> Any:
        if time.time() - self._last_used > IDLE_TIMEOUT:
            self.close()
        kept_open = self._connection.sock is not None
        try:
            response, answer = self._exchange(self._headers(operation, body), body)
        except (OSError, HTTPException) as error:
            self.close()
            # AWS closes idle connections, also while the instance is frozen. Python names that in many ways, over TLS
            # by errors of its own; none of them says anything about the next connection.
            raise ServiceError(
                type(error).__name__,
                f"no answer from {self.endpoint} ({error})",
                backoff=_AT_ONCE if kept_open else AFTER_FAULT,
            ) from error
        return self._read(response, answer)

    def _exchange(self, headers: dict[str, str], body: bytes) -> tuple[HTTPResponse, bytes]:
        if self._connection.sock is None:
            self._open()
        # In one piece: http.client's own `request` sends two packets, which costs a twentieth of a warm call.
        self._connection.send(_head(self._path, headers, body) + body)
        with HTTPResponse(self._connection.sock, method="POST") as response:
            response.begin()
            answer = response.read()
        if response.will_close:
            self.close()
        self._last_used = time.time()
        return response, answer

    def _open(self) -> None:
        try:
            self._connection.connect()
        except ssl.SSLCertVerificationError:
            self._connection = _connection(self.endpoint, trust_all=True)
            self._connection.connect()
        self._connection.sock.settimeout(READ_TIMEOUT)
        self._last_used = time.time()

    def _headers(self, operation: str, body: bytes) -> dict[str, str]:
        key, secret, token = _credentials()
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + self._clock_offset))
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": _host(self._connection),
            "x-amz-date": now,
            **({"x-amz-security-token": token} if token else {}),
            "x-amz-target": f"{_TARGETS[self.service]}.{operation}",
        }
        scope = f"{now[:8]}/{self.region}/{self.service}/aws4_request"
        return headers | {"authorization": _authorization((key, secret), scope, self._path, headers, body)}

    def _read(self, response: HTTPResponse, body: bytes) -> Any:
        """Return what an answer says, or raise the error that it is."""
        checksum = response.headers.get("x-amz-crc32")
        if checksum and int(checksum) != crc32(body):
            raise ServiceError("ChecksumMismatch", "the answer was damaged on the way", backoff=AFTER_FAULT)
        answer = _decoded(body)
        if response.status == 200:
            return answer
        code, message = _named(response.status, answer)
        if _is_about_time(code, message):
            self._set_clock(response.headers.get("date"))
        raise ServiceError(code, message, details=answer, backoff=_backoff(response.status, code, message))

    def _set_clock(self, date: str | None) -> None:
        """Sign by AWS' clock from now on, as its SDKs do."""
        if parsed := parsedate_tz(date or ""):
            self._clock_offset = mktime_tz(parsed) - time.time()
            _LOG.warning("this instance's clock differs from AWS' by %.0f s, which is corrected", -self._clock_offset)


def from_environment(service: str) -> Client:
    """Make a client of "dynamodb" or "sqs", for the endpoint and the region that the SDK's usual variables name."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise ConfigurationError("AWS_REGION must be set to the region of the function")
    return Client(service, _endpoint(service, region), region)


def _endpoint(service: str, region: str) -> str:
    override = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    suffix = next((suffix for prefix, suffix in _SUFFIXES.items() if region.startswith(prefix)), "amazonaws.com")
    return override or f"https://{service}.{region}.{suffix}"


def _connection(endpoint: str, *, trust_all: bool = False) -> HTTPConnection:
    url = urlsplit(endpoint)
    if url.scheme == "http" and url.hostname:
        return HTTPConnection(url.hostname, url.port or 80, timeout=CONNECT_TIMEOUT)
    if url.scheme == "https" and url.hostname:
        trust = _trust(everybody=trust_all)
        return HTTPSConnection(url.hostname, url.port or 443, timeout=CONNECT_TIMEOUT, context=trust)
    raise ConfigurationError(f"the endpoint of a service must be an http or https URL (got {endpoint})")


def _trust(*, everybody: bool) -> ssl.SSLContext:
    """Trust the authorities of AWS_CA_BUNDLE, or else those of the runtime: first only Amazon's, if there are any.

    Reading all 140 of a runtime is a fifth of the processor's cold start. If the endpoint has a
    certificate of another authority, such as a proxy's, `_open` connects again and trusts them all.
    """
    given, own = os.environ.get("AWS_CA_BUNDLE"), ssl.get_default_verify_paths()
    bundle = given or own.cafile
    if not bundle and not (own.capath and os.listdir(own.capath)):  # noqa: PTH208 - importing pathlib takes 5 ms
        places = f"{own.openssl_cafile} and {own.openssl_capath}, {own.openssl_cafile_env} and {own.openssl_capath_env}"
        raise ConfigurationError(f"TLS needs authorities to trust (looked for in AWS_CA_BUNDLE, {places})")
    try:
        amazons = _amazons(bundle) if bundle and not everybody else ""
        return ssl.create_default_context(cafile=None if amazons else given, cadata=amazons or None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"AWS_CA_BUNDLE must name a file of certificates (got {bundle}: {error})") from None


def _amazons(bundle: str) -> str:
    """Return Amazon's authorities of a bundle, which issue the certificates of AWS' endpoints."""
    with open(bundle, encoding="ascii", errors="replace") as file:  # noqa: PTH123 - as above
        texts = [text.partition(_END)[0] for text in file.read().split(_BEGIN)[1:]]
    return "".join(f"{_BEGIN}{text}{_END}\n" for text in texts if _AMAZON in a2b_base64(text))


def _host(connection: HTTPConnection) -> str:
    """Return the header of that name. It leaves out the port if it is the scheme's own."""
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    return host if connection.port == connection.default_port else f"{host}:{connection.port}"


def _head(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Write the head of a POST."""
    own = {"accept-encoding": "identity", "content-length": len(body)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **own}.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def _credentials() -> tuple[str, str, str | None]:
    """Read Lambda's credentials for each request, because Lambda replaces them."""
    try:
        key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    except KeyError as missing:
        raise ConfigurationError(f"{missing.args[0]} must be set: Lambda gives its functions credentials") from None
    return key, secret, os.environ.get("AWS_SESSION_TOKEN")


def _authorization(keys: tuple[str, str], scope: str, path: str, headers: dict[str, str], body: bytes) -> str:
    """Sign a POST whose headers have names in lower case and in alphabetical order.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    key, secret = keys
    names, lines = ";".join(headers), "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"POST\n{quote(path)}\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    signature = hmac.digest(_signing_key(secret, scope), text.encode(), "sha256").hex()
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"


@lru_cache(maxsize=2)  # one for each service: it is good for a day
def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _decoded(body: bytes) -> dict[str, Any]:
    """Decode an answer. A page of a proxy or a load balancer says only its status."""
    try:
        answer = json.loads(body or b"{}")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _named(status: int, answer: dict[str, Any]) -> tuple[str, str]:
    """Return the code and the message of an error."""
    code = str(answer.get("__type", f"HTTP {status}")).rpartition("#")[2]
    return code, str(answer.get("message") or answer.get("Message") or "no message")


def _backoff(status: int, code: str, message: str) -> float | None:
    if code in _THROTTLING or status == 429:
        return AFTER_THROTTLING
    if code in _FAULTS or status in _FAULT_STATUSES or _is_about_time(code, message):
        return AFTER_FAULT
    return None


def _is_about_time(code: str, message: str) -> bool:
    """Tell whether a request was refused only for its time."""
    return code == "RequestExpired" or message.startswith(("Signature expired", "Signature not yet current"))


def jitter(longest: float) -> float:
    """Return a random part of a wait, so that callers spread; importing `random` takes longer than all of this."""
    return longest * int.from_bytes(os.urandom(4)) / 2**32
