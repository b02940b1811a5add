"""The command generate.py: it writes template.yaml and the picture in the README, and the check of data.

The check of a record's data is written from functions/data.schema.json, if that is there.

`--name` gives the project another name first, in the model and wherever else it is said.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from troposphere import Template

from .diagram import draw
from .render import render

SCHEMA, DATA_CHECK = "functions/data.schema.json", "functions/core/data_schema.py"
STALE = 1
PICTURE = re.compile(r"(?<=<!-- the architecture, by generate\.py --diagram -->\n).*?(?=<!-- end of it -->)", re.DOTALL)

# The files that hold the project's name, each with the text before it.
SAID = {
    "model/project.py": r'NAME = checked\("',
    "samconfig.toml": r'(?:stack_name|s3_prefix) = "',
    "pyproject.toml": r'name = "',
    ".github/deployment-role.yaml": r"    Default: ",
}


@dataclass(frozen=True)
class Project:
    """A project: its folder, its name, the check of another one, and what builds its template."""

    root: Path
    name: str
    checked: Callable[[str], str]
    build: Callable[[], Template]


def main(project: Project, arguments: list[str] | None = None) -> int:
    """Write or check the template or the picture; return 0, or 1 if the checked one is stale or its reader is gone."""
    try:
        code = _main(project, arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # its reader has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes to it once more at its end
        return 1
    return code


def _main(project: Project, arguments: list[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.name is not None:
        try:
            return _rename(project, project.checked(options.name))
        except ValueError as error:
            parser.error(str(error))
    output = options.output or str(project.root / ("README.md" if options.diagram else "template.yaml"))
    try:
        text = _picture(project, output) if options.diagram else render(project.build())
        code = _check(output, text, options.diagram) if options.check else _write(output, text)
        return code if options.output or options.diagram else code or _data_check(project.root, options.check)
    except BrokenPipeError:  # says nothing of a file
        raise
    except OSError as error:
        sys.exit(f"generate.py: cannot use {error.filename}: {error.strerror}")


def _parser() -> argparse.ArgumentParser:
    description = "Write the SAM template from the model in model/, or draw the architecture that it describes."
    epilog = "Exit codes: 0 done or up to date, 1 stale or not writable, 2 wrong arguments."
    parser = argparse.ArgumentParser(prog="generate.py", description=description, epilog=epilog)
    check = "write nothing; print what would change and exit 1 if the file is stale"
    output = "the file to write or check; - for standard output (default: template.yaml, or README.md for the picture)"
    parser.add_argument("--diagram", action="store_true", help="draw the architecture as Mermaid into the README")
    parser.add_argument("--check", action="store_true", help=check)
    parser.add_argument("--output", metavar="PATH", help=output)
    parser.add_argument("--name", help="give the project another name, write the template and say what is left to do")
    return parser


def _rename(project: Project, name: str) -> int:
    """Write the new name wherever the old one is, and generate anew."""
    root, old = project.root, project.name
    if name == old:
        print(f"The project is called {old} already")
        return 0
    for path, text in [(root / file, _renamed(root, file, old, name)) for file in SAID]:  # all are read first
        path.write_text(text, encoding="utf-8", newline="\n")
    # By another process, as the model is read once in each; before anything is said, as nobody may be listening.
    command = [sys.executable, str(root / "generate.py")]
    written = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(f"Renamed {old} to {name} in {', '.join(SAID)}\n{written.stdout}", end="")
    print(
        f"Left to do by hand:\n"
        f"- A stack that is deployed as {old}-... stays as it is: deploy the new one, send its producers there, and "
        f"remove the old one when nothing waits in it."
    )
    for file, lines in _mentions(root, old):
        print(f"- {file} still says {old}: line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}")
    return written.returncode


def _renamed(root: Path, file: str, old: str, name: str) -> str:
    text = (root / file).read_text(encoding="utf-8")
    renamed, places = re.subn(rf"(?m)^({SAID[file]}){old}\b", rf"\g<1>{name}", text)
    if not places:
        sys.exit(f"generate.py: {file} must say the project's name after {SAID[file]} (got no {old})")
    return renamed


def _mentions(root: Path, name: str) -> Iterator[tuple[Path, list[int]]]:
    """Yield the files that hold a name, and the lines' numbers; hidden folders except .github are left out."""
    word = re.compile(rf"(?<![\w-]){name}(?![a-z0-9])")
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f == ".github" or not f.startswith((".", "__")))
        for path in (Path(folder, file) for file in sorted(files) if not file.endswith(".jinja")):
            text = path.read_text(encoding="utf-8", errors="ignore").splitlines()
            if lines := [number for number, line in enumerate(text, start=1) if word.search(line)]:
                yield path.relative_to(root), lines


def _picture(project: Project, output: str) -> str:
    """Return the Markdown file with the picture in its place, or the picture alone for standard output."""
    picture = draw(project.build())
    if output == "-":
        return picture
    text, places = PICTURE.subn(lambda _: f"```mermaid\n{picture}```\n", Path(output).read_text(encoding="utf-8"))
    if places != 1:
        sys.exit(
            f"generate.py: {_shown(output)} must have one place for the picture, between its comments (got {places})"
        )
    return text


def _data_check(root: Path, check: bool) -> int:
    """Write or check the module that checks data by the project's schema; without a schema there is none."""
    schema, module = root / SCHEMA, root / DATA_CHECK
    if schema.exists():
        from .schema import compiled  # noqa: PLC0415 - few projects have a schema

        try:
            text = compiled(schema.read_text(encoding="utf-8"))
        except ValueError as error:
            sys.exit(f"generate.py: {_shown(str(schema))} can't be used: {error}")
        return _check(str(module), text, False) if check else _write(str(module), text)
    if module.exists() and check:
        sys.stderr.write(f"{_shown(str(module))} has no schema any more: run `python generate.py`\n")
        return STALE
    module.unlink(missing_ok=True)
    return 0


def _write(output: str, text: str) -> int:
    if output == "-":
        sys.stdout.write(text)
        return 0
    path = Path(output)
    if path.exists() and path.read_bytes() == text.encode():  # so that a checkout that is read-only can be run
        print(f"{_shown(output)} is up to date")
        return 0
    path.write_text(text, encoding="utf-8", newline="\n")
    print(f"Wrote {_shown(output)}: {len(text.splitlines())} lines")
    return 0


def _check(output: str, text: str, diagram: bool) -> int:
    path = Path(output)
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    name = _shown(output)
    if written == text:
        print(f"{name} is up to date")
        return 0
    before, after = written.splitlines(keepends=True), text.splitlines(keepends=True)
    sys.stdout.writelines(difflib.unified_diff(before, after, name, f"{name} (as generated)"))
    sys.stderr.write(f"{name} is stale: run `python generate.py{' --diagram' * diagram}`\n")
    return STALE


def _shown(output: str) -> str:
    """Name the file as the user would, from where they are."""
    path = Path(output).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
