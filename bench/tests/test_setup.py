"""The set-up: what is read off the model, how variants take turns, what the rows say that can't be measured here."""

from pathlib import Path

import pytest
from rich.console import Console

from bench.harness import installed
from bench.harness.configured import stages
from bench.harness.cpu import limited, unlimited_reason
from bench.harness.installed import NotInstalled
from bench.harness.setup import Setup, Variant, variant
from bench.results.figures import Sample
from model import build

CONSOLE = Console(quiet=True)


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A set-up on a machine with nothing on PATH."""
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "workspace").mkdir()
    return Setup(rounds=2, workspace=tmp_path / "workspace", console=CONSOLE, advance=lambda _: None)


def test_the_stages_are_those_of_the_model_from_the_entry_on() -> None:
    properties = {title: resource.properties for title, resource in build().resources.items()}
    assert list(stages()) == ["validator", "enricher", "processor"]
    assert all(properties[f"{name.capitalize()}Function"]["MemorySize"] == one.memory for name, one in stages().items())
    assert "ReaderFunction" in properties


def test_variants_take_turns_and_the_first_round_is_not_counted(setup: Setup) -> None:
    calls: list[str] = []

    def measure(name: str) -> Sample:
        calls.append(name)
        return {"time (ms)": float(calls.count(name) - 1)}

    rows = setup.interleave(
        [Variant(name="a", measure=lambda: measure("a")), Variant(name="b", measure=lambda: measure("b")),
         Variant(name="c", missing="no Node.js")]
    )  # fmt: skip
    assert "".join(calls) == "ababab"
    assert [[sample["time (ms)"] for sample in row.samples] for row in rows] == [[1, 2], [1, 2], []]
    assert rows[-1].missing == "no Node.js"


def test_without_nodejs_its_row_says_so(setup: Setup) -> None:
    row = variant("Node.js", lambda: setup.node("processor"), lambda _: {})
    assert row.measure is None
    assert row.missing.startswith("node, npm")


def test_a_function_is_packaged_without_byte_code_with_its_client(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "peer", lambda *_: Path("python"))
    function = setup.python("processor", client="boto3")
    assert "boto3" in (function.folder / "core" / "aws.py").read_text()
    assert (function.folder / "record.py").exists()
    assert not list(function.folder.rglob("*.pyc"))


def test_an_installation_that_failed_is_tried_again(setup: Setup) -> None:
    for _ in range(2):
        with pytest.raises(NotInstalled, match="node, npm not found"):
            installed.peer("cdk", setup.console)
    assert not (installed.home() / "cdk" / ".ready").exists()


def test_a_peer_is_installed_once_and_again_if_it_has_changed(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[str] = []
    monkeypatch.setattr(installed, "PEERS", tmp_path)
    monkeypatch.setattr(installed, "_install_packages", lambda name, _: made.append(name))
    (tmp_path / "cdk").mkdir()
    for content in ("one", "one", "another"):
        (tmp_path / "cdk" / "app.js").write_text(content)
        assert installed.peer("cdk", setup.console) == installed.home() / "cdk"
    assert made == ["cdk", "cdk"]


def test_without_control_groups_a_command_runs_unlimited_and_the_reason_is_said(tmp_path: Path) -> None:
    assert "control group" in unlimited_reason(tmp_path)
    with limited(0.5, tmp_path) as prefix:
        assert prefix == ["/bin/sh", "-c", 'exec "$@"', "sh"]
