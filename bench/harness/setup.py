"""The functions that are measured: the project's stages, and what people would use instead."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from bench.harness import installed
from bench.harness.configured import stages
from bench.harness.cpu import unlimited_reason
from bench.harness.installed import PEERS, ROOT, NotInstalled
from bench.harness.lambdas import MeasuredFunction, package
from bench.harness.records import ENRICHED, RECORD
from bench.harness.rounds import Variant
from bench.results.figures import Sample

EVENTS = {"validator": RECORD, "enricher": RECORD, "processor": ENRICHED, "empty": {}}

Made = TypeVar("Made")

PRODUCT = "this project"
NODE = "Node.js, AWS SDK v3"
SEED = "Node.js, the seed's"
BOTO3 = "Python, boto3"
EMPTY = "Python, empty handler"
NODE_EMPTY = "Node.js, empty handler"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What every bench gets: how many rounds, where it may write, whom it tells of its progress."""

    rounds: int
    workspace: Path
    console: Console
    advance: Callable[[str], None]

    def folder(self, name: str) -> Path:
        """Return a new folder to work in."""
        count = len(list(self.workspace.iterdir()))
        folder = self.workspace / f"{count:04}-{name}"
        folder.mkdir()
        return folder

    def python(self, stage: str, *, client: str = "", environment: Mapping[str, str] | None = None) -> MeasuredFunction:
        """Return one of the project's stages (or the empty handler), packaged as a build packages it.

        `client` names the peer whose core/aws.py it gets instead of its own.
        """
        interpreter = installed.lambda_python(self.console)
        sources = [PEERS / "python" / "empty"] if stage == "empty" else [ROOT / "functions"]
        folder = package(self.folder(stage) / "package", *sources, *([PEERS / "python" / client] if client else []))
        command = (str(interpreter), "-m", "awslambdaric", f"{stage}.handler")
        return self._function(f"python-{stage}", stage, command, folder, environment)

    def node(self, stage: str, *, environment: Mapping[str, str] | None = None) -> MeasuredFunction:
        """Return one of the seed's stages (or the empty handler), as it stands there.

        Raises:
            NotInstalled: Node.js, or what its runtime client is built with, is missing; or the seed has no such stage.
        """
        folder = installed.node_handlers(self.console)
        if not (folder / f"{stage}.js").exists():
            raise NotInstalled(f"the seed has no {stage}")
        client = folder / "node_modules" / "aws-lambda-ric" / "bin" / "index.mjs"
        return self._function(f"node-{stage}", stage, ("node", str(client), f"{stage}.handler"), folder, environment)

    def roots(self) -> Path:
        """Return the file of the authorities that botocore trusts."""
        interpreter = installed.lambda_python(self.console)
        code = "from botocore.httpsession import get_cert_path; print(get_cert_path(True))"
        return Path(
            subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        )

    def _function(
        self, name: str, stage: str, command: tuple[str, ...], folder: Path, environment: Mapping[str, str] | None
    ) -> MeasuredFunction:
        *_, last = stages().values()
        configured = stages().get(stage, last)  # the empty handler stands beside the last
        return MeasuredFunction(
            name=name,
            command=command,
            folder=folder,
            event=EVENTS.get(stage, ENRICHED),
            memory=configured.memory,
            timeout=configured.timeout,
            environment=dict(environment or {}),
        )


def variant(
    name: str, make: Callable[[], Made], measure: Callable[[Made], Sample], *, cpus: float | None = None
) -> Variant:
    """Make a variant of what is made once and measured in each round; where it can't be had, one that says why."""
    if cpus is not None and (reason := unlimited_reason()):
        return Variant(name=name, missing=reason)
    try:
        made = make()
    except NotInstalled as reason:
        return Variant(name=name, missing=str(reason))
    return Variant(name=name, measure=lambda: measure(made))
