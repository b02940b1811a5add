"""Watching a project: saved code becomes live at once, a saved model as fast as a deployment allows."""

import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from pipeline.stack import Stack

from .asynchronous import QueueOptions
from .deploy import build, deploy
from .embedded.process import EmbeddedAws
from .errors import LocalError
from .run import Lint, step

POLL = 0.2  # seconds between two looks at the files
CODE = "functions"
LEFT_OUT = {"__pycache__", ".venv", ".aws-sam", ".git", "tests", "docs"}
SUFFIXES = {".py", ".json", ".toml", ".txt", ".yaml"}
GENERATED = {"template.yaml"}  # what generate.py writes: it changes because a model does


class Change(NamedTuple):
    """Files that were saved at about the same time."""

    files: tuple[Path, ...]  # relative to the project's folder

    @property
    def is_code(self) -> bool:
        """Whether nothing but the functions' code changed."""
        return all(path.parts[0] == CODE and path.suffix == ".py" for path in self.files)


def changes(
    root: Path, before: Mapping[Path, int], *, wait: Callable[[float], object] = time.sleep
) -> Iterator[Change]:
    """Yield what is saved in a project after its files were as `before`, once nobody writes any more; never end."""
    while True:
        wait(POLL)
        now = saved(root)
        if now == before:
            continue
        wait(POLL / 2)
        while (later := saved(root)) != now:
            now = later
            wait(POLL / 2)
        files = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
        before = now
        yield Change(tuple(files))


def saved(root: Path) -> dict[Path, int]:
    """Return when each file of a project was saved, in ns since the epoch."""
    found = {}
    for folder in [root, *(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")]:
        if folder.name in LEFT_OUT:
            continue
        for path in folder.glob("*") if folder == root else folder.rglob("*"):
            if path.suffix in SUFFIXES and path.name not in GENERATED and not LEFT_OUT & set(path.parts):
                try:
                    found[path.relative_to(root)] = path.stat().st_mtime_ns
                except OSError:  # it was removed meanwhile
                    continue
    return found


class Project:
    """A project whose stack is deployed to an embedded AWS."""

    def __init__(
        self, root: Path, aws: EmbeddedAws, stack: Stack, parameters: Mapping[str, str], console: Console
    ) -> None:
        self.root, self.aws, self.stack = root, aws, stack
        self._parameters, self._console = parameters, console

    def apply(self, change: Change) -> bool:
        """Make a change live; return whether it is, after saying why not."""
        try:
            if change.is_code:
                with step("code", self._console):
                    self._update_code()
            else:
                self._deploy()
        except LocalError as error:
            self._console.print(Text(str(error), "red"))
            return False
        return True

    def _update_code(self) -> None:
        """Publish a new version of each function with the code as it is, and let its alias lead to it."""
        package = _package(self.root / CODE)
        client = self.aws.client("lambda")
        for alias in self.stack.aliases.values():
            function, _, name = alias.rpartition(":")
            version = client.update_function_code(FunctionName=function, ZipFile=package, Publish=True)["Version"]
            client.update_alias(FunctionName=function, Name=name, FunctionVersion=version)

    def _deploy(self) -> None:
        with step("generate", self._console):
            self._generate()
        with Lint(self.root) as lint:
            with step("build", self._console):
                template = build(self.aws.workspace, root=self.root)
            with step("lint", self._console):
                lint.wait()
        with step("deploy", self._console):
            self.stack = deploy(self.aws, template, root=self.root, parameters=self._parameters)

    def _generate(self) -> None:
        command = [sys.executable, "generate.py"]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LocalError(f"generate.py failed:\n{done.stdout}{done.stderr}".rstrip())


def _package(folder: Path) -> bytes:
    """Pack the code; LocalError if a file can't be compiled."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or LEFT_OUT & set(path.parts):
                continue
            content = path.read_bytes()
            if path.suffix == ".py":
                _compile(content, path)
            package.writestr(str(path.relative_to(folder)), content)
    return packed.getvalue()


def _compile(content: bytes, path: Path) -> None:
    try:
        compile(content, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise LocalError(f"{path.name}{f', line {line}' if line else ''}: {error}") from error


def clear(aws: EmbeddedAws, stack: Stack, options: QueueOptions) -> None:
    """Empty the asynchronous queue, which goes on with these options, the table and the dead-letter queue."""
    aws.restart_queue(options)
    empty(aws.client("dynamodb"), stack.table)
    aws.client("sqs").purge_queue(QueueUrl=stack.queue_url)


def empty(client: Any, table: str) -> None:
    """Delete all items of a table, records or not, by a client of DynamoDB."""
    for page in client.get_paginator("scan").paginate(TableName=table):
        keys = [{name: item[name] for name in ("id", "timestamp")} for item in page["Items"]]
        for start in range(0, len(keys), 25):
            requests = [{"DeleteRequest": {"Key": key}} for key in keys[start : start + 25]]
            client.batch_write_item(RequestItems={table: requests})
