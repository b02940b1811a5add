"""The stages of the pipeline, in its order, as the template has them: a new one is tested with the others."""

from itertools import pairwise

from model import build

OUTPUT = "FunctionArn"

_OUTPUTS = build().to_dict()["Outputs"]
STAGES = tuple(
    name.removesuffix(OUTPUT)
    for name, output in _OUTPUTS.items()
    if name.endswith(OUTPUT) and "Condition" not in output  # those of the reader, see test_files.py
)
# Those that are always there; a project may add its own.
CONTRACT = ("Validator", "Enricher", "Processor")


def following(stage: str) -> str | None:
    """Return the stage that gets this one's results."""
    return dict(pairwise(STAGES)).get(stage)
