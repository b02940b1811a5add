"""Builds the stack and deploys it to the embedded AWS, by the SAM CLI."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline import project
from pipeline.stack import Stack, StackError, describe, follow
from pipeline.stack.yaml_text import parse

from .embedded.environment import REGION, for_tools
from .embedded.process import EmbeddedAws
from .embedded.workspace import Workspace
from .errors import LocalError

PARAMETERS = {"ProcessorProvisionedConcurrency": "0", "Architecture": "x86_64"}
"""Nothing is kept warm here, and the functions run on this machine."""
WITH_FILES = {**PARAMETERS, "FilesBucket": "true"}


def build(workspace: Workspace, *, root: Path) -> Path:
    """Build the project's template, and return the built one."""
    source, built = _source(root, workspace), workspace.path / "build"
    given = _as_json(source / "template.yaml", workspace.path / "template.json")
    environment = for_tools({}, workspace.folder("tmp"))
    # Packages of the functions are for the Python that runs them here.
    environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}", "WHEELS": ""}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    arguments: list[str | Path] = ["--template-file", given, "--base-dir", source, "--build-dir", built]
    arguments += ["--cache-dir", workspace.path / "cache"]
    _sam("build", arguments, environment, workspace.path)  # where it keeps what it makes on the way
    return _as_json(built / "template.yaml", built / "template.json")


def _as_json(template: Path, written: Path) -> Path:
    """Write a template as JSON: the SAM CLI parses it many times, and YAML of this size takes it half a second each."""
    try:
        written.write_text(json.dumps(parse(template.read_text("utf-8"))), "utf-8")
    except (OSError, ValueError) as error:
        raise LocalError(f"{template.name} can't be read: {error}") from error
    return written


def _source(root: Path, workspace: Workspace) -> Path:
    """Return the folder to build from: a copy where it is read-only, since SAM copies files with their modes, twice."""
    if os.access(root / "functions", os.W_OK):
        return root
    source = workspace.folder("source")
    for path in (root / "template.yaml", *(root / "functions").rglob("*")):
        if not path.is_file():
            continue
        copied = source / path.relative_to(root)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)
    return source


def deploy(aws: EmbeddedAws, template: Path, *, root: Path, parameters: Mapping[str, str] = PARAMETERS) -> Stack:
    """Deploy a built template, which must be a pipeline's, and return the stack, its stages in order."""
    environment = for_tools(aws.environment, aws.workspace.folder("tmp"))
    name = project.default_stack(root)
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    arguments: list[str | Path] = [
        *("--template-file", template, "--stack-name", name, "--region", REGION),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "--parameter-overrides", *overrides),
        *("--resolve-s3", "--use-json", "--no-confirm-changeset", "--no-fail-on-empty-changeset"),
    ]
    _sam("deploy", arguments, environment, root)
    try:
        return follow(aws.client("lambda"), describe(aws.client("cloudformation"), name))
    except StackError as error:
        raise LocalError(str(error)) from error


def _sam(command: str, arguments: Sequence[str | Path], environment: Mapping[str, str], root: Path) -> None:
    """Run one command of the SAM CLI; what it printed is shown when it fails."""
    python = (sys.executable, "-m")
    reading, writing = os.pipe()  # held open as long as this process lives
    try:
        done = subprocess.run(
            [*python, "pipeline.local.embedded.tether", *python, "samcli", command, *arguments],
            cwd=root,
            env=environment,
            stdin=reading,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
        )
    finally:
        os.close(reading)
        os.close(writing)
    if done.returncode:
        printed = done.stdout.decode("utf-8", "replace").strip()
        raise LocalError(f"sam {command} failed with exit code {done.returncode}; it printed:\n{printed}")
