"""MiniStack's own code, for the few who need it: `signatures` and `local.gaps`."""

from importlib import import_module
from typing import Any

REST = ("s3", "lambda")  # services whose action is the method and the path, whatever the rest of a request says


def ministack(name: str) -> Any:
    """Return a module of MiniStack. It is imported only now, because it reads the environment when it is imported."""
    return import_module(f"ministack.{name}")
