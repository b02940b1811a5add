"""A larger model: `python -m bench.benches.large_model FUNCTIONS` writes the stages again and again in one template."""

from __future__ import annotations

import gc
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import troposphere

from bench.harness.configured import stages_of
from model import build, render, storage
from model.function import pipeline
from model.stage import Stage
from model.tags import tag

FUNCTION, ALARM = "AWS::Serverless::Function", "AWS::CloudWatch::Alarm"
# What SAM makes of a function with an alias and asynchronous settings.
EXPANDED = ("Function", "Version", "Alias", "EventInvokeConfig")

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
    """Describe each function as the CDK's app reads it: its settings, which one it hands on to, its alarms."""
    alarms = [(json.dumps(body), body["Properties"]) for body in resources.values() if body["Type"] == ALARM]
    return [
        {
            "name": title.removesuffix("Function"),
            "handler": body["Properties"]["Handler"],
            "memory": body["Properties"]["MemorySize"],
            "timeout": body["Properties"]["Timeout"],
            "retries": body["Properties"]["EventInvokeConfig"]["MaximumRetryAttempts"],
            "next": _next(body["Properties"]["EventInvokeConfig"]),
            "alarms": [_alarm(text, alarm) for text, alarm in alarms if f'{{"Ref": "{title}"}}' in text],
        }
        for title, body in resources.items()
        if body["Type"] == FUNCTION
    ]


def _next(settings: Mapping[str, Any]) -> str:
    found = re.search(r'"(\w+)Function\.Alias"', json.dumps(settings))
    return found[1] if found else ""


def _alarm(text: str, alarm: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": alarm["AlarmDescription"],
        "metrics": re.findall(r'"MetricName": "(\w+)"', text),
        "periods": alarm["EvaluationPeriods"],
        "threshold": alarm["Threshold"],
    }


def counted(resources: Resources) -> Counter[str]:
    """Count the resources by type, as CloudFormation gets them."""
    types = Counter(body["Type"] for body in resources.values())
    for kind in EXPANDED:
        types[f"AWS::Lambda::{kind}"] += types[FUNCTION]
    del types[FUNCTION]
    return types


if __name__ == "__main__":
    gc.disable()  # as generate.py does
    sys.stdout.write(render(repeated(int(sys.argv[1]))))
