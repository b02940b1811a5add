"""Who signed a request, and whether the signature is right: AWS's Signature Version 4, in headers or in the query.

MiniStack believes several keys without a signature, and a function's secret follows from names that anybody can know.
So every signature is checked here, before a request reaches MiniStack, and functions sign with a secret that MiniStack
doesn't know: `runtime/sitecustomize.py` mixes a key of each start into theirs. The code that checks, and the keys'
secrets, are MiniStack's own; no public API tells a secret, so that this is the one place that imports its inside.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from botocore.credentials import Credentials

from pipeline.local.asynchronous import Scope

from .ministack import ministack

SESSION = "AROA"
"""How the ids of roles begin."""


class Owner(NamedTuple):
    """The secrets of one start: the owner's key, and what is mixed into the functions' secrets."""

    access_key: str
    secret_key: str
    function_key: str

    @classmethod
    def make(cls) -> Owner:
        """Make up secrets that nobody can guess."""
        return cls(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_hex(32))


@dataclass(frozen=True)
class Caller:
    """Whoever signed a request rightly."""

    principal_id: str
    """As `aws:userid` has it: the account's number for the owner, a user's id, or `<role>:<session>`."""
    credentials: Credentials | None
    """As MiniStack knows them; None for the owner."""


class Signed(NamedTuple):
    """A request's signature, as MiniStack's code has it, with the request in the form that it takes."""

    parts: Any
    presigned: bool
    headers: dict[str, str]
    query: dict[str, list[str]]

    @property
    def token(self) -> str:
        """The session token."""
        if self.presigned:
            return self.query.get("X-Amz-Security-Token", [""])[0]
        return self.headers.get("x-amz-security-token", "")


def read_signature(scope: Scope) -> Signed | None:
    """Read a request's signature; None where there is none of Version 4 that has its time."""
    sigv4 = ministack("core.sigv4")

    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), sigv4.decode_header_value(value)
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    query = parse_qs(scope["query_string"].decode("utf-8", "replace"), keep_blank_values=True)
    presigned = "authorization" not in headers
    if not presigned and not headers["authorization"].startswith("AWS4-HMAC-SHA256 "):
        return None
    if presigned and query.get("X-Amz-Algorithm") != ["AWS4-HMAC-SHA256"]:
        return None
    parts = sigv4.parse_query_signature(query) if presigned else sigv4.parse_header_signature(headers)
    if isinstance(parts, tuple) or not parts.access_key_id or not _is_timely(parts, query if presigned else {}):
        return None
    return Signed(parts, presigned, headers, query)


def _is_timely(parts: Any, query: dict[str, list[str]]) -> bool:
    sigv4 = ministack("core.sigv4")

    if not query:
        return bool(parts.amz_date) and sigv4.request_time_failure(parts) is None
    try:
        return not sigv4.presigned_request_is_expired(parts.amz_date, query["X-Amz-Expires"][0])
    except (KeyError, ValueError):
        return False


def find_key(signed: Signed, owner: Owner, account: str) -> tuple[Caller, str] | None:
    """Find whom the key of a signature belongs to, and the secret that it has to be made with."""
    if hmac.compare_digest(signed.parts.access_key_id.encode(), owner.access_key.encode()):
        return None if signed.token else (Caller(account, None), owner.secret_key)
    found = _resolve(signed.parts.access_key_id, account, signed.token)
    if found is None:
        return None
    credentials = Credentials(found.access_key_id, found.secret_access_key, found.session_token)
    caller, secret = Caller(found.principal_id, credentials), found.secret_access_key
    return caller, mixed(owner.function_key, secret) if _is_functions(caller) else secret


def sender_of(access_key: str, account: str) -> Caller:
    """Return whom a key belongs to whose signature was checked before."""
    found = _resolve(access_key, account)
    return Caller(found.principal_id if found else account, None)


def is_right(signed: Signed, secret: str, scope: Scope, body: bytes) -> bool:
    """Tell whether a signature was made with a secret."""
    sigv4 = ministack("core.sigv4")

    return sigv4.header_signature_failure(*_arguments(signed, secret, scope, body), presigned=signed.presigned) is None


def as_ministack_expects(signed: Signed, caller: Caller, scope: Scope, body: bytes) -> Scope:
    """Sign a function's request anew, with the secret that MiniStack knows."""
    sigv4 = ministack("core.sigv4")

    if caller.credentials is None or not _is_functions(caller):
        return scope
    parts = signed.parts
    _, text = sigv4.header_signing_documents(
        parts, scope["method"], _raw_path(scope), signed.query, signed.headers, body, presigned=signed.presigned
    )
    new = sigv4.calculate_signature(caller.credentials.secret_key, parts.date_stamp, parts.region, parts.service, text)
    swap = parts.signature.encode(), new.encode()
    headers = [(name, value.replace(*swap) if name == b"authorization" else value) for name, value in scope["headers"]]
    return {**scope, "headers": headers, "query_string": scope["query_string"].replace(*swap)}


def mixed(key: str, secret: str) -> str:
    """Return the secret that a function signs with; `sitecustomize` does the same."""
    return hmac.new(key.encode(), secret.encode(), hashlib.sha256).hexdigest()


def _is_functions(caller: Caller) -> bool:
    """Tell a function's session, whose role MiniStack gives by name, from one that was assumed."""
    return ":" in caller.principal_id and not caller.principal_id.startswith(SESSION)


def _resolve(access_key: str, account: str, *token: str) -> Any:
    iam = ministack("core.iam_evaluator")

    found = None if iam.is_root_access_key(access_key) else iam.resolve_credential(access_key, account, *token)
    return found if isinstance(found, iam.ResolvedCredential) else None


def _arguments(signed: Signed, secret: str, scope: Scope, body: bytes) -> tuple[Any, ...]:
    return signed.parts, secret, scope["method"], _raw_path(scope), signed.query, signed.headers, body


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope["raw_path"]
    return raw.decode("latin-1")
