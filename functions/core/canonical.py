"""Canonical JSON: the same value always has the same text."""

from __future__ import annotations

import json

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def canonical(value: object, *, levels: int) -> str:
    """Return the text of a value.

    Args:
        value: what is to be JSON.
        levels: how deep its arrays and objects may be nested.

    Raises:
        ValueError: it is no JSON, or nested deeper. The message says what the value must be, or must not hold.
    """
    try:
        encoded = _encode(value)
    except (TypeError, ValueError, RecursionError):
        encoded = ""
    if not encoded or encoded.count("[") + encoded.count("{") > levels:
        from .json_faults import json_fault  # noqa: PLC0415 - few records need it, and every cold start would pay for it

        if fault := json_fault(value, encoded, levels):
            raise ValueError(fault)
    return encoded
