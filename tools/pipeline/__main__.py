"""`pipeline`, also `python -m pipeline`."""

import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while the modules are loaded leaves no traceback


def main() -> int:
    """Run the command that the arguments name, and return its exit code."""
    try:
        from pipeline.main import run  # noqa: PLC0415 - only once Ctrl-C is quiet
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] == "pipeline":
            raise
        raise SystemExit(
            f"There is no {error.name} in this Python: `make setup` makes the environment in .venv; run "
            ".venv/bin/pipeline."
        ) from None
    return run()


if __name__ == "__main__":
    sys.exit(main())
