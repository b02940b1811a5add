"""The command: its list, its help, the JSON that it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import __main__ as command
from bench.results.figures import Row, Table


def test_the_list_says_what_each_bench_measures() -> None:
    done = CliRunner().invoke(command.main, ["--list"])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert len(lines) == len(command.BENCHES)
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)


def test_an_unknown_bench_is_refused_with_the_names_of_the_known() -> None:
    done = CliRunner().invoke(command.main, ["speed"])
    assert done.exit_code == 2
    assert "first-call" in done.output


def test_the_json_has_the_circumstances_and_every_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = Table(name="fake", title="Fake", peer="a", rows=[Row(name="a", samples=[{"time (ms)": 1.0}])])
    monkeypatch.setitem(command.BENCHES, "cold", lambda _: [table])
    file = tmp_path / "figures.json"
    done = CliRunner().invoke(command.main, ["cold", "--rounds", "1", "--json", str(file)])
    assert done.exit_code == 0, done.output
    document = json.loads(file.read_text())
    assert document["rounds"] == 1
    assert {"date", "load", "cpus", "versions"} <= document.keys()
    assert [bench["name"] for bench in document["benches"]] == ["fake"]


def test_a_bench_that_fails_costs_no_others_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = Table(name="fake", title="Fake", peer="a", rows=[Row(name="a", samples=[{"time (ms)": 1.0}])])

    def fail(_: object) -> list[Table]:
        raise OSError("no more processes")

    monkeypatch.setitem(command.BENCHES, "cold", lambda _: [table])
    monkeypatch.setitem(command.BENCHES, "warm", fail)
    file = tmp_path / "figures.json"
    done = CliRunner().invoke(command.main, ["cold", "warm", "--json", str(file)])
    assert isinstance(done.exception, OSError)
    assert [bench["name"] for bench in json.loads(file.read_text())["benches"]] == ["fake"]
