"""The commands as they are typed."""

from __future__ import annotations

import click

from operate.commands.context import EXIT_CODES
from operate.commands.dead_letters import dead_letters
from operate.commands.drop import drop
from operate.commands.redrive import redrive
from operate.commands.status import status
from operate.commands.submit import submit
from operate.commands.verify import verify

__all__ = ["cli"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}, epilog=EXIT_CODES)
def cli() -> None:
    """Operate the deployed pipeline: submit, drop and verify records, look at and redrive dead letters, see its state.

    AWS_ENDPOINT_URL and AWS_CA_BUNDLE lead to another AWS than Amazon's.
    """


for _command in (submit, drop, verify, dead_letters, redrive, status):
    cli.add_command(_command)
