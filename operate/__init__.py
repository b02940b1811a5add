"""The operator's commands: submit and verify records, look at dead letters, redrive them, and see how the stack is."""

try:
    from operate.main import main
except ModuleNotFoundError as error:
    if error.name and error.name.partition(".")[0] in ("operate", "deployed"):
        raise
    raise SystemExit(
        f"There is no {error.name} in this Python: `make setup` makes the environment in .venv; run .venv/bin/python."
    ) from None

__all__ = ["main"]
