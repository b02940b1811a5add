import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployed.printable import printable


@pytest.mark.parametrize("text", ["", "order-1", "größe", "заказ", "注文-7", "naïve café", "[red]x[/red]"])
def test_what_looks_like_what_it_is_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200bb", r"a\u200bb"),
        ("\u202ecod.exe", r"\u202ecod.exe"),
        ("\u3164", r"\u3164"),
        ("p\u0430ypal", r"p\u0430ypal"),
        ("\uff21dmin", r"\uff21dmin"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\tc", "a b c"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_is_invisible_or_looks_like_another_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_whatever_is_shown_prints_on_one_line(text: str) -> None:
    assert printable(text).isprintable()
