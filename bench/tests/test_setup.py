"""The set-up: what is read off the model, how variants take turns, what the rows say that can't be measured here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from troposphere import Ref, Template
from troposphere.serverless import DestinationConfiguration, EventInvokeConfiguration, Function, OnSuccess

from bench.harness import installed
from bench.harness import setup as module
from bench.harness.configured import Configured, stages, stages_of
from bench.harness.cpu import limited, share_of, unlimited_reason
from bench.harness.installed import NotInstalled
from bench.harness.records import sized
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


def template(*functions: tuple[str, str]) -> Template:
    """Make a template of functions, each with the one that it hands on to."""
    made = Template()
    for title, after in functions:
        handed_on = OnSuccess(Type="Lambda", Destination=Ref(f"{after}Function.Alias"))
        destination: dict[str, Any] = {"DestinationConfig": DestinationConfiguration(OnSuccess=handed_on)}
        settings = EventInvokeConfiguration(MaximumRetryAttempts=1, **(destination if after else {}))
        made.add_resource(
            Function(
                f"{title}Function",
                Handler=f"{title.lower()}.handler",
                CodeUri="functions/",
                MemorySize=256,
                Timeout=30,
                Runtime="python3.14",
                EventInvokeConfig=settings,
            )
        )
    return made


def test_the_stages_come_in_the_order_of_the_pipeline_with_their_settings() -> None:
    found = stages_of(template(("Last", ""), ("First", "Last")))
    assert list(found.items()) == [(name, Configured(256, 30, "python3.14", 1)) for name in ("first", "last")]


def test_what_hands_on_to_no_stage_and_gets_nothing_from_one_is_no_stage() -> None:
    assert list(stages_of(template(("First", "Last"), ("Last", ""), ("Intake", "")))) == ["first", "last"]
    assert "ReaderFunction" in build().resources
    assert "reader" not in stages()


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


def test_without_a_cpu_limit_the_row_says_so(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "unlimited_reason", lambda: "no CPU limit here")
    row = variant("ours", lambda: setup.python("empty"), lambda _: {}, cpus=0.29)
    assert row.missing == "no CPU limit here"


def test_a_function_is_packaged_without_byte_code_and_with_its_peers_client(
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


def test_a_function_of_512_mb_gets_029_of_a_cpu() -> None:
    assert share_of(512) == pytest.approx(0.289, abs=0.001)


def test_without_control_groups_a_command_runs_unlimited_and_the_reason_is_said(tmp_path: Path) -> None:
    assert "control group" in unlimited_reason(tmp_path)
    with limited(0.5, tmp_path) as prefix:
        assert prefix == ["/bin/sh", "-c", 'exec "$@"', "sh"]


def test_the_second_version_of_control_groups_needs_the_cpu_controller(tmp_path: Path) -> None:
    controllers = tmp_path / "cgroup.subtree_control"
    controllers.write_text("memory pids\n")
    assert unlimited_reason(tmp_path)
    controllers.write_text("cpu memory\n")
    assert not unlimited_reason(tmp_path)


@pytest.mark.parametrize("index", [0, 999, 19_999])
def test_a_record_has_250_bytes(index: int) -> None:
    assert len(json.dumps(sized(index))) == pytest.approx(250, abs=3)
