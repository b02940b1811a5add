"""JSON as the pipeline takes it: what a double holds, what is nested too deep, and which values are the same."""

import json
import re
from decimal import Decimal
from math import isfinite
from typing import Any

MOST_DEPTH = 401
"""Levels of arrays and objects in a record, 400 of them in its data: Lambda can't decode a batch that holds more."""
_SHORT = 15  # digits that a double always holds
_SHOWN = 30  # characters of a number in a message
_SPELLED = re.compile(r"[0-9](\.0(?![0-9])|e[+-]?[0-9])")  # in a text of JSON, what may be a float that is an integer


class NumberError(ValueError):
    """A number is not what a double holds; the message says what to do."""


def parse(text: str) -> Any:
    """Read JSON; NumberError for a number that no double holds, since Lambda's runtime gives the handlers doubles."""
    return _decode(text)


def is_too_deep(document: Any, levels: int = MOST_DEPTH) -> bool:
    """Return whether a value has more levels of arrays and objects; it is walked level by level."""
    level = [document]
    for _ in range(levels):
        level = [child for value in level for child in _children(value)]
        if not level:
            return False
    return True


def canonical(value: Any) -> str:
    """Write a value so that equal ones are equal texts: 1, 1.0 and 1e0 are one number, as in RFC 8785."""
    text = _encode(value)
    return _encode(_normal(value)) if _SPELLED.search(text) else text


def is_same(text: str, value: Any) -> bool:
    """Return whether a stored text of JSON is of this value."""
    if text == _encode(value):
        return True
    try:
        return canonical(json.loads(text)) == canonical(value)
    except (ValueError, RecursionError):
        return False


def _integer(text: str) -> int:
    if len(text) > _SHORT:
        _require_exact(text)
    return int(text)


def _decimal(text: str) -> float:
    if len(text) > _SHORT or "e" in text or "E" in text:
        _require_exact(text)
    return float(text)


def _require_exact(text: str) -> None:
    value = float(text)
    try:
        is_exact = isfinite(value) and _digits(repr(value)) == _digits(text)
    except ValueError:  # an exponent of thousands of digits
        is_exact = False
    if not is_exact:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        raise NumberError(f"it has a number that a double does not hold exactly ({shown}): send it as a string")


def _digits(text: str) -> tuple[str, int]:
    """Return a number's significant digits, and the power of ten of the last one; its sign is never lost."""
    mantissa, _, exponent = text.lstrip("-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "", 0
    return significant, int(exponent or 0) - len(fraction) + len(digits) - len(significant)


def _refuse(name: str) -> None:
    raise ValueError(f"it is not JSON (JSON has no {name})")


def _children(value: Any) -> list[Any]:
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in values if isinstance(child, (dict, list))]


def _normal(value: Any) -> Any:
    """Return a value whose floats are integers if they can be: those that their shortest texts denote."""
    if isinstance(value, float):
        return int(Decimal(repr(value))) if value.is_integer() else value
    if isinstance(value, dict):
        return {name: _normal(one) for name, one in value.items()}
    return [_normal(one) for one in value] if isinstance(value, list) else value


_decode = json.JSONDecoder(parse_int=_integer, parse_float=_decimal, parse_constant=_refuse).decode
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
