"""The command `rehearse`: an unchanged tree changes nothing, and each planted change is counted exactly."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.own import pipeline

from ..conftest import Ran
from ..stack.samples import record

Run = Callable[..., Ran]
Edit = Callable[[Path], None]
ENRICHER, CHECKER = "functions/enricher.py", "functions/checker.py"
CHECK = '''
from core.stage import stage
from record import InvalidRecord, Record


@stage("checked")
def handler(record: Record) -> dict[str, object]:
    """Say in the version that it was checked."""
    return {"version": str(record.fields.get("version", "none")) + "c"}
'''
RESOURCE = """
  CheckerFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: checker.handler
      CodeUri: functions/
      EventInvokeConfig:
        DestinationConfig:
          OnSuccess:
            Type: Lambda
            Destination: !Ref ProcessorFunction.Alias

Outputs:
"""
LINES = [
    *(
        json.dumps(record(n, data={"n": n, "total": n * 1.5}, **({"source": "shop"} if n % 20 == 0 else {})))
        for n in range(100)
    ),
    "no JSON",
    json.dumps({"id": "r-1"}),
    json.dumps([record(200), record(201)]),
    json.dumps(record(3, data="another")),
    "",
]
"""A hundred good lines, three that are refused in both trees, and a batch of two."""


def git(folder: Path, *arguments: str) -> None:
    name = ("-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


def edit(path: Path, *edits: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def first(folder: Path, statement: str) -> None:
    """Put a statement first into the enricher's function."""
    text = '"""Add the enrichment to a record."""\n'
    edit(folder / ENRICHER, (text, f"{text}    {statement}\n"), ("import Record", "import InvalidRecord, Record"))


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with four stages in git, whose first commit refuses what the second does not."""
    folder = pipeline.write(tmp_path_factory.mktemp("project"))
    (folder / CHECKER).write_text(CHECK)
    edit(
        folder / "template.yaml",
        ("Destination: !Ref ProcessorFunction.Alias", "Destination: !Ref CheckerFunction.Alias"),
        ("\nOutputs:\n", RESOURCE),
    )
    enricher = (folder / ENRICHER).read_text()
    first(folder, 'if record.timestamp % 25 == 0: raise InvalidRecord("no multiples of 25")')
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / ENRICHER).write_text(enricher)
    git(folder, "commit", "-qam", "second")
    return folder


@pytest.fixture
def project(committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    git(tmp_path, "clone", "-q", str(committed), str(folder))
    (folder / "records.jsonl").write_text("\n".join(LINES))
    monkeypatch.chdir(folder)
    return folder


def rehearsed(operate: Run, *arguments: str) -> dict[str, Any]:
    ran = operate("rehearse", "records.jsonl", "--json", *arguments)
    told: dict[str, Any] = json.loads(ran.out)
    assert ran.code == (told["same"] < told["records"]), ran.err
    sums = sum(told[name] for name in ("same", "differ", "newly_refused", "newly_accepted", "failed"))
    assert told["records"] == sums
    return told


def whats(told: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(one["change"], one["what"], one["records"]) for one in told["changes"]]


def generated(dice: random.Random, number: int) -> str:
    """A record as producers send it, good or bad."""
    data = dice.choice([None, 1.10, "ü", [1, {"a": None}], {"total": dice.random() * 1e9, "at": number}])
    made = {"id": dice.choice([f"r-{number}", f"r-{number % 100}", "", 7]), "data": data}
    return json.dumps(made | ({} if number % 7 == 0 else {"timestamp": 1_700_000_000_000 + number % 5000}))


def test_an_unchanged_tree_changes_nothing(project: Path, operate: Run) -> None:
    dice = random.Random(0)
    (project / "records.jsonl").write_text("\n".join(generated(dice, number) for number in range(3_000)))
    ran = operate("rehearse", "records.jsonl")
    assert (ran.code, ran.out) == (0, "Of 3000 records 3000 stay the same.\n")


def new_version(folder: Path) -> None:
    edit(folder / ENRICHER, ('VERSION = "1.0"', 'VERSION = "1.1"'))


def refusal(folder: Path) -> None:
    first(folder, 'if record.timestamp % 4 == 0: raise InvalidRecord("no fourth")')


def new_field(folder: Path) -> None:
    edit(folder / "functions/record.py", ("FIELDS = (\n", 'FIELDS = (\n    Field("source", text, at_most=100),\n'))


def changed_data(folder: Path) -> None:
    edit(folder / ENRICHER, ('return {"enriched"', 'return {"data": changed(record.data), "enriched"'))
    with (folder / ENRICHER).open("a") as file:
        file.write(
            '\ndef changed(data):\n    return {**data, "total": 1} if "total" in data and data["n"] < 10 else data\n'
        )


def exception(folder: Path) -> None:
    first(folder, 'if record.timestamp % 10 == 0: raise KeyError("ten")')


def other_order(folder: Path) -> None:
    edit(
        folder / "template.yaml",
        ("Destination: !Ref EnricherFunction.Alias", "Destination: !Ref CheckerFunction.Alias#"),
        ("Destination: !Ref CheckerFunction.Alias\n", "Destination: !Ref ProcessorFunction.Alias#\n"),
        ("Destination: !Ref ProcessorFunction.Alias\n", "Destination: !Ref EnricherFunction.Alias\n"),
        ("Alias#\n", "Alias\n"),
        ("Alias#\n", "Alias\n"),
    )


def stage_removed(folder: Path) -> None:
    edit(
        folder / "template.yaml",
        ("Destination: !Ref CheckerFunction.Alias", "Destination: !Ref ProcessorFunction.Alias"),
    )
    (folder / CHECKER).unlink()


def stage_put_in(folder: Path) -> None:
    (folder / "functions/auditor.py").write_text(CHECK.replace('+ "c"', '+ "a"'))
    auditor = RESOURCE.replace("Checker", "Auditor").replace("checker", "auditor")
    edit(
        folder / "template.yaml",
        ("Destination: !Ref EnricherFunction.Alias", "Destination: !Ref AuditorFunction.Alias"),
        ("\nOutputs:\n", auditor.replace("!Ref Processor", "!Ref Enricher")),
    )
    edit(folder / ENRICHER, ('"version": VERSION', '"version": VERSION + str(record.fields.get("version", ""))'))


@pytest.mark.parametrize(
    ("plant", "counts", "changes"),
    [
        (new_version, {"differ": 102}, [("differ", "version", 102)]),
        (refusal, {"newly_refused": 26}, [("newly_refused", "Invalid data: no fourth", 26)]),
        (new_field, {"differ": 5}, [("differ", "source", 5)]),
        (changed_data, {"differ": 10, "replay_conflicts": 10}, [("differ", "data.total", 10)]),
        (exception, {"failed": 11}, [("failed", "KeyError: 'ten'", 11)]),
        (other_order, {"differ": 102}, [("differ", "version", 102)]),
        (stage_removed, {"differ": 102}, [("differ", "version", 102)]),
        (stage_put_in, {"differ": 102}, [("differ", "version", 102)]),
    ],
)
def test_a_planted_change_is_counted_exactly(
    project: Path, operate: Run, plant: Edit, counts: dict[str, int], changes: list[tuple[str, str, int]]
) -> None:
    plant(project)
    told = rehearsed(operate)
    names = ("differ", "newly_refused", "newly_accepted", "failed", "replay_conflicts")
    assert {name: told[name] for name in names if told[name]} == counts
    assert (told["records"], whats(told)) == (105, changes)


def test_what_an_earlier_revision_refused_is_newly_accepted(project: Path, operate: Run) -> None:
    told = rehearsed(operate, "--against", "HEAD~1")
    assert whats(told) == [("newly_accepted", "refused before: Invalid data: no multiples of 25", 5)]


def test_values_are_shown_only_if_they_are_asked_for(project: Path, operate: Run) -> None:
    changed_data(project)
    assert "examples" not in rehearsed(operate)["changes"][0]
    assert rehearsed(operate, "--values")["changes"][0]["examples"][1] == {"line": 2, "old": 1.5, "new": 1}
    assert "line 2, data.total: 1.5 becomes 1" in operate("rehearse", "records.jsonl", "--values").out


def test_it_is_said_in_words_and_in_markdown(project: Path, operate: Run) -> None:
    changed_data(project)
    ran = operate("rehearse", "records.jsonl")
    assert ran.out == (
        "change\twhat\trecords\tlines\ndiffer\tdata.total\t10\t1, 2, 3, 4, 5\n"
        "Of 105 records 95 stay the same, 10 differ.\n"
        "10 records get other data: once stored, each replay of such a record is a conflict, and becomes a dead "
        "letter.\n"
    )
    markdown = operate("rehearse", "records.jsonl", "--markdown").out
    assert markdown.startswith(
        "| Change | What | Records | Lines |\n| --- | --- | --- | --- |\n| differ | data.total | 10 |"
    )


def test_a_stage_that_can_not_be_loaded_fails_for_each_record_that_comes_to_it(project: Path, operate: Run) -> None:
    (project / CHECKER).write_text("import nothing_of_this_name\n")
    told = rehearsed(operate)
    assert whats(told) == [("failed", "ModuleNotFoundError: No module named 'nothing_of_this_name'", 103)]


def test_what_can_not_be_rehearsed_is_misuse(project: Path, operate: Run) -> None:
    assert "The revision moon can't be read from git" in operate("rehearse", "records.jsonl", "--against", "moon").error
    assert operate("rehearse", "records.jsonl", "--json", "--markdown").code == 2
    (project / "functions/record.py").write_text("raise SystemExit(3)\n")
    ran = operate("rehearse", "records.jsonl")
    assert (ran.code, ran.error) == (1, "The stages could not be run: they ended with exit code 3.")
