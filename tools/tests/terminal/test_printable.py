import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.terminal.printable import counted, printable


@pytest.mark.parametrize(
    "text",
    ["", "order-1", "Größe 3 µm", "заказ", "παραγγελία", "注文-7", "हिन्दी", "naïve café", "a … b €", "[red]x[/red]"],
)
def test_what_looks_like_what_it_is_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *(("a\u200bb", r"a\u200bb"), ("\u202ecod.exe", r"\u202ecod.exe"), ("\u3164", r"\u3164")),
        *(("p\u0430ypal", r"p\u0430ypal"), ("\uff21dmin", r"\uff21dmin"), ("\x1b[31m\x07", r"\x1b[31m\x07")),
        ("a\u00a0b\u2028c\ufeffd\u00ade", r"a\xa0b\u2028c\ufeffd\xade"),
        ("\u2800\u034f\ufe0f\U000e0061", r"\u2800\u034f\ufe0f\U000e0061"),
        *(("\U0001d41a", r"\U0001d41a"), ("\u03bfrder-1 заказ", r"\u03bfrder-1 заказ"), ("\ud800", r"\ud800")),
        ("a\nb\tc", "a b c"),
    ],
)
def test_what_is_invisible_or_looks_like_another_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_whatever_is_shown_prints_on_one_line(text: str) -> None:
    assert printable(text).isprintable()


@pytest.mark.parametrize(("count", "text"), [(0, "0 letters"), (1, "1 letter"), (2, "2 letters")])
def test_one_is_not_many(count: int, text: str) -> None:
    assert counted(count, "letter", "letters") == text
