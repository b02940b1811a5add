"""Who signs requests, by their access keys.

The only place that asks MiniStack's own code, because no public API tells a key's secret.
"""

from __future__ import annotations

from typing import NamedTuple

from botocore.credentials import Credentials


class Caller(NamedTuple):
    """The user, or the session of a role, that an access key belongs to."""

    credentials: Credentials
    principal_id: str
    """As `aws:userid` has it: the user's id, or `<role>:<session>`; the role is given by its id or by its name."""


def find_caller(access_key: str, account: str) -> Caller | None:
    """Find whom an access key belongs to; None for one that is unknown or has ended, and for the account's own."""
    # Imported only now, because it reads the environment when it is imported.
    from ministack.core.iam_evaluator import (  # noqa: PLC0415
        ResolvedCredential,
        is_root_access_key,
        resolve_credential,
    )

    found = None if is_root_access_key(access_key) else resolve_credential(access_key, account)
    if not isinstance(found, ResolvedCredential):
        return None
    credentials = Credentials(found.access_key_id, found.secret_access_key, found.session_token)
    return Caller(credentials, found.principal_id)
