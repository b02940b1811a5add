"""The command `smoke`."""

import json
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pipeline import project
from pipeline.commands.shared.context import Context, of_stack
from pipeline.errors import EXIT_CODES, LEFT, MisuseError
from pipeline.questions.smoke import Smoke, Step, StuckError

SAMPLE = Path("events/valid.json")


@click.command("smoke", epilog=EXIT_CODES)
@click.option("--timeout", type=click.FloatRange(min=1), default=60, help="Seconds after which it gives up.")
@click.option(
    "--record",
    "record_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A record to send, as JSON; its id and timestamp are replaced.  [default: the project's events/valid.json]",
)
@click.option("--config-env", "environment", help="Use the stack of this section of samconfig.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@of_stack
def smoke(
    context: Context, *, timeout: float, record_path: Path | None, environment: str | None, as_json: bool
) -> None:
    """Try the deployed stack by one record.

    Run it after a deployment. It sends the record and removes it again. The record must be stored with what the stages
    add, and stored once when it is sent again. If it does not come through, the command says where it stopped, and the
    exit code is 1.
    """
    if environment:
        context = replace(context, name=project.deployment(project.root(), environment).stack)
    record = _record(record_path)
    access = context.access
    invoker = context.invoker(rate=None, parallel=1, patience=timeout)
    table, until = context.table(), time.monotonic() + timeout
    run = Smoke(access.client("logs"), context.pipeline, table, invoker, record, until, record["timestamp"])
    steps: list[Step] = []
    stuck = None
    try:
        with context.screen.progress("smoke", 3, shown=not as_json) as advance:
            for step in run.run():
                steps.append(step)
                advance(1)
    except StuckError as error:
        stuck = str(error)
    finally:
        run.remove()
    if as_json:
        told = {"id": run.record_id, "passed": not stuck, "stuck": stuck, "steps": [step._asdict() for step in steps]}
        context.screen.say(json.dumps(told))
    else:
        context.screen.table("", ("Step", "Seconds"), [(step.step, f"{step.seconds:.1f}") for step in steps])
        context.screen.say(f"{run.record_id}: {stuck or 'came through, and was removed'}.")
    if stuck:
        raise click.exceptions.Exit(LEFT)


def _record(path: Path | None) -> dict[str, Any]:
    folder = project.find()
    if path is None and folder and (folder / SAMPLE).exists():
        path = folder / SAMPLE
    record: Any = {"data": {"smoke": True}}
    if path is not None:
        try:
            record = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise MisuseError(f"{path} can't be read: {error}.") from error
    if not isinstance(record, dict):
        raise MisuseError(f"{path} must hold a record, a JSON object (got {type(record).__name__}).")
    return {**record, "id": f"smoke-{uuid.uuid4()}", "timestamp": time.time_ns() // 1_000_000}
