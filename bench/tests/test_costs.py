"""What a million records cost: AWS's prices, parts of an event's price, the same stages connected otherwise."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import prices
from bench.benches import batches
from bench.benches.batches import cost, priced
from bench.benches.costs import PLATFORM_LINES, SEED, stacks
from bench.benches.costs import priced as billed
from bench.benches.why import ways
from bench.harness.configured import stages
from bench.harness.lambdas import MeasuredFunction
from bench.harness.setup import PRODUCT
from bench.results.figures import Row, Sample

PRICES = prices.load()


def runs(duration: float = 10, size: float = 0) -> dict[str, float]:
    return prices.runs(PRICES, 512, duration, 1000, size=size)


def test_the_prices_have_a_date_and_a_region() -> None:
    assert date.fromisoformat(PRICES.date)
    assert PRICES.region == "us-east-1"


def test_a_duration_is_billed_by_whole_milliseconds() -> None:
    assert runs(duration=1.01) == runs(duration=2)


def test_a_million_runs_of_512_mb_and_10_ms_cost_7_cents_on_arm() -> None:
    assert runs()["compute"] == pytest.approx(0.0667, abs=0.0001)


@pytest.mark.parametrize(("kilobytes", "requests"), [(0, 1), (256, 1), (257, 2), (320, 2), (321, 3)])
def test_a_large_event_is_billed_as_several_requests(kilobytes: int, requests: int) -> None:
    assert runs(size=kilobytes * 1024)["requests"] == pytest.approx(requests * 0.20)


DURATIONS: Sample = {
    f"{stage} {unit}": value
    for stage in stages()
    for unit, value in {"(ms)": 2.0, "init (ms)": 90.0, "log (bytes)": 250.0, "event (KB)": 1.0}.items()
}


@contextmanager
def echoing(function: MeasuredFunction, _: Path) -> Iterator[Any]:
    """Stand in for a started function that answers with its name."""
    yield SimpleNamespace(invoke=lambda _: 0.0, api=SimpleNamespace(answer=json.dumps([function.name]).encode()))


def chained(monkeypatch: pytest.MonkeyPatch, size: int) -> list[Any]:
    monkeypatch.setattr(batches, "started", echoing)
    setup: Any = SimpleNamespace(workspace=Path())
    functions = {name: MeasuredFunction(name, (), Path(), None) for name in stages()}
    return [function.event for function in batches.chained(functions, size, setup).values()]


def test_each_stage_is_given_the_answer_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = chained(monkeypatch, 25)
    assert len(first) == 25
    assert second["requestPayload"] == first
    assert second["responsePayload"] == [next(iter(stages()))]


def test_a_record_pays_its_part_of_an_event() -> None:
    one, hundred = cost(DURATIONS, 1), cost(DURATIONS, 100)
    assert hundred["table"] == one["table"] == pytest.approx(0.625)
    assert all(hundred[part] == pytest.approx(one[part] / 100) for part in ("requests", "compute", "log", "traces"))


def test_the_total_is_the_sum_of_the_parts() -> None:
    (row,) = priced([Row(name="10 records", samples=[DURATIONS])]).rows
    (sample,) = row.samples
    assert sample["total"] == pytest.approx(sum(cost(DURATIONS, 10).values()))
    assert sample["all traced"] - sample["total"] == pytest.approx(sample["traces"] * 19)  # 5 % are, 95 % are not


def test_this_project_is_billed_by_the_sizes_that_the_model_has() -> None:
    assert stacks()[PRODUCT] == {name: stage.memory for name, stage in stages().items()}


def test_the_seed_pays_for_the_lines_of_lambda_and_for_no_traces() -> None:
    took = dict.fromkeys(stages(), (1.0, 0.0))
    ours, seed = (billed(took, stacks()[name], seed=name == SEED) for name in (PRODUCT, SEED))
    assert (ours["traces"], seed["traces"]) == (prices.traces(prices.load()), 0)
    assert seed["validator"] - ours["validator"] > prices.runs(prices.load(), 128, 0, PLATFORM_LINES)["log"] * 0.99
    assert sum(ours[part] for part in ours if part != "total") == pytest.approx(ours["total"])


def test_each_way_to_connect_the_stages_is_billed_by_its_own_prices() -> None:
    connecting = {name: parts[0] for name, parts in ways(DURATIONS, 1).items()}
    assert connecting == {
        "destinations (this project)": pytest.approx(3 * 0.2),
        "Step Functions Standard": pytest.approx(3 * 0.2 + 3 * 25),
        "Step Functions Express": pytest.approx(3 * 0.2 + 1 + 0.1 / 16 * 16.67, abs=0.001),
        "a durable function": pytest.approx(0.2 + 4 * 8 + 0.75 * (0.25 + 0.15 * 14 / 30), abs=0.001),
        "SQS between the stages": pytest.approx(3 * 0.2 + 2 * 3 * 0.4),
        "one function": pytest.approx(0.2),
    }


def test_batches_share_the_price_of_connecting_but_for_the_kilobytes_that_are_written() -> None:
    one, hundred = ways(DURATIONS, 1), ways(DURATIONS, 100)
    shared = [name for name in one if hundred[name][0] == pytest.approx(one[name][0] / 100)]
    assert set(one) - set(shared) == {"a durable function"}
