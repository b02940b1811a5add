"""A pipeline of one's own on this machine: the stack built, and deployed to an embedded AWS."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from rich.console import Console
from rich.progress import Progress

from pipeline import project
from pipeline.stack import Stack

from .deploy import PARAMETERS, build, deploy
from .embedded.process import EmbeddedAws, Options
from .errors import LocalError

POLL = 0.1  # seconds between two looks at the queue
TOLD_EVERY = 10  # seconds between two lines about the progress


@contextmanager
def deployed(
    options: Options, console: Console, parameters: Mapping[str, str] = PARAMETERS, *, linted: bool = False
) -> Iterator[tuple[EmbeddedAws, Stack]]:
    """Start an embedded AWS with the stack deployed. It starts while the stack is built and, if asked for, linted."""
    root = project.root()
    aws = EmbeddedAws(options)
    aws.start()
    try:
        with Lint(root) if linted else nullcontext() as lint:
            with step("build", console):
                template = build(aws.workspace, root=root)
            with step("start", console):
                aws.wait_until_ready()
            with step("deploy", console):
                stack = deploy(aws, template, root=root, parameters=parameters)
            if lint:
                with step("lint", console):
                    lint.wait()
        yield aws, stack
    finally:
        aws.end()


class Lint(AbstractContextManager["Lint"]):
    """A run of cfn-lint beside what this context does; if that fails, what the linter found is raised: it says more."""

    def __init__(self, root: Path) -> None:
        self._found = TemporaryFile()  # noqa: SIM115 - closed on leaving
        command = str(Path(sys.executable).parent / "cfn-lint")
        self._process = subprocess.Popen([command], cwd=root, stdout=self._found, stderr=subprocess.STDOUT)

    def wait(self) -> None:
        """Wait for its end; LocalError if it found something."""
        if self._process.wait():
            self._found.seek(0)
            raise LocalError(f"cfn-lint failed:\n{self._found.read().decode('utf-8', 'replace')}".rstrip())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if isinstance(error, LocalError):
                self.wait()
        finally:
            self._process.kill()
            self._process.wait()
            self._found.close()


def exports(aws: EmbeddedAws, stack: Stack) -> dict[str, str]:
    """Return the variables by which AWS's tools and `pipeline` find the embedded AWS and the stack."""
    return {**aws.environment, "PIPELINE_STACK": stack.name, "TABLE_NAME": stack.table}


def drain(aws: EmbeddedAws, progress: Progress) -> dict[str, Any]:
    """Wait until no event is left in the queue, or it delivers nothing more, and return its last state."""
    bar = progress.add_task("drain", total=None)
    tell = teller(progress.console, "drain")
    while True:
        state = aws.queue_state()
        tell(f"{state['ended']} of {state['accepted']} events")
        progress.update(bar, completed=state["ended"], total=state["accepted"])
        if not state["open"] or state["stopped"]:
            return state
        time.sleep(POLL)


def teller(console: Console, name: str) -> Callable[[str], None]:
    """Return what says now and then how far a step is, if no bar can be drawn."""
    said = time.monotonic()

    def tell(how_far: str) -> None:
        nonlocal said
        if not console.is_terminal and time.monotonic() - said > TOLD_EVERY:
            console.print(f"{name:<8} {how_far}", highlight=False)
            said = time.monotonic()

    return tell


@contextmanager
def step(name: str, console: Console) -> Iterator[None]:
    """Show which step it is, and how long it took."""
    started = time.monotonic()
    with console.status(f"{name} ..."):
        yield
    console.print(f"{name:<8} {time.monotonic() - started:5.1f} s", highlight=False)
