"""A run over the deployed stack: every line accounted for, once."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.commands.shared.report import RunReport, show_run
from pipeline.local.asynchronous import Clock, Faults, QueueOptions
from tests.deployed import DeployedStack
from tests.own import enricher
from tools.tests.local.fed import run


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "timestamp": 1700000000000 + number, "data": {"n": number}, **fields}


def shown(report: RunReport) -> str:
    console = Console(width=200, file=io.StringIO())
    show_run(report, console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


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
        "problems": ["3 of 7 records were refused"],
    }
    assert [line["line"] for line in document["refused_lines"]] == [2, 5, 7]
    assert [(dead["line"], dead["id"], dead["stage"], dead["reason"]) for dead in document["dead_letters"]] == [
        (4, "r2", "validator", "Invalid data: missing data field"),
        (8, None, "validator", "Invalid data: a record must be a JSON object (got an integer)"),
    ]


def test_a_conflicting_line_is_dead_though_its_key_is_stored(stack: DeployedStack, tmp_path: Path) -> None:
    document = run(stack, tmp_path, record(1), record(1, data="other")).document()
    assert (document["stored"], len(stack.items()), document["problems"]) == (1, 1, [])
    assert document["dead_letters"][0]["stage"] == "processor"
    assert document["enriched_by"] == {enricher.VERSION: 1}


def test_lines_without_a_timestamp_are_found_by_their_id_and_data(stack: DeployedStack, tmp_path: Path) -> None:
    document = run(stack, tmp_path, {"id": "a", "data": 1}, {"id": "a", "data": 2}).document()
    assert (document["submitted"], document["stored"], len(stack.items())) == (2, 2, 2)


def test_a_line_that_is_stored_and_dead_counts_as_stored(stack: DeployedStack, tmp_path: Path) -> None:
    # Each delivery twice and half of the calls failing: some deliveries fail for good while their twins succeed.
    stack.reset(QueueOptions(Clock(0.001), Faults(3, duplicate=True, fail_rate=0.5)))
    document = run(stack, tmp_path, *[record(number) for number in range(10)]).document()
    assert document["stored_and_dead"] > 0
    assert document["stored"] + len(document["dead_letters"]) == document["submitted"] == 10
    assert len(stack.items()) == document["stored"]


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
    assert "2 submitted: 1 stored, 1 dead letter, 0 lost; 0 refused." in text


def test_a_line_that_is_a_batch_counts_its_records(stack: DeployedStack, tmp_path: Path) -> None:
    document = run(stack, tmp_path, [record(1), record(2), {"id": "bad"}], record(3)).document()
    assert (document["submitted"], document["events"], document["stored"]) == (4, 2, 3)
    assert [(dead["line"], dead["id"]) for dead in document["dead_letters"]] == [(1, "bad")]
