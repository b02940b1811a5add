"""What the model configures, read off it: each stage that every deployment has, in order, with its settings."""

from __future__ import annotations

from troposphere import Template
from troposphere.serverless import Function

from bench.harness.configured import stages, stages_of
from model import build


def function(title: str, **given: object) -> Function:
    settings = {"CodeUri": "functions/", "MemorySize": 256, "Timeout": 30, "Runtime": "python3.14"}
    return Function(title, Handler=f"{title.lower()}.handler", **settings, **given)


def test_a_stage_has_the_settings_of_its_function() -> None:
    template = Template()
    template.add_resource(function("Auditor"))
    assert dict(stages_of(template)) == {"auditor": (256, 30, "python3.14")}


def test_what_only_some_deployments_have_is_no_stage() -> None:
    template = Template()
    template.add_resource(function("Reader", Condition="HasFiles"))
    assert not stages_of(template)


def test_the_stages_come_in_the_order_of_the_pipeline() -> None:
    handlers = [r.properties["Handler"] for r in build().resources.values() if "Handler" in r.properties]
    assert [f"{name}.handler" for name in stages()] == [h for h in handlers if h.split(".")[0] in stages()]
    assert len(stages()) > 1
