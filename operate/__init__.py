"""The operator's commands: submit and verify records, look at dead letters, redrive them, and see how the stack is."""

import signal
import sys

# `python -m operate`: Ctrl-C while the modules are loaded leaves no traceback.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

try:
    from operate.main import main
except ModuleNotFoundError as error:
    if error.name and error.name.partition(".")[0] in ("operate", "deployed"):
        raise
    raise SystemExit(
        f"There is no {error.name} in this Python: `make setup` makes the environment in .venv; run .venv/bin/python."
    ) from None

__all__ = ["main"]
