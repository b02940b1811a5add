"""Every form that an expression can take, by parameters, conditions and mappings, and no other."""

from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from pipeline.rules.values import Given, Reference, Values, mentioned, reference, shown, text

VALUES = Values(
    yaml_parse("""
Parameters:
  Stage: {Type: String, Default: dev}
  Size: {Type: Number, Default: 1, AllowedValues: [1, 2]}
  Names: {Type: CommaDelimitedList, Default: 'a, b', AllowedValues: ['a, b']}
  Name: {Type: String}
  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /name}
Mappings:
  ByStage: {dev: {Size: 1}, prod: {Size: [2, 3]}}
  ByRegion: {eu-west-1: {Zone: Z1}, us-east-1: {Zone: Z2}}
Conditions:
  Live: !Equals [!Ref Stage, prod]
  NotLive: !Not [{Condition: Live}]
  LiveInEurope: !And [{Condition: Live}, !Equals [eu-west-1, !Ref 'AWS::Region']]
  Any: !Or [{Condition: Live}, {Condition: NotLive}]
  Written: !Equals [a, b]
""")
)
OTHER = {"Ref": "Stage"}


def read(expression: str, *keys: str, when: tuple[str, ...] = (), by_name: bool = False) -> Any:
    return VALUES.possible(yaml_parse(expression), *keys, when=when, by_name=by_name)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("5", [5]),
        ("!Ref AWS::NoValue", [None]),
        ("!Ref Stage", ["dev", "prod", OTHER]),  # its default, what a condition compares it with, and any other value
        ("!Ref Size", ["1", "2"]),
        ("!Ref Names", [["a", "b"]]),
        ("!Ref Name", [{"Ref": "Name"}]),
        ("!Ref Stored", [{"Ref": "Stored"}]),
        ("!GetAtt Queue.Arn", [{"Fn::GetAtt": ["Queue", "Arn"]}]),
        ("!If [Live, 1, 2]", [2, 1]),
        ("!If [Written, 1, 2]", [1, 2]),
        ("!If [Live, !Ref AWS::NoValue, {a: !If [NotLive, 1, 2]}]", [{"a": 1}, None]),
        ("[!If [Live, a, !Ref AWS::NoValue], b]", [["b"], ["a", "b"]]),
        ("{one: !If [Live, 1, 2], other: !If [NotLive, 2, 1]}", [{"one": 2, "other": 2}, {"one": 1, "other": 1}]),
        ("!If [Any, 1, 2]", [1]),
        ("!If [LiveInEurope, 1, 2]", [2, 1]),
        ("!Sub 'x-${Size}-${Queue.Arn}'", [{"Fn::Sub": "x-1-${Queue.Arn}"}, {"Fn::Sub": "x-2-${Queue.Arn}"}]),
        ("!Sub ['${A}:${B}', {A: !Ref Size, B: '*'}]", ["1:*", "2:*"]),
        ("!Sub '${Queue.Arn}'", [{"Fn::GetAtt": ["Queue", "Arn"]}]),
        ("!Sub '${!Literal}'", ["${Literal}"]),
        ("!Join [':', [a, !Ref Size]]", ["a:1", "a:2"]),
        ("!Join [',', !Ref Names]", ["a,b"]),
        ("!Split [',', 'a,*']", [["a", "*"]]),
        ("!Select [1, !Split [':', !Sub 'a:${AWS::Region}:b']]", [{"Ref": "AWS::Region"}]),
        ("!Split [':', !GetAtt Queue.Arn]", [{"Fn::Split": [":", {"Fn::GetAtt": ["Queue", "Arn"]}]}]),
        ("!FindInMap [ByStage, !Ref Stage, Size]", ["1", ["2", "3"]]),
        ("!FindInMap [ByRegion, !Ref 'AWS::Region', Zone]", ["Z1", "Z2"]),
        ("!FindInMap [ByStage, prod, Other, {DefaultValue: 4}]", [4]),
        ("!ImportValue name", [{"Fn::ImportValue": "name"}]),
    ],
)  # fmt: skip
def test_an_expression_takes_these_forms(expression: str, expected: list[Any]) -> None:
    assert read(expression) == expected


def test_a_path_is_followed_into_every_side() -> None:
    value = "{Config: !If [Live, {Size: !Ref Size}, {}]}"
    assert read(value, "Config", "Size") == [None, "1", "2"]
    assert read("{Config: text}", "Config", "Size") == [None]


def test_a_form_that_the_condition_of_a_resource_rules_out_is_none() -> None:
    assert read("!If [Live, 1, 2]", when=("Live",)) == [1]
    assert not VALUES.together("Live", "NotLive")
    assert VALUES.together("Live", "Any")


def test_parameters_may_be_left_as_they_are_named() -> None:
    assert read("!If [Live, !Ref Name, !Sub '${Stage}-x']", by_name=True) == [
        {"Fn::Sub": "${Stage}-x"},
        {"Ref": "Name"},
    ]


def test_more_forms_than_anybody_wants_are_cut_short() -> None:
    many = {f"P{n}": {"Type": "String", "AllowedValues": list("abcd")} for n in range(9)}
    forms = Values({"Parameters": many}).possible([{"Ref": name} for name in many])
    assert 150 < len(forms) < 400


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Queue"}, Reference("Queue")),
        ({"Fn::GetAtt": "Queue.Arn"}, Reference("Queue", "Arn")),
        ({"Fn::Sub": "${Queue.Arn}"}, Reference("Queue", "Arn")),
        ({"Fn::Sub": "${Queue}-one"}, None),
        (Given("orders", "Name"), Reference("Name")),
        ("Queue", None),
    ],
)
def test_a_reference_is_read_in_every_form(value: Any, expected: Reference | None) -> None:
    assert reference(value) == expected


def test_what_is_mentioned_is_found_however_deep() -> None:
    value = yaml_parse("""
One: [!Sub '${A.Arn}/${B}']
Two: !Join ['', [!Ref C, !If [Live, !GetAtt D.Arn, text]]]
Three: !Sub ['${Local}${E}', {Local: !Ref F}]
""")
    assert mentioned(value) == {*"ABCDEF"}


@pytest.mark.parametrize(
    ("value", "written", "message"),
    [
        (None, "${}", "none"),
        (False, "false", "false"),
        (5, "5", "5"),
        ({"Ref": "A"}, "${A}", "!Ref A"),
        ({"Fn::GetAtt": ["A", "Arn"]}, "${A.Arn}", "!GetAtt A.Arn"),
        ({"Fn::Sub": "x-${A}"}, "x-${A}", "!Sub x-${A}"),
        ({"Fn::Join": [":", ["x", {"Ref": "A"}]]}, "${}", "!Join [:, [x, !Ref A]]"),
        ([{"AWS": "*"}], "${}", "[{AWS: *}]"),
    ],
)
def test_a_value_is_written_as_text_and_for_a_message(value: Any, written: str, message: str) -> None:
    assert text(value) == written
    assert shown(value) == message
