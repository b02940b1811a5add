"""The project that the commands work on: the folder with its template, and the name of the stack that it deploys."""

import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import MisuseError

MARKS = ("samconfig.toml", "template.yaml", "functions")  # what a project's folder holds


def find() -> Path | None:
    """Return the project's folder: the current folder, or the nearest one above it that is a project."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if all((folder / mark).exists() for mark in MARKS)), None)


def root() -> Path:
    """Return the project's folder; there must be one."""
    if found := find():
        return found
    raise MisuseError(f"{Path.cwd()} must be in a project: a folder with {', '.join(MARKS)}. Change to yours first.")


class Deployment(NamedTuple):
    """What samconfig.toml says of an environment's deployment."""

    stack: str
    parameters: Mapping[str, str]


def default_stack(folder: Path) -> str:
    """Return the name of the stack that a project deploys by default, by its samconfig.toml."""
    return deployment(folder, "default").stack


def deployment(folder: Path, environment: str) -> Deployment:
    """Read how a project deploys an environment, by its samconfig.toml."""
    path = folder / "samconfig.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        found = settings[environment]["deploy"]["parameters"]
        given = found.get("parameter_overrides", [])
        pairs = shlex.split(given) if isinstance(given, str) else given
        return Deployment(str(found["stack_name"]), dict(pair.split("=", 1) for pair in pairs))
    except (OSError, ValueError) as error:
        raise MisuseError(f"{path} can't be read: {error}.") from error
    except (KeyError, TypeError) as error:
        raise MisuseError(f"{path} must name the stack: stack_name in [{environment}.deploy.parameters].") from error
