"""The parts of a JSON text as they are written: nothing is lost as it would be by reading a text and writing it anew.

The texts have been parsed before, so they are valid.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


class Part(NamedTuple):
    """Where a value stands that is directly in an object or an array."""

    name: str  # of the member; empty in an array
    start: int
    end: int


def parts(text: str) -> Iterator[Part]:
    """Yield the values directly in an object or an array."""
    at = _behind_space(text, 0)
    is_object = text[at] == "{"
    at = _behind_space(text, at + 1)
    while text[at] not in "}]":
        name = ""
        if is_object:
            name, at = _decode(text, at)
            at = _behind_space(text, _behind_space(text, at) + 1)  # behind the colon
        _, end = _decode(text, at)
        yield Part(name, at, end)
        at = _behind_space(text, end)
        if text[at] == ",":
            at = _behind_space(text, at + 1)


def member(text: str, name: str) -> Part:
    """Return the member of an object that counts: the last of its name."""
    return [part for part in parts(text) if part.name == name][-1]


def replaced(text: str, old: Sequence[Part], new: Sequence[str]) -> str:
    """Write other values in the place of parts, which are in order."""
    pieces, at = [], 0
    for part, value in zip(old, new, strict=True):
        pieces += [text[at : part.start], value]
        at = part.end
    return "".join([*pieces, text[at:]])


def _behind_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
