"""The data of a record: its canonical JSON, which is the same for the same value, and the check by its schema."""

from __future__ import annotations

import json
from functools import cache

TYPE_CHECKING = False  # the name that type checkers know, without the import
if TYPE_CHECKING:
    from collections.abc import Callable

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
    return canonical_text(encoded)


def canonical_text(encoded: str) -> str:
    """Write equal numbers as equal text: 1.0 and 1e0 become 1."""
    # Only numbers with one of these may have to be rewritten, and few values have any.
    if ".0" in encoded or "e-" in encoded or "e+" in encoded or "00000" in encoded:
        from .numbers import canonical_numbers  # noqa: PLC0415 - as above

        return canonical_numbers(encoded)
    return encoded


def schema_fault(data: object) -> str | None:
    """Return which rule of functions/data.schema.json the data breaks, and where; None if it breaks none."""
    check = _check()
    if check is None:
        return None
    try:
        check(data)
    except RecursionError:
        return "data is nested too deep for its schema"
    except ValueError as fault:
        return str(fault)
    return None


@cache
def _check() -> Callable[[object], object] | None:
    try:
        from .data_schema import validate  # type: ignore[import-not-found, unused-ignore] # noqa: PLC0415
    except ModuleNotFoundError:  # generate.py writes it if there is a schema
        return None
    return validate  # type: ignore[no-any-return, unused-ignore]
