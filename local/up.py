"""The embedded AWS with the stack deployed, staying up until it is interrupted."""

from __future__ import annotations

import shlex
import time

from rich.console import Console

from local.embedded import Options
from local.run import deployed


def up(options: Options, console: Console) -> None:
    """Deploy, print the `export` lines on standard output, and stay.

    Raises:
        LocalError: It could not be deployed.
    """
    with deployed(options, console) as (aws, stack):
        for name, value in {**aws.environment, "TABLE_NAME": stack.table}.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)  # noqa: T201 - for the caller's shell
        console.print(f"Up at {aws.endpoint}; Ctrl-C ends it.", highlight=False)
        while True:
            aws.queue_state()  # raises when it has ended by itself
            time.sleep(1)
