"""A run over the deployed stack: every line accounted for, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pipeline.local.lines import Lines
from pipeline.local.report import Report, show
from rich.console import Console

from pipeline.local.asynchronous import Clock, Faults, QueueOptions
from pipeline.local.errors import LocalError
from pipeline.local.run import feed
from tests.deployed import DeployedStack
from tests.own import enricher


def run(stack: DeployedStack, folder: Path, *lines: object, batch: int = 1) -> Report:
    """Feed lines, each a document or the bytes of one, to the deployed stack."""
    file = folder / "records.jsonl"
    file.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return feed(stack.aws, stack.outputs, Lines(file), Console(quiet=True), batch=batch)


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "timestamp": 1700000000000 + number, "data": {"n": number}, **fields}


def shown(report: Report) -> str:
    console = Console(width=200, record=True, quiet=True)
    with console.capture() as capture:
        console.quiet = False
        show(report, console)
    return capture.get()


def test_each_line_is_stored_dead_or_refused_and_the_others_go_on(stack: DeployedStack, tmp_path: Path) -> None:
    lines = [
        record(1),
        b"not json",
        b"",
        record(2, data=None),
        b"\xff\xfe",
        record(3),
        b'"' + b"x" * 2**20 + b'"',
        b"5",
    ]
    document = run(stack, tmp_path, *lines).document()
    assert {name: document[name] for name in ("submitted", "stored", "refused", "lost", "problems")} == {
        "submitted": 4,
        "stored": 2,
        "refused": 3,
        "lost": 0,
        "problems": ["3 of 7 lines were refused"],
    }
    assert [line["line"] for line in document["refused_lines"]] == [2, 5, 7]
    assert [(dead["line"], dead["id"], dead["stage"], dead["reason"]) for dead in document["dead_letters"]] == [
        (4, "r2", "validator", "Invalid data: missing data field"),
        (8, None, "validator", "Invalid data: a record must be a JSON object (got an integer)"),
    ]


def test_a_conflicting_line_is_dead_though_its_key_is_stored(stack: DeployedStack, tmp_path: Path) -> None:
    document = run(stack, tmp_path, record(1), record(1, data="other")).document()
    assert (document["stored"], document["items"], document["problems"]) == (1, 1, [])
    assert document["dead_letters"][0]["stage"] == "processor"
    assert document["enriched_by"] == {enricher.VERSION: 1}


def test_lines_without_a_timestamp_are_found_by_their_id_and_data(stack: DeployedStack, tmp_path: Path) -> None:
    document = run(stack, tmp_path, {"id": "a", "data": 1}, {"id": "a", "data": 2}).document()
    assert (document["submitted"], document["stored"], document["items"]) == (2, 2, 2)


def test_a_line_that_is_stored_and_dead_counts_as_stored(stack: DeployedStack, tmp_path: Path) -> None:
    # Each delivery twice and half of the calls failing: some deliveries fail for good while their twins succeed.
    stack.reset(QueueOptions(Clock(0.001), Faults(3, duplicate=True, fail_rate=0.5)))
    document = run(stack, tmp_path, *[record(number) for number in range(10)]).document()
    assert document["stored_and_dead"] > 0
    assert document["stored"] + len(document["dead_letters"]) == document["submitted"] == 10
    assert document["items"] == document["stored"]


def test_a_run_that_stops_in_the_middle_loses_records_and_says_so(stack: DeployedStack, tmp_path: Path) -> None:
    stack.reset(QueueOptions(faults=Faults(stop_after=4)))
    report = run(stack, tmp_path, *[record(number) for number in range(6)])
    document = report.document()
    assert document["lost"] > 0
    assert "6 records were submitted, but" in report.problems[0]
    assert len(document["lost_lines"]) == document["lost"]
    stack.reset()


def test_the_table_shows_what_became_of_each_line(stack: DeployedStack, tmp_path: Path) -> None:
    text = shown(run(stack, tmp_path, record(1), {"id": "[red]x"}))
    assert "r1" in text
    assert f"enriched by version {enricher.VERSION}" in text
    assert "[red]x" in text
    assert "Invalid data: missing data field" in text
    assert "2 submitted: 1 stored, 1 dead letter, 0 lost; 0 refused by Lambda." in text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "can't be read: No such file or directory"), (b"\n \n", "must have a JSON document on each line")],
    ids=["missing", "blank"],
)
def test_an_input_without_lines_is_one_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    file = tmp_path / "records.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LocalError, match=sentence):
        Lines(file)


def test_a_folder_as_input_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="can't be read: Is a directory"):
        Lines(tmp_path)
