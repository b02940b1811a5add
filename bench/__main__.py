"""The command: `python -m bench`."""

import json
import os
import platform
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

from bench.benches import batches, costs, files, generation, pipeline, sizes, starts, why
from bench.benches.generation import UnlikeResources
from bench.harness.runtime_api import FunctionFailed
from bench.harness.setup import Setup
from bench.results import document
from bench.results.figures import Table
from bench.scale import scenarios

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
    "scale": scenarios.scale,
    "why": why.why,
}
LEAST_ROUNDS = 9


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
@click.option("--rounds", type=click.IntRange(1), default=LEAST_ROUNDS, show_default=True, help="Counted rounds.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write every round's figures as JSON too.")
@click.option("--list", "listing", is_flag=True, help="List the benches and what they measure.")
def main(names: Sequence[str], rounds: int, json_path: Path | None, listing: bool) -> None:
    """Measure the project beside what people would use instead.

    NAMES are the benches to run (default: all of them, which takes about half an hour).

    Run it on an otherwise idle machine. In each round every variant is measured once, so that a slow minute slows all
    of them: compare the ratios, not the milliseconds of different runs. The tables of nine rounds or more replace
    those in bench/RESULTS.md; fewer rounds are only a look.

    The peers are installed under .bench/ (or $BENCH_HOME) at their first use. If there is no Node.js, no C++ compiler
    or no right to limit the CPU, the rows concerned say so and the others are measured.

    \b
    Examples:
      python -m bench --list
      python -m bench cold first-call
      python -m bench --rounds 15 --json figures.json
    """  # noqa: D301 - \b is click's own mark
    if listing:
        click.echo("\n".join(f"{name:12} {(bench.__doc__ or '').splitlines()[0]}" for name, bench in BENCHES.items()))
        return
    circumstances = _circumstances(rounds)
    tables: list[dict[str, Any]] = []
    for table in _measure(names or tuple(BENCHES), rounds):
        click.echo(document.as_markdown(table))
        tables.append(table.as_json())
        if json_path:  # after each table, so that a bench that fails costs no other's figures
            json_path.write_text(json.dumps({**circumstances, "benches": tables}, indent=2) + "\n", encoding="utf-8")
        if rounds < LEAST_ROUNDS:
            click.echo(f"Fewer than {LEAST_ROUNDS} rounds: a look, nothing to quote.", err=True)
        else:
            _keep(table, circumstances)


def _measure(names: Sequence[str], rounds: int) -> Iterator[Table]:
    """Run the benches one by one."""
    console = Console(stderr=True)
    for name in dict.fromkeys(names):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, console.status(name) as status:
            setup = Setup(rounds=rounds, workspace=Path(folder), console=console, advance=status.update)
            tables = BENCHES[name](setup)
        yield from tables


def _keep(table: Table, circumstances: dict[str, Any]) -> None:
    """Put a table into RESULTS.md, unless a part of it could not be measured here."""
    if missing := [row.name for row in table.rows if row.missing]:
        click.echo(f"RESULTS.md keeps its table {table.name!r}: not measured here: {', '.join(missing)}", err=True)
        return
    versions = ", ".join(f"{name} {number}" for name, number in circumstances["versions"].items())
    measured = f"{circumstances['rounds']} rounds, {circumstances['cpus']} CPUs, {versions}"
    taken = f"{circumstances['date'][:10]}, {'computed' if len(table.rows[0].samples) == 1 else measured}."
    text = document.FILE.read_text(encoding="utf-8")
    document.FILE.write_text(document.with_table(text, table, taken), encoding="utf-8")


def _circumstances(rounds: int) -> dict[str, Any]:
    """Return what the figures depend on, besides the project."""
    node = subprocess.run(["sh", "-c", "node --version || echo none"], capture_output=True, text=True, check=False)
    packages = ("troposphere", "awacs", "PyYAML", "cfn-lint", "ministack")
    versions = {
        "Python": platform.python_version(),
        "Node.js": node.stdout.strip(),
        **{p: version(p) for p in packages},
    }
    date = datetime.now(UTC).isoformat(timespec="seconds")
    machine = {"cpus": os.cpu_count(), "load": os.getloadavg(), "machine": platform.platform()}
    return {"date": date, "rounds": rounds, **machine, "versions": versions}


if __name__ == "__main__":
    try:
        main()
    except (FunctionFailed, UnlikeResources, OSError, ValueError, subprocess.SubprocessError) as error:
        sys.exit(f"bench: {error}")
