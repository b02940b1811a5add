"""The stages of the tests' own pipeline, in its order."""

from itertools import pairwise

from ..own.pipeline import build

OUTPUT = "FunctionArn"

_OUTPUTS = build().to_dict()["Outputs"]
STAGES = tuple(
    name.removesuffix(OUTPUT)
    for name, output in _OUTPUTS.items()
    if name.endswith(OUTPUT) and "Condition" not in output  # those of the reader, see test_files.py
)


def following(stage: str) -> str | None:
    """Return the stage that gets this one's results."""
    return dict(pairwise(STAGES)).get(stage)
