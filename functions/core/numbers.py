"""Numbers of JSON: which ones a double holds as they are written, and the one text that each value has.

Lambda's runtime gives the handlers Python's float for each number with a fraction or an exponent. Nearly every other
reader of JSON does the same. Only who has a number's text can refuse a number that would become another.
"""

from __future__ import annotations

import re
from math import inf

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?')
_SHOWN = 30  # characters of a number in a message


class InexactNumberError(ValueError):
    """A number would be changed by a double."""


def exact_int(text: str) -> int:
    """Read an integer, as `parse_int` of Python's json.

    Raises:
        InexactNumberError: No double holds it as it is written.
    """
    if len(text) > 15:
        _check(text)
    return int(text)


def exact_float(text: str) -> float:
    """Read a number with a fraction or an exponent, as `parse_float` of Python's json.

    Raises:
        InexactNumberError: The double that is nearest to it is written in another way, so that another value is stored.
    """
    value = float(text)
    if repr(value) != text:
        _check(text)
    return value


def canonical_numbers(encoded: str) -> str:
    """Rewrite the numbers in a JSON text of Python's so that one value always has one text.

    The text is that of RFC 8785 for a double (3.2.2.3: as ECMAScript writes it). An integer that no double holds keeps
    all its digits.
    """
    return _TOKEN.sub(lambda found: found[0] if found[0][0] == '"' else _canonical(found[0]), encoded)


def _check(text: str) -> None:
    if not _is_shortest(text):
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        raise InexactNumberError(f"it has a number that a double does not hold exactly ({shown}): send it as a string")


def _is_shortest(text: str) -> bool:
    """Say whether a number has the same value as the text of the double that is nearest to it."""
    value = float(text)
    if not value:
        return not re.match("[-0.]*[1-9]", text)  # of its digits, not of its exponent
    return -inf < value < inf and _parts(text) == _parts(repr(value))


def _canonical(text: str) -> str:
    """Write a number as RFC 8785 does, given as Python writes it."""
    if text.lstrip("-").isdecimal() and not (len(text) > 21 and _is_shortest(text)):
        return text
    sign, digits, point = _parts(text)
    if len(digits) <= point <= 21:
        return f"{sign}{digits:0<{point}}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{point - 1:+d}"


def _parts(text: str) -> tuple[str, str, int]:
    """Return a number's sign, its digits without zeros around them, and the place of the point after the first."""
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = f"{whole}{fraction}".lstrip("0")
    point = len(digits) - len(fraction) + int(exponent or 0)
    digits = digits.rstrip("0")
    return ("-" if mantissa[0] == "-" else "", digits, point) if digits else ("", "0", 1)
