"""What became of each line."""

from __future__ import annotations

from local.reconcile import canonical


def test_equal_documents_are_equal_texts_and_others_are_not() -> None:
    assert canonical({"a": 1, "b": [1.5, None]}) == canonical({"b": [1.5, None], "a": 1})
    assert len({canonical(value) for value in (1, True, "1", 1.5, None, [1], {"1": 1})}) == 7
