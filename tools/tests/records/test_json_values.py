"""The tools judge numbers as the functions do: what one refuses the other refuses, and what is one value is one."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import example, given

from core.data import canonical
from core.numbers import exact_float, exact_int
from pipeline.records.json_values import is_same, parse
from tests.functions.test_numbers import NUMBERS


def verdict(read: Callable[[str], Any], text: str) -> str:
    try:
        return repr(read(text))
    except ValueError as error:
        return str(error)


@given(NUMBERS)
@example("1" + "0" * 23)
@example("6.477510698844527e16")
@example("1e400")
@example("9" * 5000)
def test_a_number_is_refused_by_both_or_by_none_and_is_the_one_that_is_stored(text: str) -> None:
    expected = verdict(lambda text: json.loads(text, parse_float=exact_float, parse_int=exact_int), text)
    assert verdict(parse, text) == expected
    if "send it as a string" not in expected:
        assert is_same(canonical(json.loads(text), levels=400), parse(text))
