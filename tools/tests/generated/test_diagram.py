import re
from typing import Any

from troposphere import GetAtt, Ref, Template
from troposphere.awslambda import EventSourceMapping
from troposphere.events import Rule, Target
from troposphere.serverless import Function
from troposphere.sns import Topic

from pipeline.generated.diagram import draw
from tests.model.built_stages import STAGES, following
from tests.model.pipelines import stack_of, stage
from tests.own.pipeline import build

FUNCTIONS = {f"{stage}Function" for stage in STAGES}


def edges(text: str) -> set[tuple[str, str, str]]:
    return set(re.findall(r"(?m)^    (\w+) -\.?->\|([^|]+)\| (\w+)$", text))


def test_the_pipeline_is_drawn_from_the_producer_to_the_table() -> None:
    pairs = [(stage, following(stage)) for stage in STAGES if following(stage)]
    handed_on = {(f"{stage}Function", "on success", f"{after}Function") for stage, after in pairs}
    ends = {("producer", "async", "ValidatorFunction"), ("ProcessorFunction", "PutItem, PartiQLInsert", "DataTable")}
    assert len(handed_on) >= 2
    assert edges(draw(build())) >= handed_on | ends


def test_every_function_has_its_dead_letters_and_only_the_processor_writes() -> None:
    drawn = edges(draw(build()))
    assert {source for source, _, target in drawn if target == "DeadLetterQueue"} == FUNCTIONS
    assert {source for source, _, target in drawn if target == "DataTable"} == {"ProcessorFunction"}


def test_what_only_some_stacks_have_is_left_out() -> None:
    text, resources = draw(build()), build().to_dict()["Resources"]
    assert not [name for name, resource in resources.items() if "Condition" in resource and name in text]


def test_a_changed_destination_changes_the_picture() -> None:
    model = build()
    destination: Any = model.resources["ValidatorFunction"].EventInvokeConfig.DestinationConfig.OnSuccess
    destination.Destination = model.resources["ProcessorFunction"].alias
    assert ("ValidatorFunction", "on success", "ProcessorFunction") in edges(draw(model))


def test_every_edge_joins_nodes_that_are_drawn() -> None:
    text = draw(build())
    nodes = set(re.findall(r"(?m)^    (\w+)[(\[]", text))
    assert {end for source, _, target in edges(text) for end in (source, target)} == nodes


def test_a_function_is_labelled_with_its_alias_and_its_memory() -> None:
    assert 'EnricherFunction["enricher:live<br>768 MB"]' in draw(build())


def test_a_retired_stage_is_drawn_with_what_it_hands_on_and_nothing_before_it() -> None:
    drawn = edges(draw(stack_of(stage("first"), stage("old", retired=True), stage("last"))))
    handed_on = {f"{source} {target}" for source, label, target in drawn if label in ("async", "on success")}
    assert handed_on == {"producer FirstFunction", "FirstFunction LastFunction", "OldFunction LastFunction"}


def with_more(*resources: Any) -> Template:
    model = build()
    for resource in resources:
        model.add_resource(resource)
    return model


def test_a_schedule_and_a_topic_change_nothing_in_the_picture() -> None:
    target = Target(Id="count", Arn=GetAtt("EnricherFunction", "Arn"))
    more = Rule("Nightly", ScheduleExpression="rate(1 day)", Targets=[target]), Topic("Large")
    assert draw(with_more(*more)) == draw(build())


def test_a_stream_is_drawn_from_the_table_which_no_producer_writes() -> None:
    bare = Function("CounterFunction", Handler="counter.handler", Runtime="python3.13", CodeUri="functions/")
    source = GetAtt("DataTable", "StreamArn")
    mapping = EventSourceMapping("Changes", EventSourceArn=source, FunctionName=Ref(bare))
    text = draw(with_more(bare, mapping))
    assert edges(text) - edges(draw(build())) == {("DataTable", "each change", "CounterFunction")}
    assert 'CounterFunction["counter"]' in text


def test_a_source_of_elsewhere_is_left_out() -> None:
    mapping = EventSourceMapping("Elsewhere", EventSourceArn="arn:aws:sqs:us-east-1:123456789012:q", FunctionName="f")
    assert draw(with_more(mapping)) == draw(build())
