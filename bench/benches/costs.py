"""What a million records cost: this stack beside the seed's, from measured durations and log volumes."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from bench import prices
from bench.harness.configured import stages
from bench.harness.cpu import share_of
from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.setup import PRODUCT, Setup, variant
from bench.results.figures import Sample, Table

WARM_UP, CALLS = 50, 100
# The bytes that Lambda itself writes for each invocation if the system's log level is INFO or there is none: the START,
# END and REPORT lines as text, and what CloudWatch counts for each line besides its text.
LINE_OVERHEAD = 26
PLATFORM_LINES = 88 + 60 + 160 + 3 * LINE_OVERHEAD
SEED = "the seed, improved"
SEED_SIZES = {"validator": 512, "enricher": 768, "processor": 512}  # MB

Functions = Mapping[str, MeasuredFunction]  # by the stage's name
Metered = tuple[float, float]  # ms, and bytes of log as CloudWatch counts them


def metered(
    function: MeasuredFunction, setup: Setup, memory: int, *, warm_up: int = WARM_UP, calls: int = CALLS
) -> Metered:
    """Call a function at the CPU of its size; return what a warm call takes on average."""
    with started(function, setup.workspace, share_of(memory)) as lambda_:
        for _ in range(warm_up):
            lambda_.invoke(function)
        lambda_.logged()
        took = [lambda_.invoke(function) * 1000 for _ in range(calls)]
        lines = lambda_.logged()
        return sum(took) / calls, (len(lines) + LINE_OVERHEAD * lines.count(b"\n")) / calls


def costs(setup: Setup) -> list[Table]:
    """Model what a million records cost, of this stack and the seed's, from durations measured here."""
    with setup.table() as table:
        rows = setup.interleave(
            [
                variant(
                    name,
                    partial(_functions, setup, table, seed=name == SEED),
                    partial(_measure, setup, sizes, seed=name == SEED),
                    cpus=share_of(min(sizes.values())),
                )
                for name, sizes in stacks().items()
            ]
        )
    notes = [
        prices.load().remark,
        "Stages: compute, requests and logs. Table: items of up to 1 KB.",
        f"Traces: X-Ray samples {prices.TRACED:.0%} of many events; it traces each if less than one a second comes, "
        f"which is {prices.traces(prices.load(), share=1):.2f} USD. The seed's functions don't trace.",
    ]
    return [Table(name="cost", title="A million records (USD)", peer=SEED, rows=rows, notes=notes)]


def stacks() -> dict[str, Mapping[str, int]]:
    """Return the sizes of each stack's functions: the seed's as they stand there, ours as the model has them."""
    return {SEED: SEED_SIZES, PRODUCT: {stage: configured.memory for stage, configured in stages().items()}}


def _functions(setup: Setup, environment: Mapping[str, str], *, seed: bool) -> Functions:
    make: Any = setup.node if seed else setup.python
    return {stage: make(stage, environment=environment) for stage in stages()}


def _measure(setup: Setup, sizes: Mapping[str, int], functions: Functions, *, seed: bool) -> Sample:
    return priced({stage: metered(one, setup, sizes[stage]) for stage, one in functions.items()}, sizes, seed=seed)


def priced(took: Mapping[str, Metered], sizes: Mapping[str, int], *, seed: bool) -> Sample:
    """Return what a million records cost by stage, with what is paid besides."""
    current, sample = prices.load(), {}
    for stage, (duration, logged) in took.items():
        parts = prices.runs(current, sizes[stage], duration, logged + PLATFORM_LINES * seed, arm=not seed)
        sample[stage] = sum(parts.values())
    sample["table"] = prices.MILLION * current.dynamodb_write_unit
    sample["traces"] = 0.0 if seed else prices.traces(current)
    return {**sample, "total": sum(sample.values())}
