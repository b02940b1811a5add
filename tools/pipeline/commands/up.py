"""The command `up`."""

from __future__ import annotations

from typing import Any

import click

from pipeline.commands.context import EXIT_CODES
from pipeline.commands.local_options import console, queue_of, queue_options
from pipeline.local.embedded.process import Options
from pipeline.local.run import up as keep_up


@click.command("up", epilog=EXIT_CODES)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 takes a free one.  [default: 0]")
@click.option("--listen", multiple=True, help="An address to listen on beside 127.0.0.1, such as the Docker bridge's.")
@queue_options
def up(port: int, listen: tuple[str, ...], **queue: Any) -> None:
    """Deploy, print the export lines for a shell, and stay up until Ctrl-C."""
    keep_up(Options(port, listen, queue_of(**queue)), console(stderr=True))
