"""The command `up`."""

from __future__ import annotations

import shlex
import time
from typing import Any

import click

from pipeline.commands.local_options import console, queue_of, queue_options
from pipeline.errors import EXIT_CODES
from pipeline.local.deploy import WITH_FILES
from pipeline.local.embedded.process import Options
from pipeline.local.run import deployed


@click.command("up", epilog=EXIT_CODES)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 takes a free one.  [default: 0]")
@click.option("--listen", multiple=True, help="An address to listen on beside 127.0.0.1, such as the Docker bridge's.")
@queue_options
def up(port: int, listen: tuple[str, ...], **queue: Any) -> None:
    """Deploy, print the export lines for a shell, and stay up until Ctrl-C."""
    screen = console(stderr=True)
    with deployed(Options(port, listen, queue_of(**queue)), screen, WITH_FILES) as (aws, stack):
        for name, value in {**aws.environment, "TABLE_NAME": stack.table}.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        screen.print(f"Up at {aws.endpoint}; Ctrl-C ends it.", highlight=False)
        while True:
            aws.queue_state()  # raises when it has ended by itself
            time.sleep(1)
