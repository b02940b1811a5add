"""What the tools know of a deployed stack: its stages in the order of their destinations, and its dead letters.

`local` and `operate` both read the stack here, by its outputs and by AWS's APIs; clients are passed in. Nothing here
imports either of them, or the model.
"""

from .dead_letter import ATTRIBUTES, EVENT, RESULT, SYSTEM_ATTRIBUTES, Attribution, DeadLetter, attribute
from .stack import DEFAULT_STACK, ENTRY, PROJECT, Stack, StackError, Stage, describe, follow, read

__all__ = [
    "ATTRIBUTES",
    "DEFAULT_STACK",
    "ENTRY",
    "EVENT",
    "PROJECT",
    "RESULT",
    "SYSTEM_ATTRIBUTES",
    "Attribution",
    "DeadLetter",
    "Stack",
    "StackError",
    "Stage",
    "attribute",
    "describe",
    "follow",
    "read",
]
