"""Who signed a request, and whether the signature is right: AWS's Signature Version 4, in headers or in the query.

MiniStack believes several keys without a signature, and a function's secret follows from names that anybody can know.
So every signature is checked here, before a request reaches MiniStack, and functions sign with a secret that MiniStack
doesn't know: `runtime/sitecustomize.py` mixes a key of each start into theirs. The code that computes signatures, and
the keys' secrets, are MiniStack's own; no public API tells a secret, so that this is the one place that imports its
inside.
"""

import hashlib
import hmac
import re
import secrets
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlencode

from pipeline.local.asynchronous.aws_api import Caller, Key, Scope

from .ministack import ministack

SESSION = "AROA"  # how the ids of roles begin
ALGORITHM = "AWS4-HMAC-SHA256"
CREDENTIAL = re.compile(r"\w+/\d{8}/[a-z0-9-]+/[a-z0-9-]+/aws4_request")
IN_HEADER = {"Credential", "SignedHeaders", "Signature"}
IN_QUERY = {f"X-Amz-{name}" for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")}
TOKEN = "X-Amz-Security-Token"  # noqa: S105 - the name of a parameter
SINGLE = ("authorization", "host", "date", "content-type", "content-length", "content-encoding")
"""Headers that a request may have once, as those that begin with `x-amz-`."""
UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
CHUNKED = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
"""What S3's clients say in place of a hash: that the body isn't signed, or that each of its chunks is."""


class Owner(NamedTuple):
    """The secrets of one start: the owner's key, and what is mixed into the functions' secrets."""

    access_key: str
    secret_key: str
    function_key: str

    @classmethod
    def make(cls) -> Self:
        """Make up secrets that nobody can guess."""
        return cls(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_hex(32))


class Signed(NamedTuple):
    """A request's signature, with the request in the form that MiniStack's code takes."""

    parts: Any
    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, list[str]]
    presigned: bool

    @property
    def token(self) -> str:
        """The session token; empty if there is none."""
        return self.query.get(TOKEN, [""])[0] if self.presigned else self.headers.get(TOKEN.lower(), "")

    @property
    def caller(self) -> Caller:
        """Whoever the signature names."""
        return Caller(Key(self.parts.access_key_id, self.token), self.parts.service, self.parts.region)

    @property
    def announced(self) -> str | None:
        """What the signature covers in place of the body itself; None if it needs the body."""
        if self.presigned and self.parts.service == "s3":
            return UNSIGNED[0]
        return self.headers.get("x-amz-content-sha256") or None

    def is_right(self, secret: str, digest: str) -> bool:
        """Tell whether the signature was made with a secret, for a body that is announced or has this hash."""
        parts = self.parts
        return parts.amz_date[:8] == parts.date_stamp and hmac.compare_digest(
            self._signature(secret, digest).encode(), parts.signature.encode()
        )

    def covers(self, secret: str, body: bytes) -> bool:
        """Tell whether a body is the one that was announced."""
        sigv4, parts, announced = ministack("core.sigv4"), self.parts, self.announced
        if announced in CHUNKED:
            key = _signing_key(secret, parts.date_stamp, parts.region, parts.service)
            return bool(sigv4._chunk_signatures_match(body, parts.signature, parts, key))
        return announced in UNSIGNED or announced == hashlib.sha256(body).hexdigest()

    def _signature(self, secret: str, digest: str) -> str:
        sigv4, parts = ministack("core.sigv4"), self.parts
        headers = {"x-amz-content-sha256": digest, **self.headers}
        _, text = sigv4.header_signing_documents(
            parts, self.method, self.path, self.query, headers, b"", presigned=self.presigned
        )
        key = _signing_key(secret, parts.date_stamp, parts.region, parts.service)
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def rest_of_query(self) -> bytes:
        """Return the query without what belongs to the signature."""
        rest = {name: values for name, values in self.query.items() if name not in {*IN_QUERY, TOKEN}}
        return urlencode(rest, doseq=True).encode()


@lru_cache(256)
def _signing_key(secret: str, *scope: str) -> bytes:
    key: bytes = ministack("core.sigv4").derive_signing_key(secret, *scope)
    return key


def read_signature(scope: Scope) -> Signed | None:
    """Read a request's signature; None unless it is one of Version 4, in time, and of all that has to be signed.

    A header or parameter of it that comes twice, in whatever spelling, could be read in two ways: then it is none.
    """
    sigv4 = ministack("core.sigv4")
    names = Counter(name.decode("latin-1").lower() for name, _ in scope["headers"])
    if any(names[name] > 1 for name in names if name in SINGLE or name.startswith("x-amz-")):
        return None
    headers = {name.decode("latin-1").lower(): sigv4.decode_header_value(value) for name, value in scope["headers"]}
    query = parse_qs(scope["query_string"].decode("utf-8", "replace"), keep_blank_values=True)
    presigned = "authorization" not in headers
    parts = _in_query(query) if presigned else _in_header(headers, query)
    if parts is None or not _is_timely(parts, query if presigned else {}) or not _signs_enough(parts, headers):
        return None
    signed = Signed(parts, scope["method"], scope["raw_path"].decode("latin-1"), headers, query, presigned)
    unsigned_body = signed.announced in (*UNSIGNED, *CHUNKED)
    return None if unsigned_body and signed.parts.service != "s3" else signed


def _in_header(headers: Mapping[str, str], query: Mapping[str, Any]) -> Any:
    algorithm, _, text = headers["authorization"].partition(" ")
    fields = [(field.strip().partition("=")[0], field.strip().partition("=")[2]) for field in text.split(",")]
    if algorithm != ALGORITHM or len(fields) != len(IN_HEADER) or {name for name, _ in fields} != IN_HEADER:
        return None
    if _signature_names(query) or not CREDENTIAL.fullmatch(dict(fields)["Credential"]):
        return None
    parts = ministack("core.sigv4").parse_header_signature(headers)
    return None if isinstance(parts, tuple) else parts


def _in_query(query: Mapping[str, list[str]]) -> Any:
    names = _signature_names(query)
    if set(names) - {TOKEN} != IN_QUERY or any(len(query[name]) > 1 for name in names):
        return None
    if query["X-Amz-Algorithm"] != [ALGORITHM] or not CREDENTIAL.fullmatch(query["X-Amz-Credential"][0]):
        return None
    return ministack("core.sigv4").parse_query_signature(query)


def _signature_names(query: Mapping[str, Any]) -> list[str]:
    """Return what in a query belongs to a signature of some version, in whatever spelling."""
    known = {name.lower() for name in {*IN_QUERY, TOKEN, "AWSAccessKeyId", "Signature"}}
    return [name for name in query if name.lower() in known]


def _is_timely(parts: Any, query: dict[str, list[str]]) -> bool:
    sigv4 = ministack("core.sigv4")
    if not query:
        return sigv4._amz_datetime(parts.amz_date) is not None and sigv4.request_time_failure(parts) is None
    try:
        return not sigv4.presigned_request_is_expired(parts.amz_date, query["X-Amz-Expires"][0])
    except ValueError:
        return False


def _signs_enough(parts: Any, headers: Mapping[str, str]) -> bool:
    """Tell whether a signature covers the host and all of AWS's own headers, as AWS demands."""
    return {"host", *(name for name in headers if name.startswith("x-amz-"))} <= set(parts.signed_headers.split(";"))


def find_secret(signed: Signed, owner: Owner, account: str) -> str | None:
    """Find the secret that a signature has to be made with; None if nobody has its key."""
    key = signed.parts.access_key_id
    if hmac.compare_digest(key.encode(), owner.access_key.encode()):
        return None if signed.token else owner.secret_key
    found = _resolve(key, account, signed.token)
    if found is None:
        return None
    secret: str = found.secret_access_key
    return mixed(owner.function_key, secret) if _is_functions(found.principal_id) else secret


def principal_of(access_key: str, account: str) -> str | None:
    """Return the id of a key's user, or `<role>:<session>`; None if it is nobody's but the owner's."""
    found = _resolve(access_key, account)
    return found.principal_id if found else None


def mixed(key: str, secret: str) -> str:
    """Return the secret that a function signs with; `sitecustomize` does the same."""
    return hmac.new(key.encode(), secret.encode(), hashlib.sha256).hexdigest()


def _is_functions(principal_id: str) -> bool:
    """Tell a function's session, whose role MiniStack gives by name, from one that was assumed."""
    return ":" in principal_id and not principal_id.startswith(SESSION)


def _resolve(access_key: str, account: str, *token: str) -> Any:
    iam = ministack("core.iam_evaluator")
    found = None if iam.is_root_access_key(access_key) else iam.resolve_credential(access_key, account, *token)
    return found if isinstance(found, iam.ResolvedCredential) else None
