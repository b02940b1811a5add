"""Write template.yaml from the model."""

import argparse
import difflib
import sys
from pathlib import Path

try:
    from model import build, render
except ModuleNotFoundError as missing:
    if missing.name == "model":
        raise
    sys.exit(f"generate.py: this Python lacks {missing.name}; run `make setup`, then .venv/bin/python generate.py")

TEMPLATE = Path(__file__).with_name("template.yaml")
STALE = 1


def main(arguments: list[str] | None = None) -> int:
    """Write the template, or check that the written one is up to date.

    Returns:
        The exit code: 0, or 1 when the checked file is stale.
    """
    options = _parser().parse_args(arguments)
    text = render(build())
    try:
        return _check(options.output, text) if options.check else _write(options.output, text)
    except OSError as error:
        sys.exit(f"generate.py: cannot use {error.filename}: {error.strerror}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="generate.py",
        description="Write the SAM template from the model in model/.",
        epilog="Exit codes: 0 done or up to date, 1 stale or not writable, 2 wrong arguments.",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; print what would change and exit 1 if the file is stale"
    )
    parser.add_argument(
        "--output",
        metavar="PATH",
        default=str(TEMPLATE),
        help="the file to write or check; - for standard output (default: template.yaml beside this script)",
    )
    return parser


def _write(output: str, text: str) -> int:
    if output == "-":
        sys.stdout.write(text)
        return 0
    Path(output).write_text(text, encoding="utf-8", newline="\n")
    print(f"Wrote {_shown(output)}: {len(text.splitlines())} lines")  # noqa: T201 - what the user asked for
    return 0


def _check(output: str, text: str) -> int:
    path = Path(output)
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    if written == text:
        print(f"{_shown(output)} is up to date")  # noqa: T201
        return 0
    name = _shown(output)
    diff = difflib.unified_diff(
        written.splitlines(keepends=True), text.splitlines(keepends=True), name, f"{name} (from the model)"
    )
    sys.stdout.writelines(diff)
    sys.stderr.write(f"{name} is stale: run `python generate.py`\n")
    return STALE


def _shown(output: str) -> str:
    """Name the file as the user would, from where they are."""
    path = Path(output).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
