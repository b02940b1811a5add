"""The infrastructure as a Python model: `build` describes the stack, `render` writes it, `draw` pictures it."""

from .diagram import draw
from .render import render
from .stack import build

__all__ = ["build", "draw", "render"]
