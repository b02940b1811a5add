"""Stacks of other stages than the project's own."""

from troposphere import Template

from model import storage
from model.stack import assemble
from model.stages.function import pipeline
from model.stages.stage import Stage


def stage(name: str, **given: object) -> Stage:
    """Make a stage of which only the name matters, and what is given."""
    return Stage(name, **{"description": "Does its part", "memory": 128, **given})  # type: ignore[arg-type]


def stack_of(*stages: Stage) -> Template:
    dead_letters = storage.dead_letters()
    return assemble(storage.data_table(), dead_letters, pipeline(*stages, dead_letters=dead_letters.queue))
