"""A larger model: `python -m bench.repeated FUNCTIONS` writes the pipeline's stages again and again in one template."""

from __future__ import annotations

import gc
import sys

import troposphere

from model import build, render, storage
from model.function import pipeline
from model.stage import Stage
from model.tags import tag

SIZES = {"validator": 512, "enricher": 768, "processor": 512}


def repeated(functions: int) -> troposphere.Template:
    """Return the stack with as many functions, each with all the resources and alarms of a stage."""
    # CloudFormation takes no more than 500 resources; what is measured is how the time grows.
    troposphere.MAX_RESOURCES = sys.maxsize  # type: ignore[misc]
    template = build()
    queue = storage.dead_letters().queue
    for copy in range(1, functions // len(SIZES)):
        stages = (Stage(f"{name}{copy}", description="One more", memory=memory) for name, memory in SIZES.items())
        for stage in pipeline(*stages, dead_letters=queue):
            for resource in (*stage.resources, *stage.alarms):
                tag(resource)
                template.add_resource(resource)
    return template


if __name__ == "__main__":
    gc.disable()  # as generate.py does
    sys.stdout.write(render(repeated(int(sys.argv[1]))))
