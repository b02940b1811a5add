"""What the model configures, read off it: the stages of the pipeline, in order, with their settings."""

from __future__ import annotations

from troposphere import Ref, Template
from troposphere.serverless import DestinationConfiguration, EventInvokeConfiguration, Function, OnSuccess

from bench.harness.configured import Configured, stages, stages_of
from model import build


def template(*functions: tuple[str, str]) -> Template:
    """Make a template of functions, each with whom it hands on to."""
    made = Template()
    for title, after in functions:
        handed_on = OnSuccess(Type="Lambda", Destination=Ref(f"{after}Function.Alias"))
        destination = {"DestinationConfig": DestinationConfiguration(OnSuccess=handed_on)} if after else {}
        made.add_resource(
            Function(
                f"{title}Function",
                Handler=f"{title.lower()}.handler",
                CodeUri="functions/",
                MemorySize=256,
                Timeout=30,
                Runtime="python3.14",
                EventInvokeConfig=EventInvokeConfiguration(**destination),
            )
        )
    return made


def test_a_stage_has_the_settings_of_its_function() -> None:
    assert dict(stages_of(template(("Validator", "")))) == {"validator": Configured(256, 30, "python3.14")}


def test_what_hands_on_to_no_stage_and_gets_nothing_from_one_is_no_stage() -> None:
    assert list(stages_of(template(("Validator", "Last"), ("Last", ""), ("Intake", "")))) == ["validator", "last"]


def test_the_stages_come_in_the_order_of_the_pipeline() -> None:
    assert list(stages_of(template(("Last", ""), ("Validator", "Last")))) == ["validator", "last"]


def test_what_only_some_deployments_have_is_no_stage() -> None:
    assert "ReaderFunction" in build().resources
    assert "reader" not in stages()
