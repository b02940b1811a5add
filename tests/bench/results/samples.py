"""Tables for the tests of the bench: rows of one metric, compared with the row named peer."""

from __future__ import annotations

from typing import Any

from bench.results.figures import Row, Table


def row(name: str, *values: float) -> Row:
    """Make the row of a variant, with a value for each round."""
    return Row(name=name, samples=[{"time (ms)": value} for value in values])


def table(*rows: Row, **given: Any) -> Table:
    """Make a table of rows."""
    return Table(name="test", title="A test", peer="peer", rows=rows, **given)
