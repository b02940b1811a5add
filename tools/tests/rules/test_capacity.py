"""Sizes that somebody decided, wherever: at the function, in Globals, by a parameter."""

import pytest

from .linting import found, found_unexpanded, messages
from .templates import ASIDE, template

OTHERS = ASIDE - {"W9322"}
FUNCTION = """
{globals}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {{Runtime: python3.13, Handler: index.handler, InlineCode: pass{properties}}}
"""


@pytest.mark.parametrize(
    ("globals_", "properties"),
    [
        ("", ", MemorySize: 512, Timeout: 10"),
        ("Globals: {Function: {MemorySize: 512, Timeout: 10}}", ""),
        ("Globals: {Function: {MemorySize: 512}}", ", Timeout: 10"),
    ],
)
def test_a_size_may_stand_at_the_function_or_in_globals(globals_: str, properties: str) -> None:
    given = template(FUNCTION.format(globals=globals_, properties=properties))
    assert found_unexpanded(given) - OTHERS == set()


def test_each_size_that_nobody_decided_is_reported_with_what_lambda_takes() -> None:
    given = template(FUNCTION.format(globals="", properties=""))
    assert messages(given, "W9322") == [
        "Function should set MemorySize (got none, which is 128 MB)",
        "Function should set Timeout (got none, which is 3 s)",
    ]


def test_a_size_that_is_kept_in_systems_manager_is_not_judged() -> None:
    parameter = "Parameters: {Memory: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /orders/memory}}"
    given = template(FUNCTION.format(globals=parameter, properties=", MemorySize: !Ref Memory, Timeout: 10"))
    assert found(given) - OTHERS == set()
