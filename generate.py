"""Write what is generated from the model: template.yaml, and the picture of the architecture in the README."""

import argparse
import atexit
import difflib
import gc
import re
import sys
from pathlib import Path

try:
    from model import build, draw, render
except ModuleNotFoundError as missing:
    if missing.name == "model":
        raise
    sys.exit(f"generate.py: this Python lacks {missing.name}; run `make setup`, then .venv/bin/python generate.py")

TEMPLATE = Path(__file__).with_name("template.yaml")
README = Path(__file__).with_name("README.md")
STALE = 1
PICTURE = re.compile(r"(?<=<!-- the architecture, by generate\.py --diagram -->\n).*?(?=<!-- end of it -->)", re.DOTALL)


def main(arguments: list[str] | None = None) -> int:
    """Write the template or the picture, or check that the written one is up to date.

    Returns:
        The exit code: 0, or 1 when the checked file is stale.
    """
    options = _parser().parse_args(arguments)
    output = options.output or str(README if options.diagram else TEMPLATE)
    try:
        text = _picture(output) if options.diagram else render(build())
        return _check(output, text, options.diagram) if options.check else _write(output, text)
    except OSError as error:
        sys.exit(f"generate.py: cannot use {error.filename}: {error.strerror}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="generate.py",
        description="Write the SAM template from the model in model/, or draw the architecture that it describes.",
        epilog="Exit codes: 0 done or up to date, 1 stale or not writable, 2 wrong arguments.",
    )
    parser.add_argument("--diagram", action="store_true", help="draw the architecture as Mermaid into the README")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; print what would change and exit 1 if the file is stale"
    )
    parser.add_argument(
        "--output",
        metavar="PATH",
        help="the file to write or check; - for standard output (default: template.yaml, or README.md for the picture)",
    )
    return parser


def _picture(output: str) -> str:
    """Return the Markdown file with the picture in its place, or the picture alone for standard output."""
    picture = draw(build())
    if output == "-":
        return picture
    text, places = PICTURE.subn(lambda _: f"```mermaid\n{picture}```\n", Path(output).read_text(encoding="utf-8"))
    if places != 1:
        sys.exit(
            f"generate.py: {_shown(output)} must have one place for the picture, between its comments (got {places})"
        )
    return text


def _write(output: str, text: str) -> int:
    if output == "-":
        sys.stdout.write(text)
        return 0
    Path(output).write_text(text, encoding="utf-8", newline="\n")
    print(f"Wrote {_shown(output)}: {len(text.splitlines())} lines")  # noqa: T201 - what the user asked for
    return 0


def _check(output: str, text: str, diagram: bool) -> int:
    path = Path(output)
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    name = _shown(output)
    if written == text:
        print(f"{name} is up to date")  # noqa: T201
        return 0
    diff = difflib.unified_diff(
        written.splitlines(keepends=True), text.splitlines(keepends=True), name, f"{name} (from the model)"
    )
    sys.stdout.writelines(diff)
    sys.stderr.write(f"{name} is stale: run `python generate.py{' --diagram' * diagram}`\n")
    return STALE


def _shown(output: str) -> str:
    """Name the file as the user would, from where they are."""
    path = Path(output).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    # Whatever is built is needed to the end: looking for garbage, meanwhile and then, takes a tenth of the time.
    gc.disable()
    atexit.register(gc.freeze)
    sys.exit(main())
