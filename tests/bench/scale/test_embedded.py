"""The comparison with the embedded AWS: what it learns from small runs, what it predicts, how it asks for a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.benches import pipeline
from bench.scale import embedded
from bench.scale.embedded import Costs, Run, simulate


def test_costs_are_those_that_explain_the_three_runs() -> None:
    costs = Costs()
    costs.learn(few=1.5 + 100 * 0.01, more=1.5 + 1000 * 0.01, batched=1.5 + 200 * 0.01 + 5000 * 0.0004)
    assert (costs.start, costs.event, costs.record) == pytest.approx((1.5, 0.01, 0.0004))


@pytest.mark.parametrize(("run", "seconds"), [(Run(1000), 10.0), (Run(10_000, size=50), 200 * (0.01 + 50 * 0.0004))])
def test_a_run_takes_as_long_as_its_events_one_after_the_other(run: Run, seconds: float) -> None:
    outcome = simulate(run, Costs(event=0.01, record=0.0004))
    assert outcome.moments[-1].time == pytest.approx(seconds, abs=0.2)
    assert outcome.stored == pytest.approx(run.records / run.size, abs=0.5)


def test_faults_make_a_run_longer_and_leave_dead_letters_of_the_stage_without_retries() -> None:
    outcome = simulate(Run(1000, faults=0.3), Costs(event=0.01))
    # A tenth of the calls fails as the function's own; throttles and system errors before are another fifth.
    assert outcome.dead["retries of the validator"] == pytest.approx(1000 * 0.1 / 0.8, rel=0.01)
    assert abs(outcome.lost) < 1e-6


def test_a_run_is_compared_with_the_report_of_the_same_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []

    def run(count: int, options: tuple[str, ...], folder: Path) -> None:
        asked.append((count, options))
        report = {"seconds": 10.0, "stored": 990, "dead_letters": [{}] * 10, "lost": 0}
        (folder / "report.json").write_text(json.dumps(report))

    monkeypatch.setattr(pipeline, "run", run)
    sample = embedded._compare(Run(1000, size=50, faults=0.1), Costs(event=0.2), tmp_path)
    assert asked == [(1000, ("--batch", "50", "--fail-rate", "0.1"))]
    assert sample["embedded (records/s)"] == 100
    assert sample["dead letters"] == 10
    assert sample["lost"] == 0
    assert sample["simulated / embedded"] == pytest.approx(sample["simulated (records/s)"] / 100)
