"""The infrastructure as a Python model: `build` describes the stack, `render` writes it as a SAM template."""

from .render import render
from .stack import build

__all__ = ["build", "render"]
