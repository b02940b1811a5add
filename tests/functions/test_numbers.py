"""Numbers: any one is stored as it was written, or the line is refused where its text is known."""

import json
import math
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.data import canonical
from core.numbers import InexactNumberError, canonical_numbers, exact_float, exact_int


def read(text: str) -> Any:
    return json.loads(text, parse_float=exact_float, parse_int=exact_int)


def stored(text: str) -> str:
    """Return what is stored of a number that Lambda's runtime read."""
    return canonical(json.loads(text), levels=400)


HELD = """
    0 -0 0.0 0e999 1 1.0 1.50 100 1e2 1E+2 1e0000000002 0.1 0.30000000000000004 5e-324 1e23 1e308
    9007199254740992 9007199254740994 100000000000000000000
"""
CHANGED = """
    12345678901234567890.123456789 1e-400 1e400 -1e400 9007199254740993 12345678901234567891 1152921504606846976
    0.1000000000000000055511151231257827 1000000000000000.12 1e99999999999999999999
"""


@pytest.mark.parametrize("text", HELD.split())
def test_a_number_that_a_double_holds_as_it_is_written_is_taken(text: str) -> None:
    assert Decimal(stored(text)) == Decimal(text)
    assert read(f"[{text}]") == [json.loads(text)]


@pytest.mark.parametrize("text", [*CHANGED.split(), "9" * 400, "9" * 5000, f"0.{'0' * 400}1", f"1e-{'9' * 5000}"])
def test_a_number_that_would_become_another_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(InexactNumberError) as raised:
        read(f'{{"a": [{text}]}}')
    shown = text if len(text) <= 30 else f"{text[:30]}..."
    assert str(raised.value) == (f"it has a number that a double does not hold exactly ({shown}): send it as a string")


DIGITS = st.text("0123456789", max_size=25)
EXPONENTS = st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), st.integers(0, 400))
NUMBERS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    st.just("0") | st.builds("{}{}".format, st.integers(1, 9), DIGITS),
    st.just("") | st.builds(".{}{}".format, DIGITS, st.integers(0, 9)),
    st.just("") | EXPONENTS,
)


@given(NUMBERS | st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.integers().map(str))
def test_any_number_is_stored_as_it_was_written_or_refused(text: str) -> None:
    try:
        read(text)
    except InexactNumberError:
        value = float(text)
        assert math.isinf(value) or Decimal(repr(value)) != Decimal(text)
    else:
        assert Decimal(stored(text)) == Decimal(text)


@given(NUMBERS, NUMBERS)
@example("1.0", "1")
@example("1e2", "100")
@example("1e21", "1" + "0" * 21)
@example("-0.0", "0")
def test_two_numbers_have_one_text_if_they_have_one_value(one: str, other: str) -> None:
    for text in (one, other):
        try:
            read(text)
        except InexactNumberError:
            return
    assert (stored(one) == stored(other)) == (Decimal(one) == Decimal(other))


# RFC 8785, appendix B: a double's bits and its text.
SAMPLES = """
    0000000000000000=0 8000000000000000=0 0000000000000001=5e-324
    8000000000000001=-5e-324 7fefffffffffffff=1.7976931348623157e+308 ffefffffffffffff=-1.7976931348623157e+308
    4340000000000000=9007199254740992 c340000000000000=-9007199254740992 4430000000000000=295147905179352830000
    44b52d02c7e14af5=9.999999999999997e+22 44b52d02c7e14af6=1e+23 44b52d02c7e14af7=1.0000000000000001e+23
    444b1ae4d6e2ef4e=999999999999999700000 444b1ae4d6e2ef4f=999999999999999900000 444b1ae4d6e2ef50=1e+21
    3eb0c6f7a0b5ed8c=9.999999999999997e-7 3eb0c6f7a0b5ed8d=0.000001 41b3de4355555553=333333333.3333332
    41b3de4355555554=333333333.33333325 41b3de4355555555=333333333.3333333 41b3de4355555556=333333333.3333334
    41b3de4355555557=333333333.33333343 becbf647612f3696=-0.0000033333333333333333 43143ff3c1cb0959=1424953923781206.2
"""


@pytest.mark.parametrize(("bits", "text"), [sample.split("=") for sample in SAMPLES.split()])
def test_a_double_is_written_as_rfc_8785_has_it(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value, levels=400) == text


def test_text_is_left_as_it_is() -> None:
    value = {"1.0": '1.0 e+5 \\" 2.0', "a": [1.0, "e-3", 100000]}
    assert canonical(value, levels=400) == '{"1.0":"1.0 e+5 \\\\\\" 2.0","a":[1,"e-3",100000]}'


@given(st.recursive(st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(), st.lists))
def test_what_needs_no_rewriting_is_known_without_looking(value: object) -> None:
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert canonical(value, levels=400) == canonical_numbers(encoded)
