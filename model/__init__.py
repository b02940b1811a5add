"""The infrastructure as a Python model: `build` describes the stack."""

from .stack import build

__all__ = ["build"]
