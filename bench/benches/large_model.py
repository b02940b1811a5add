"""A larger model: `python -m bench.benches.large_model FUNCTIONS` writes the stages again and again in one template."""

from __future__ import annotations

import gc
import sys
from functools import partial
from typing import Any

import troposphere

from model import build, render, storage
from model.function import function, pipeline
from model.tags import tag

SIZES = {"validator": 512, "enricher": 768, "processor": 512}


def repeated(functions: int) -> troposphere.Template:
    """Return the stack with as many functions, each with all the resources and alarms of a stage."""
    # CloudFormation takes no more than 500 resources; what is measured is how the time grows.
    troposphere.MAX_RESOURCES = sys.maxsize  # type: ignore[misc]
    template = build()
    queue = storage.dead_letters().queue
    for copy in range(1, functions // len(SIZES)):
        stages = (partial(_stage, f"{name}{copy}", memory, queue) for name, memory in SIZES.items())
        for stage in pipeline(*stages):
            for resource in (stage.log_group, stage.policy, stage.role, stage.function, *stage.alarms):
                tag(resource)
                template.add_resource(resource)
    return template


def _stage(name: str, memory: int, queue: Any, **given: Any) -> Any:
    return function(name, description=f"The stage {name}", memory=memory, dead_letters=queue, **given)


if __name__ == "__main__":
    gc.disable()  # as generate.py does
    sys.stdout.write(render(repeated(int(sys.argv[1]))))
