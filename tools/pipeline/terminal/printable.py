"""Text for people: of records, so that it looks like what it is and can't steer a terminal; and of counts."""

import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_FOREIGN = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_MIXED = re.compile(r"\b(?=\w*[A-Za-z])\w*[\u0370-\u052f]\w*")


def printable(text: str) -> str:
    """Return a text as one line that can't pretend to be another, whatever a record holds.

    Escaped are characters that don't print or are invisible, those that stand for one of ASCII's, and Greek and
    Cyrillic letters beside ASCII's in a word.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(char) for char in _MIXED.sub(lambda word: _FOREIGN.sub(_escaped, word[0]), text))


def counted(count: int, one: str, many: str) -> str:
    """Return a count with what is counted, in the right number."""
    return f"{count} {one if count == 1 else many}"


def _visible(char: str) -> str:
    if char.isascii():
        return char if char.isprintable() else " " if char in "\n\r\t" else _escaped(char)
    if not char.isprintable() or _INVISIBLE.match(char):
        return _escaped(char)
    return _escaped(char) if char.isalnum() and unicodedata.normalize("NFKC", char).isascii() else char


def _escaped(char: str | re.Match[str]) -> str:
    return ascii(char if isinstance(char, str) else char[0])[1:-1]
