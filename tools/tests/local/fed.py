"""Lines that are fed to the deployed stack as `pipeline run` does."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from pipeline.commands.shared.feeding import feed, judged
from pipeline.commands.shared.report import RunReport
from pipeline.records.outcomes import Outcomes
from pipeline.records.source import Source
from tests.deployed import DeployedStack


def run(stack: DeployedStack, folder: Path, *lines: object, batch: int = 1) -> RunReport:
    """Feed lines, each a document or the bytes of one, to the deployed stack, and find what became of them."""
    path, console = folder / "records.jsonl", Console(quiet=True)
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    with Source(path) as source:
        fed = feed(stack.aws, stack.outputs, source, console, batch=batch)
        return judged(stack.aws, stack.outputs, fed, Outcomes(), console)
