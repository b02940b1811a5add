"""The operator's commands: submit records, look at dead letters, redrive them, and see how the stack is."""

from operate.main import main

__all__ = ["main"]
