"""The input: a file of JSON documents, one a line, each of them submitted as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from local.errors import LocalError


class Line(NamedTuple):
    """A line of the input that is not blank."""

    number: int
    """Counted from 1."""
    content: bytes


def read_lines(path: Path) -> list[Line]:
    """Read the lines of a file.

    Raises:
        LocalError: There is no such file, or nothing in it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LocalError(f"{path} can't be read: {error.strerror or error}") from error
    lines = [Line(number, line.strip()) for number, line in enumerate(content.split(b"\n"), 1)]
    lines = [line for line in lines if line.content]
    if not lines:
        raise LocalError(f"{path} must have a JSON document on each line (got no line at all)")
    return lines
