from typing import Any

import pytest

from pipeline.rules.reading import (
    Reference,
    Template,
    alternatives,
    described,
    find,
    functions,
    is_made_by_sam,
    items,
    literals,
    mentioned,
    place,
    reference,
    shown,
    text,
)

NO_VALUE = {"Ref": "AWS::NoValue"}


def either(one: Any, other: Any) -> dict[str, Any]:
    return {"Fn::If": ["Condition", one, other]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, [1]),
        (None, []),
        (NO_VALUE, []),
        (either(1, 2), [1, 2]),
        (either(either(1, 2), NO_VALUE), [1, 2]),
        ({"Fn::If": [], "another": 1}, [{"Fn::If": [], "another": 1}]),
    ],
)
def test_a_condition_can_give_what_either_side_gives(value: Any, expected: list[Any]) -> None:
    assert alternatives(value) == expected


def test_a_path_is_followed_into_every_side() -> None:
    value = {"Config": either({"Size": either(1, 2)}, {"Size": 3})}
    assert find(value, "Config", "Size") == [1, 2, 3]
    assert find(value, "Config", "Weight") == []
    assert find({"Config": "text"}, "Config", "Size") == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, either(2, NO_VALUE)], [1, 2]),
        (1, [1]),
        (either([1, 2], [3]), [1, 2, 3]),
        (None, []),
    ],
)
def test_a_single_value_counts_as_a_list_of_one(value: Any, expected: list[Any]) -> None:
    assert items(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Queue"}, Reference("Queue")),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, Reference("Queue", "Arn")),
        ({"Fn::GetAtt": "Queue.Arn"}, Reference("Queue", "Arn")),
        ({"Fn::Sub": "${Queue.Arn}"}, Reference("Queue", "Arn")),
        ({"Fn::Sub": "${Queue}"}, Reference("Queue")),
        ({"Fn::Sub": "${Queue}-one"}, None),
        ("Queue", None),
        ({"Fn::ImportValue": "queue"}, None),
    ],
)
def test_a_reference_is_read_in_every_form(value: Any, expected: Reference | None) -> None:
    assert reference(value) == expected


def test_what_is_mentioned_is_found_however_deep() -> None:
    value = {
        "One": [{"Fn::Sub": "${A.Arn}/${B}"}],
        "Two": {"Fn::Join": ["", [{"Ref": "C"}, either({"Fn::GetAtt": ["D", "Arn"]}, "text")]]},
        "Three": {"Fn::Sub": ["${Local}${E}", {"Local": {"Ref": "F"}}]},
    }
    assert mentioned(value) == {"A", "B", "C", "D", "E", "F"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        (3, "3"),
        ({"Ref": "A"}, "${A}"),
        ({"Fn::GetAtt": ["A", "Arn"]}, "${A.Arn}"),
        ({"Fn::Sub": "x-${A}"}, "x-${A}"),
        ({"Fn::Join": [":", ["x", {"Ref": "A"}]]}, "x:${A}"),
        ({"Fn::ImportValue": "x"}, "${}"),
        (None, "${}"),
    ],
)
def test_an_expression_is_written_as_text(value: Any, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "none"),
        (False, "false"),
        ("false", "false"),
        (5, "5"),
        ({"Ref": "A"}, "!Ref A"),
        ({"Fn::GetAtt": ["A", "Arn"]}, "!GetAtt A.Arn"),
        ({"Fn::GetAtt": "A.Arn"}, "!GetAtt A.Arn"),
        ({"Fn::Sub": "x-${A}"}, "!Sub x-${A}"),
        ({"Fn::Join": [":", ["x", {"Ref": "A"}]]}, "!Join [:, [x, !Ref A]]"),
        (either({"AWS": "*"}, NO_VALUE), "!If [Condition, {AWS: *}, !Ref AWS::NoValue]"),
    ],
)
def test_a_message_shows_a_value_as_it_stands_in_the_template(value: Any, expected: str) -> None:
    assert shown(value) == expected


def test_a_message_names_a_place_without_what_every_place_has() -> None:
    assert place(["Resources", "Queue", "Properties", "Tags", 0]) == "Queue.Tags.0"
    assert place(["Outputs", "Url", "Value"]) == "Outputs.Url.Value"


def test_only_texts_that_nothing_evaluates_are_literal() -> None:
    value = {"A": "one", "B": {"Fn::Sub": "two"}, "C": either("three", NO_VALUE), "D": [{"Ref": "four"}, "five"]}
    assert list(literals(value, ["P"])) == [
        (["P", "A"], "one"),
        (["P", "C", "Fn::If", 1], "three"),
        (["P", "D", 1], "five"),
    ]


SAM = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Worker": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "CodeUri": "functions/",
                "AutoPublishAlias": "live",
                "EventInvokeConfig": {"MaximumRetryAttempts": 1},
            },
        }
    },
}


def test_sam_is_expanded_and_its_source_left_as_it_is() -> None:
    (worker,) = functions(Template(SAM))
    assert worker.id == "Worker"
    assert [alias.id for alias in worker.aliases] == ["WorkerAliaslive"]
    assert [config.properties["MaximumRetryAttempts"] for config in worker.event_invoke_configs] == [1]
    assert SAM["Resources"]["Worker"]["Properties"]["CodeUri"] == "functions/"  # type: ignore[index]


def test_what_sam_makes_is_known_and_its_aliases_are_named_by_their_function() -> None:
    template = Template(SAM)
    assert described("Worker", template) == "Worker"
    assert described("WorkerAliaslive", template) == "the alias live of Worker"
    assert is_made_by_sam(template.resources["WorkerRole"])
    assert not is_made_by_sam(template.resources["WorkerAliaslive"])


def test_what_sam_generates_is_placed_at_what_it_is_generated_from() -> None:
    template = Template(SAM)
    assert template.within(["Resources", "WorkerAliaslive", "Properties", "Name"]) == [
        *("Resources", "Worker", "Properties")
    ]
    assert template.within(["Resources", "Worker", "Properties", "Handler"])[-1] == "Handler"
    assert template.within(["Resources", "Elsewhere"]) == ["Resources"]
