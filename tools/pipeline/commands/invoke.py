"""The command `invoke`."""

import json
import sys
from pathlib import Path

import click

from pipeline import project
from pipeline.errors import EXIT_CODES, LEFT, MisuseError
from pipeline.local.handlers import invoke as call


@click.command("invoke", epilog=EXIT_CODES)
@click.argument("stage")
@click.argument("event", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), default="-")
def invoke(stage: str, event: Path) -> None:
    """Call the handler of a STAGE with an EVENT.

    EVENT is a file of one JSON document; `-` is standard input. The result goes to standard output; log lines and
    requests to AWS go to standard error. Nothing is sent to AWS unless TABLE_NAME is set. An error is printed as Lambda
    names it, and the exit code is 1.

    Set breakpoints by `python -m pdb -m pipeline invoke STAGE EVENT`, or by breakpoint() in the code.
    """
    result = call(project.root(), stage, _read(event))
    click.echo(json.dumps(result.document, indent=2))
    if result.failed:
        raise click.exceptions.Exit(LEFT)


def _read(path: Path) -> object:
    name = "Standard input" if str(path) == "-" else str(path)
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
        return json.loads(text)
    except OSError as error:
        raise MisuseError(f"{name} can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise MisuseError(f"{name} must hold one JSON document ({error}).") from error
