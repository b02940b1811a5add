"""The command `items`, against the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.deployed import DeployedStack

from ..conftest import Ran
from ..stack.samples import record


def test_items_are_shown_under_the_names_of_their_fields(
    stack: DeployedStack, embedded: DeployedStack, operate: Callable[..., Ran], records: Callable[..., Path]
) -> None:
    given: list[dict[str, Any]] = [record(1, data="ü"), record(2)]
    assert operate("submit", records(*given)).code == 0
    stack.drain()
    header, *rows = operate("items").out.splitlines()
    assert header.split("\t")[:3] == ["id", "timestamp", "data"]
    assert {"enrichedAt", "version"} <= set(header.split("\t"))
    assert sorted(row.split("\t")[0] for row in rows) == [one["id"] for one in given]
    (line,) = operate("items", "--json", "--id", given[0]["id"]).out.splitlines()
    assert given[0].items() <= json.loads(line).items()
    limited = operate("items", "--limit", "1")
    assert (limited.code, len(limited.out.splitlines())) == (0, 2)
    assert "--limit shows more" in limited.err
