"""The worked examples of docs/extending.md, taken from the text and put into a copy of the project."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = (".venv*", ".git", ".aws-sam", ".*_cache", "__pycache__", ".hypothesis", ".bench")


def copy_project(folder: Path) -> Path:
    """Copy the project into a folder, and return the copy."""
    return shutil.copytree(ROOT, folder / "project", ignore=shutil.ignore_patterns(*LEFT_OUT))


def add_a_stage(folder: Path) -> Path:
    """Copy the project into a folder, add the stage there as the text says, and return the copy."""
    copy = copy_project(folder)
    texts = examples()
    handler, stack = "functions/auditor.py", "model/stack.py"
    (copy / handler).write_text(texts[handler])
    text = (copy / stack).read_text()
    neighbour = re.search(r' {8}Stage\(\n {12}"processor",', text)
    assert neighbour, "the stage of the processor is not where the example puts its own before it"
    (copy / stack).write_text(text[: neighbour.start()] + texts[stack] + text[neighbour.start() :])
    return copy


def add_a_field(folder: Path) -> Path:
    """Copy the handlers into a folder, declare the field there as the text says, and return the copy."""
    copy = shutil.copytree(ROOT / "functions", folder / "functions", ignore=shutil.ignore_patterns(*LEFT_OUT))
    text = (copy / "record.py").read_text()
    end_of_fields = text.index("\n)\n", text.index("\nFIELDS = (")) + 1
    (copy / "record.py").write_text(text[:end_of_fields] + examples()["functions/record.py"] + text[end_of_fields:])
    return copy


def examples() -> dict[str, str]:
    """Return the examples by the file that each belongs to."""
    text = (ROOT / "docs/extending.md").read_text()
    return dict(re.findall(r"<!-- example: (.+?) -->\n```python\n(.*?)```", text, re.DOTALL))
