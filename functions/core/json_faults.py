"""The faults of a value that is not JSON, or that is nested too deep for a decoder on its way.

Lambda's Python runtime decodes events with simplejson, whose pure Python form survives 490 levels, and the envelopes
need some of them; json and the compiled simplejson survive more. So 400 levels are allowed.
"""

from __future__ import annotations

import json

_canonical = json.JSONEncoder(allow_nan=False, sort_keys=True).encode
_lenient = json.JSONEncoder(allow_nan=True, sort_keys=True).encode


def json_fault(value: object, encoded: str, levels: int) -> str | None:
    """Return what a value must or must not be; None if nothing is wrong with it."""
    too_deep = f"must be nested at most {levels} levels deep"
    try:
        encoded = encoded or _canonical(value)
    except RecursionError:
        return too_deep
    except (TypeError, ValueError):
        return _why_not_json(value)
    return too_deep if nested_too_deep(value, levels) else None


def _why_not_json(value: object) -> str:
    try:
        _lenient(value)
    except (TypeError, ValueError, RecursionError):
        return "must be a value that can be encoded as JSON"
    return "must not hold NaN or Infinity"


def nested_too_deep(value: object, levels: int) -> bool:
    """Walk the value level by level, without recursion."""
    level = [value]
    for _ in range(levels):
        level = [child for value in level for child in _children(value)]
        if not level:
            return False
    return True


def _children(value: object) -> list[object]:
    """Return the arrays and objects directly in an array or object."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [child for child in values if isinstance(child, (dict, list, tuple))]
