"""The command: `python -m bench`."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.benches import batches, costs, files, generation, pipeline, sizes, starts
from bench.benches.generation import UnlikeResources
from bench.harness.runtime_api import FunctionFailed
from bench.harness.setup import Setup
from bench.results.figures import Table
from bench.results.tables import show
from bench.scale import benches, embedded

BENCHES: dict[str, Callable[[Setup], list[Table]]] = {
    "generate": generation.generation,
    "cold": starts.cold,
    "stages": starts.starts,
    "first-call": starts.first_call,
    "warm": starts.warm,
    "sizes": sizes.sizes,
    "cost": costs.costs,
    "batches": batches.batches,
    "files": files.files,
    "pipeline": pipeline.pipeline,
    "scale": benches.scale,
    "scale-embedded": embedded.compared,
}
LEAST_ROUNDS = 9
WIDTH = 140  # columns, of a table that goes to a file


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
@click.option("--rounds", type=click.IntRange(1), default=LEAST_ROUNDS, show_default=True, help="Counted rounds.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write every round's figures as JSON too.")
@click.option("--list", "listing", is_flag=True, help="List the benches and what they measure.")
def main(names: Sequence[str], rounds: int, json_path: Path | None, listing: bool) -> None:
    """Measure the project beside what people would use instead.

    NAMES are the benches to run (default: all of them, which takes about half an hour).

    In each round every variant is measured once, one after the other, so that a slow minute slows all of them: compare
    the ratios, not the milliseconds of different runs. A first round, which is not counted, warms the file cache. Run
    it on an otherwise idle machine; nine rounds are the least that gives medians worth quoting.

    What the peers need is installed under .bench/ (or $BENCH_HOME), in pinned versions, at their first use. Where there
    is no Node.js, no C++ compiler or no right to limit the CPU, the rows concerned say so and the others are measured.

    \b
    Examples:
      python -m bench --list
      python -m bench cold first-call
      python -m bench --rounds 15 --json figures.json
    """  # noqa: D301 - \b is click's own mark
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    if listing:
        _list(console)
        return
    document = {**_circumstances(rounds), "benches": []}
    for table in _measure(names or tuple(BENCHES), rounds, console):
        show(table, console)
        document["benches"].append(table.as_json())
        if json_path:  # after each table, so that a bench that fails costs no other's figures
            json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _list(console: Console) -> None:
    for name, bench in BENCHES.items():
        console.print(f"{name:12} {(bench.__doc__ or '').splitlines()[0]}", highlight=False)


def _measure(names: Sequence[str], rounds: int, console: Console) -> Iterator[Table]:
    """Run the benches one by one."""
    if rounds < LEAST_ROUNDS:
        console.print(f"Fewer than {LEAST_ROUNDS} rounds: a look, nothing to quote.", style="yellow")
    for name in dict.fromkeys(names):
        yield from _run(BENCHES[name], name, rounds, console)


def _run(bench: Callable[[Setup], list[Table]], name: str, rounds: int, console: Console) -> list[Table]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, console.status(name) as status:
        setup = Setup(
            rounds=rounds,
            workspace=Path(folder),
            console=Console(stderr=True),
            advance=lambda variant: status.update(f"{name}: {variant}"),
        )
        return bench(setup)


def _circumstances(rounds: int) -> dict[str, Any]:
    """Return what the figures depend on, besides the project."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": rounds,
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "machine": platform.platform(),
        "versions": {
            "python": platform.python_version(),
            "node": _node_version(),
            **{name: version(name) for name in ("troposphere", "awacs", "PyYAML", "cfn-lint", "ministack")},
        },
    }


def _node_version() -> str | None:
    if not shutil.which("node"):
        return None
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    try:
        main()
    except (FunctionFailed, UnlikeResources, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"bench: {error}")
