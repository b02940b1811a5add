"""What the tools know of a deployed stack: its stages in the order of their destinations, and its dead letters.

It is read by its outputs and by AWS's APIs alone; clients are passed in.
"""

from .dead_letter import ATTRIBUTES, EVENT, RESULT, SYSTEM_ATTRIBUTES, Attribution, DeadLetter, attribute, inside
from .stack import ENTRY, READER, Stack, StackError, Stage, describe, follow, read

__all__ = [
    "ATTRIBUTES",
    "ENTRY",
    "EVENT",
    "READER",
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
    "inside",
    "read",
]
