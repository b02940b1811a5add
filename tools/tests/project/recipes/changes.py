"""Changes that somebody makes to their own copy of the project: small ones, and the recipes of docs/extending.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.tests.copies import ROOT

Change = Callable[[Path], None]

IMPORTS = re.compile(r"(?m)^from \.(\w+) import .*\n")
PROCESSOR = '        Stage(\n            "processor",\n'


def examples() -> dict[str, str]:
    """Return the code of the text by the file that each piece belongs to."""
    text = (ROOT / "docs/extending.md").read_text("utf-8")
    return dict(re.findall(r"<!-- example: (.+?) -->\n```python\n(.*?)```", text, re.DOTALL))


def edit(path: Path, *, at: str, put: str) -> None:
    """Replace what a regular expression finds in a file, once.

    Raises:
        AssertionError: the file has it nowhere, or more than once.
    """
    text, places = re.subn(at, put, path.read_text("utf-8"), flags=re.MULTILINE)
    assert places == 1, f"{path.name} has {places} places for {at}"
    path.write_text(text, "utf-8")


def insert(path: Path, lines: str, *, before: str) -> None:
    """Put lines before a text that a file has once."""
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{path.name} has {text.count(before)} places for {before}"
    path.write_text(text.replace(before, lines + before), "utf-8")


def wire(copy: Path, lines: str) -> None:
    """Put lines into model/stack.py: imports, what comes before the stages, stages, and what is put together."""
    stack = copy / "model/stack.py"
    for line in lines.splitlines(keepends=True):
        if found := IMPORTS.match(line):
            later = (one[0] for one in IMPORTS.finditer(stack.read_text("utf-8")) if one[1] > found[1])
            insert(stack, line, before=next(later))
        elif returned := re.fullmatch(r" +return assemble\(.*?, stages(, .*)\)\n", line):
            edit(stack, at=r"^( +return assemble\(.*)\)$", put=rf"\1{returned[1]})")
        elif line.startswith(" " * 8):
            insert(stack, line, before=PROCESSOR)
        else:
            insert(stack, line, before="    stages = pipeline(\n")


def write(copy: Path, *files: str) -> None:
    """Write files as the text has them."""
    for file in files:
        (copy / file).write_text(examples()[file], "utf-8")


def take_the_enricher_out(copy: Path) -> None:
    edit(copy / "model/stack.py", at=r' {8}Stage\(\n {12}"enricher",\n(?: {12}.*\n)+ {8}\),\n', put="")
    (copy / "functions/enricher.py").unlink()


def put_a_stage_in(copy: Path) -> None:
    """Add the auditor of the text, and its test."""
    write(copy, "functions/auditor.py", "tests/test_auditor.py")
    insert(copy / "model/stack.py", examples()["model/stack.py"], before=PROCESSOR)


def change_a_memory(copy: Path) -> None:
    edit(copy / "model/stack.py", at=r'("processor",\n.*\n +)memory=512', put=r"\1memory=1024")


def change_the_runtime(copy: Path) -> None:
    edit(copy / "model/stages/function.py", at='^RUNTIME = "python3.13"', put='RUNTIME = "python3.12"')


def change_tags(copy: Path) -> None:
    edit(
        copy / "model/project.py", at='"CostCenter": "Engineering"', put='"CostCenter": "Sales",\n    "Team": "Orders"'
    )


def add_a_field(copy: Path) -> None:
    record = copy / "functions/record.py"
    edit(record, at=r"^(FIELDS = \((?:\n .*)+\n)\)", put=rf"\1{examples()['functions/record.py']})")


def add_a_boolean_of_a_stage(copy: Path) -> None:
    edit(
        copy / "functions/record.py",
        at=r"^(ADDED = \((?:\n .*)+\n)\)",
        put=r'\1    Field("reviewed", boolean, at_most=1),\n)',
    )


def describe_the_data(copy: Path) -> None:
    """Add a schema, with a keyword of each kind, that the samples of the copy pass."""
    code = {"type": "string", "pattern": "^[A-Z]+$", "format": "hostname", "maxLength": 9}
    schema = {
        "if": {"type": "object", "required": ["code"]},
        "then": {"properties": {"code": code, "amount": {"exclusiveMinimum": 0, "multipleOf": 0.01}}},
        "properties": {"total": {"type": "number"}},
    }
    (copy / "functions/data.schema.json").write_text(json.dumps(schema), "utf-8")


def add_an_index(copy: Path) -> None:
    storage = copy / "model/storage.py"
    timestamp = '            dynamodb.AttributeDefinition(AttributeName="timestamp", AttributeType="N"),\n'
    edit(storage, at=rf"^{re.escape(timestamp)}", put=timestamp + examples()["model/storage.py: attribute"])
    insert(storage, examples()["model/storage.py: index"], before="        PointInTimeRecoverySpecification=")


def write_to_another_table(copy: Path) -> None:
    write(copy, "model/latest.py", "functions/keeper.py")
    wire(copy, examples()["model/stack.py: latest"])


def write_to_a_bucket(copy: Path) -> None:
    write(copy, "model/archive.py", "functions/archiver.py")
    wire(copy, examples()["model/stack.py: archive"])


def take_records_from_a_queue(copy: Path) -> None:
    write(copy, "model/intake.py", "functions/intake.py")
    wire(copy, examples()["model/stack.py: intake"])


SMALL: tuple[Change, ...] = (
    take_the_enricher_out,
    put_a_stage_in,
    change_a_memory,
    change_the_runtime,
    change_tags,
    add_a_boolean_of_a_stage,
    describe_the_data,
)
RECIPES: tuple[Change, ...] = (
    add_a_field,
    add_an_index,
    write_to_another_table,
    write_to_a_bucket,
    take_records_from_a_queue,
)


def make(copy: Path, changes: Iterable[Change]) -> Path:
    """Make changes to a copy, and return it."""
    for change in changes:
        change(copy)
    return copy
