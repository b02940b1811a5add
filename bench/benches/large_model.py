"""A larger model: `python -m bench.benches.large_model FUNCTIONS` writes the stages again and again in one template."""

import gc
import re
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import troposphere

from bench.harness.configured import FUNCTION, handed_on_to, stages_of
from model import build, storage
from model.stages.function import pipeline
from model.stages.stage import Stage
from model.tags import tag
from pipeline.generated.render import render

ALARM, FILTER = "AWS::CloudWatch::Alarm", "AWS::Logs::MetricFilter"
EXPANDED = ("Function", "Version", "Alias", "EventInvokeConfig")  # what SAM makes of a function

Resources = Mapping[str, Mapping[str, Any]]


def repeated(functions: int) -> troposphere.Template:
    """Return the stack with as many functions, each with all the resources and alarms of a stage."""
    # CloudFormation takes no more than 500 resources; what is measured is how the time grows.
    troposphere.MAX_RESOURCES = sys.maxsize  # type: ignore[misc]
    template = build()
    stages = stages_of(template)
    queue = storage.dead_letters().queue
    for copy in range(1, functions // len(stages)):
        copies = (Stage(f"{name}{copy}", description="One more", memory=stage.memory) for name, stage in stages.items())
        for stage in pipeline(*copies, dead_letters=queue):
            for resource in (*stage.resources, *stage.alarms):
                tag(resource)
                template.add_resource(resource)
    return template


def described(resources: Resources) -> list[dict[str, Any]]:
    """Describe each stage as the CDK's app reads it: its properties, whom it hands on to, what watches it."""
    return [
        _described(title.removesuffix("Function"), body["Properties"], resources)
        for title, body in resources.items()
        if body["Type"] == FUNCTION and "Condition" not in body  # which every deployment has
    ]


def _described(name: str, function: Mapping[str, Any], resources: Resources) -> dict[str, Any]:
    own = [body for title, body in resources.items() if re.match(f"{name}[A-Z]", title)]
    following = handed_on_to(function["EventInvokeConfig"]).removesuffix("Function")
    filters, alarms = ([body["Properties"] for body in own if body["Type"] == kind] for kind in (FILTER, ALARM))
    return {"name": name, "properties": function, "next": following, "filters": filters, "alarms": alarms}


def counted(resources: Resources) -> Counter[str]:
    """Count the resources by type, as CloudFormation gets them."""
    types = Counter(body["Type"] for body in resources.values())
    functions = types.pop(FUNCTION, 0)
    return types + Counter({f"AWS::Lambda::{kind}": functions for kind in EXPANDED})


if __name__ == "__main__":
    gc.disable()  # as generate.py does
    sys.stdout.write(render(repeated(int(sys.argv[1]))))
