"""Cold starts, first calls and warm calls: processes of Lambda's own runtime clients, over real HTTP or TLS."""

from __future__ import annotations

import time
from functools import partial
from statistics import median

from bench.harness.configured import stages
from bench.harness.cpu import share_of
from bench.harness.endpoint import Endpoint, endpoint
from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.rounds import Variant, interleave
from bench.harness.setup import BOTO3, EMPTY, NODE, NODE_EMPTY, PRODUCT, SEED, Setup, variant
from bench.results.figures import Goal, Plot, Sample, Table, percentile

WARM_UP = 200  # calls, for Node.js' compiler; Python needs none
CALLS = 1000
SETTLE = 0.5  # seconds between init and first call: a quota's debt is paid by then, as in an instance kept ready

MS = 1000


def cold(setup: Setup) -> list[Table]:
    """Measure process start to first answer of the processor, at full and at Lambda's CPU, over HTTP and TLS."""
    return [
        _processor(setup, f"cold-{scheme.lower()}{suffix}", scheme, cpus)
        for scheme in ("HTTP", "TLS")
        for suffix, cpus in (("", None), ("-limited", _lambda_cpus()))
    ]


def _lambda_cpus() -> float:
    return share_of(stages()["processor"].memory)


def _processor(setup: Setup, name: str, scheme: str, cpus: float | None) -> Table:
    with endpoint(setup.folder("endpoint"), tls=scheme == "TLS", roots=setup.roots()) as table:
        measure = partial(_cold, setup=setup, cpus=cpus)
        rows = interleave(_processors(setup, table, measure, cpus), setup.rounds, setup.advance)
    return Table(
        name=name,
        title=f"Cold start of the processor, {scheme}, {f'{cpus:.2f}' if cpus else 'full'} CPU",
        peer=NODE,
        rows=rows,
        goals=[
            Goal(variant=PRODUCT, metric="cold (ms)", against=NODE, at_most=0.7),
            Goal(variant=PRODUCT, metric="peak (MB)", against=NODE, at_most=0.45),
        ],
        plot=Plot(("cold (ms)",), "ms", (PRODUCT,)) if scheme == "TLS" else None,
    )


def _processors(setup: Setup, table: Endpoint, measure: partial[Sample], cpus: float | None) -> list[Variant]:
    environment = table.environment
    return [
        variant(NODE, lambda: setup.node("processor", environment=environment), measure, cpus=cpus),
        variant(PRODUCT, lambda: setup.python("processor", environment=environment), measure, cpus=cpus),
        variant(BOTO3, lambda: setup.python("processor", client="boto3", environment=environment), measure, cpus=cpus),
        variant(EMPTY, lambda: setup.python("empty"), measure, cpus=cpus),
        variant(NODE_EMPTY, lambda: setup.node("empty"), measure, cpus=cpus),
    ]


def starts(setup: Setup) -> list[Table]:
    """Measure the cold start of the stages that only compute, which should cost no more than an empty handler."""
    return [_start(setup, stage) for stage in _computing()]


def _computing() -> list[str]:
    return [stage for stage in stages() if stage != "processor"]


def _start(setup: Setup, stage: str) -> Table:
    measure = partial(_cold, setup=setup, cpus=None)
    variants = [
        variant(EMPTY, lambda: setup.python("empty"), measure),
        variant(PRODUCT, lambda: setup.python(stage), measure),
        variant(SEED, lambda: setup.node(stage), measure),
        variant(NODE_EMPTY, lambda: setup.node("empty"), measure),
    ]
    return Table(
        name=f"cold-{stage}",
        title=f"Cold start of the {stage}, full CPU",
        peer=EMPTY,
        rows=interleave(variants, setup.rounds, setup.advance),
        goals=[Goal(variant=PRODUCT, metric="cold (ms)", against=EMPTY, at_most=1.1)],
    )


def first_call(setup: Setup) -> list[Table]:
    """Measure the first call after init, which is what a caller of a provisioned instance waits for."""
    cpus = _lambda_cpus()
    with endpoint(setup.folder("endpoint"), tls=True, roots=setup.roots()) as table:
        measure = partial(_first, setup=setup, cpus=cpus)
        rows = interleave(_processors(setup, table, measure, cpus), setup.rounds, setup.advance)
    return [
        Table(
            name="first-call",
            title=f"First call after init, TLS, {cpus:.2f} CPU",
            peer=NODE,
            rows=rows,
            goals=[Goal(variant=PRODUCT, metric="first call (ms)", against=NODE, at_most=0.05)],
            plot=Plot(("first call (ms)",), "ms", (PRODUCT,)),
        )
    ]


def warm(setup: Setup) -> list[Table]:
    """Measure warm calls: the processor over HTTP, and the stages that only compute."""
    with endpoint(setup.folder("endpoint"), tls=False) as table:
        measure = partial(_warm, setup=setup)
        rows = interleave(_processors(setup, table, measure, None), setup.rounds, setup.advance)
    processor = Table(
        name="warm",
        title="Warm call of the processor, HTTP, full CPU",
        peer=NODE,
        rows=rows,
        goals=[
            Goal(variant=PRODUCT, metric="p50 (ms)", against=NODE, at_most=0.55),
            Goal(variant=PRODUCT, metric="p99 (ms)", against=NODE, at_most=0.5),
        ],
        plot=Plot(("p50 (ms)",), "ms at the median", (PRODUCT,)),
    )
    return [processor, *(_warm_stage(setup, stage) for stage in _computing())]


def _warm_stage(setup: Setup, stage: str) -> Table:
    measure = partial(_warm, setup=setup)
    variants = [
        variant(SEED, lambda: setup.node(stage), measure),
        variant(PRODUCT, lambda: setup.python(stage), measure),
        variant(EMPTY, lambda: setup.python("empty"), measure),
    ]
    return Table(
        name=f"warm-{stage}",
        title=f"Warm call of the {stage}, full CPU",
        peer=SEED,
        rows=interleave(variants, setup.rounds, setup.advance),
        goals=[Goal(variant=PRODUCT, metric="p50 (ms)", against=SEED, at_most=1.2)],
        notes=["Ours does more in a call: each field checked, sizes, a log line as JSON."],
    )


def _cold(function: MeasuredFunction, *, setup: Setup, cpus: float | None) -> Sample:
    with started(function, setup.workspace, cpus) as lambda_:
        lambda_.invoke(function)
        took, peak = time.perf_counter() - lambda_.began, lambda_.peak()
        return {"cold (ms)": took * MS, "CPU (ms)": lambda_.used() * MS, "peak (MB)": peak}


def _first(function: MeasuredFunction, *, setup: Setup, cpus: float | None) -> Sample:
    with started(function, setup.workspace, cpus) as lambda_:
        time.sleep(SETTLE)
        return {"first call (ms)": lambda_.invoke(function) * MS, "init (ms)": lambda_.init * MS}


def _warm(function: MeasuredFunction, *, setup: Setup) -> Sample:
    with started(function, setup.workspace) as lambda_:
        for _ in range(WARM_UP):
            lambda_.invoke(function)
        took = [lambda_.invoke(function) * MS for _ in range(CALLS)]
        return {"p50 (ms)": median(took), "p99 (ms)": percentile(took, 0.99), "peak (MB)": lambda_.peak()}
