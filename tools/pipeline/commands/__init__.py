"""The commands as they are typed."""

import importlib
from difflib import get_close_matches

import click

from pipeline import __version__
from pipeline.errors import EXIT_CODES

__all__ = ["cli"]

COMMANDS = (
    *("run", "up", "invoke", "items", "submit", "upload", "verify", "export"),
    *("dead-letters", "redrive", "status", "explain", "rehearse", "plan", "smoke"),
)


class Commands(click.Group):
    """The commands, each loaded when it is needed: some need packages that take a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command by its name."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"pipeline.commands.{name}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for, or name the one that may be meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if near := get_close_matches(args[0], COMMANDS, n=1):
                error.message = f"{error.message.rstrip('.')}. Did you mean '{near[0]}'?"
            raise


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120, "show_default": True}


@click.group(cls=Commands, context_settings=SETTINGS, epilog=EXIT_CODES)
@click.version_option(__version__, prog_name="pipeline")
def cli() -> None:
    """Run the pipeline on an embedded AWS, send records, and operate the deployed stack.

    If AWS_ENDPOINT_URL and AWS_CA_BUNDLE are set, the commands use that AWS instead of Amazon's.
    """
