"""The project that the commands work on: the folder with its template, and the name of the stack that it deploys."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pipeline.errors import MisuseError

MARKS = ("samconfig.toml", "template.yaml", "functions")
"""What a project's folder holds."""


def find() -> Path | None:
    """Return the project's folder: the current folder, or the nearest one above it that is a project."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if all((folder / mark).exists() for mark in MARKS)), None)


def root() -> Path:
    """Return the project's folder.

    Raises:
        MisuseError: The current folder is in no project.
    """
    found = find()
    if found is None:
        raise MisuseError(
            f"{Path.cwd()} must be in a project: a folder with {', '.join(MARKS)}. Change to yours first."
        )
    return found


def default_stack(folder: Path) -> str:
    """Return the name of the stack that a project deploys by default, by its samconfig.toml.

    Raises:
        MisuseError: It names none.
    """
    path = folder / "samconfig.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        return str(settings["default"]["deploy"]["parameters"]["stack_name"])
    except (OSError, ValueError) as error:
        raise MisuseError(f"{path} can't be read: {error}.") from error
    except (KeyError, TypeError) as error:
        raise MisuseError(f"{path} must name the stack: stack_name in [default.deploy.parameters].") from error
