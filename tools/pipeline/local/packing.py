"""Packs lines into events: an event of several records is a JSON array."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from .lines import Line

MOST = 300_000
"""Bytes of a batch: at a stage that hands on, it is three times in what Lambda delivers, which holds 1 MB."""
ADDED = 50
"""Bytes of what the stages add to a record, on average over the three."""


def pack(lines: Iterable[Line], most: int) -> Iterator[tuple[Line, ...]]:
    """Yield the lines of each event, at most so many; what can't be in an array is an event by itself."""
    batch: list[Line] = []
    room = MOST
    for line in lines:
        size = _size(line) if most > 1 else None
        if batch and (size is None or size > room):
            yield tuple(batch)
            batch, room = [], MOST
        if size is None:
            yield (line,)
            continue
        batch.append(line)
        room -= size
        if len(batch) == most:
            yield tuple(batch)
            batch, room = [], MOST
    if batch:
        yield tuple(batch)


def _size(line: Line) -> int | None:
    r"""Return the bytes that a record takes in a batch, where characters may be \uXXXX; None if it can't be in one."""
    try:
        document = json.loads(line.content.decode(), parse_constant=_refuse)
        return None if line.problem or isinstance(document, list) else len(json.dumps(document)) + ADDED
    except (ValueError, RecursionError):
        return None  # Lambda refuses it


def _refuse(name: str) -> None:
    raise ValueError(f"JSON has no {name}")
