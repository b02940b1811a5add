"""The texts name files that are there."""

import re

import pytest

from tests.copies import ROOT


@pytest.mark.parametrize("text", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_a_file_that_is_named_is_there(text: str) -> None:
    content = (ROOT / text).read_text()
    named = set(re.findall(r"`((?:docs|functions|model|events|tests|local|guardrails|\.github)/[\w./-]*)`", content))
    named |= set(re.findall(r"\]\((?!https?:|#)([^)#]+)", content))
    shown = set(re.findall(r"<!-- example: (\S+) -->", content))  # what a recipe has its reader write
    assert [
        name
        for name in sorted(named - shown)
        if not (ROOT / name).exists() and not ((ROOT / text).parent / name).exists()
    ] == []
