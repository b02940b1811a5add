"""The command: its list, the JSON that it writes, and which tables replace those in RESULTS.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench import __main__ as command
from bench.results import document
from bench.results.figures import Row, Table

NINE = [{"time (ms)": 1.0}] * 9


@pytest.fixture(autouse=True)
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stand in for RESULTS.md, so that no test changes it."""
    path = tmp_path / "RESULTS.md"
    path.write_text("# Results\n\n## fake\n\nas before\n")
    monkeypatch.setattr(document, "FILE", path)
    return path


def invoke(monkeypatch: pytest.MonkeyPatch, *arguments: str, row: Row | None = None) -> Result:
    """Run the command with a bench that has one row."""
    table = Table(name="fake", title="Fake", rows=[row or Row(name="a", samples=NINE)])
    monkeypatch.setitem(command.BENCHES, "cold", lambda _: [table])
    return CliRunner().invoke(command.main, ["cold", *arguments])


def test_the_list_says_what_each_bench_measures() -> None:
    lines = CliRunner().invoke(command.main, ["--list"]).output.splitlines()
    assert [line.split()[0] for line in lines] == list(command.BENCHES)
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)


def test_a_bench_that_fails_costs_no_others_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(_: object) -> list[Table]:
        raise OSError("no more processes")

    monkeypatch.setitem(command.BENCHES, "warm", fail)
    file = tmp_path / "figures.json"
    assert isinstance(invoke(monkeypatch, "warm", "--json", str(file)).exception, OSError)
    written = json.loads(file.read_text())
    assert {"date", "load", "cpus", "versions", "rounds"} <= written.keys()
    assert [bench["name"] for bench in written["benches"]] == ["fake"]


def test_nine_rounds_replace_the_table(monkeypatch: pytest.MonkeyPatch, results: Path) -> None:
    assert invoke(monkeypatch).exit_code == 0
    assert "as before" not in results.read_text()
    assert ", 9 rounds, " in results.read_text()


def test_a_look_replaces_nothing(monkeypatch: pytest.MonkeyPatch, results: Path) -> None:
    assert "nothing to quote" in invoke(monkeypatch, "--rounds", "8").output
    assert "as before" in results.read_text()


def test_a_table_that_lacks_a_row_replaces_nothing(monkeypatch: pytest.MonkeyPatch, results: Path) -> None:
    done = invoke(monkeypatch, row=Row(name="a", missing="no Node.js"))
    assert "not measured here: a" in done.output
    assert "as before" in results.read_text()
