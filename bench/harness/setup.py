"""The functions that are measured: the project's stages, and what people would use instead."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from bench.harness import installed
from bench.harness.configured import stages
from bench.harness.cpu import unlimited_reason
from bench.harness.endpoint import LATENCY, endpoint
from bench.harness.installed import PEERS, ROOT, NotInstalled
from bench.harness.lambdas import MeasuredFunction, package
from bench.harness.records import ENRICHED, RECORD
from bench.results.figures import Row, Sample

EVENTS = {"validator": RECORD, "enricher": RECORD, "processor": ENRICHED, "empty": {}}
PRODUCT = "this project"
NODE = "Node.js, AWS SDK v3"
SEED = "Node.js, the seed's"
BOTO3 = "Python, boto3"
EMPTY = "Python, empty handler"
NODE_EMPTY = "Node.js, empty handler"

Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Something to measure once a round; or something that can't be measured here, and why."""

    name: str
    measure: Callable[[], Sample] | None = None
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What every bench gets: how many rounds, where it may write, whom it tells of its progress."""

    rounds: int
    workspace: Path
    console: Console
    advance: Callable[[str], None]

    def interleave(self, variants: Sequence[Variant]) -> list[Row]:
        """Measure every variant once a round, so that a slow minute slows all of them; return a row for each."""
        samples: dict[str, list[Sample]] = {variant.name: [] for variant in variants}
        for index in range(self.rounds + 1):
            for variant in variants:
                if variant.measure:
                    self.advance(variant.name)
                    sample = variant.measure()
                    if index:  # the first round only warms the file cache
                        samples[variant.name].append(sample)
        return [Row(name=variant.name, samples=samples[variant.name], missing=variant.missing) for variant in variants]

    def folder(self, name: str) -> Path:
        """Return a new folder to work in."""
        folder = self.workspace / f"{len(list(self.workspace.iterdir())):04}-{name}"
        folder.mkdir()
        return folder

    def table(self, *, tls: bool = True, slow: bool = True) -> AbstractContextManager[dict[str, str]]:
        """Start a table, and return the variables that it is found by; `slow`: it answers as late as DynamoDB."""
        roots = self._roots() if tls else None
        return endpoint(self.folder("endpoint"), tls=tls, roots=roots, latency=LATENCY if slow else None)

    def python(self, stage: str, *, client: str = "", environment: Mapping[str, str] | None = None) -> MeasuredFunction:
        """Return one of the project's stages (or the empty handler), packaged; with a peer's client if one is named."""
        sources = [PEERS / "python" / "empty"] if stage == "empty" else [ROOT / "functions"]
        folder = package(self.folder(stage) / "package", *sources, *([PEERS / "python" / client] if client else []))
        command = (self._interpreter(), "-m", "awslambdaric", f"{stage}.handler")
        return _function(f"python-{stage}", stage, command, folder, environment)

    def node(self, stage: str, *, environment: Mapping[str, str] | None = None) -> MeasuredFunction:
        """Return one of the seed's stages (or the empty handler), as it stands there; raises NotInstalled."""
        folder = installed.peer("node", self.console)
        if not (folder / f"{stage}.js").exists():
            raise NotInstalled(f"the seed has no {stage}")
        client = folder / "node_modules" / "aws-lambda-ric" / "bin" / "index.mjs"
        return _function(f"node-{stage}", stage, ("node", str(client), f"{stage}.handler"), folder, environment)

    def _roots(self) -> Path:
        """Return the file of the authorities that botocore trusts."""
        code = "from botocore.httpsession import get_cert_path; print(get_cert_path(True))"
        command = [self._interpreter(), "-c", code]
        return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())

    def _interpreter(self) -> str:
        return str(installed.peer("python", self.console) / "bin" / "python")


def _function(
    name: str, stage: str, command: tuple[str, ...], folder: Path, environment: Mapping[str, str] | None
) -> MeasuredFunction:
    *_, last = stages().values()
    memory, timeout, *_ = stages().get(stage, last)  # the empty handler stands beside the last
    event = EVENTS.get(stage, ENRICHED)
    return MeasuredFunction(name, command, folder, event, memory, timeout, environment or {})


def variant(
    name: str, make: Callable[[], Made], measure: Callable[[Made], Sample], *, cpus: float | None = None
) -> Variant:
    """Make a variant of what is made once and measured in each round; one that says why if it can't be had."""
    if cpus is not None and (reason := unlimited_reason()):
        return Variant(name=name, missing=reason)
    try:
        made = make()
    except NotInstalled as reason:
        return Variant(name=name, missing=str(reason))
    return Variant(name=name, measure=lambda: measure(made))
