"""Cold starts, first calls and warm calls: processes of Lambda's own runtime clients, over real HTTP or TLS."""

from __future__ import annotations

import time
from functools import partial
from statistics import median

from bench.harness.cpu import share_of
from bench.harness.endpoint import Endpoint, endpoint
from bench.harness.lambdas import Function, started
from bench.harness.rounds import Variant, interleave
from bench.harness.setup import BOTO3, EMPTY, NODE, NODE_EMPTY, PRODUCT, SIGNER, Setup, variant
from bench.results.figures import Sample, Table, Target, percentile

PROCESSOR_CPUS = share_of(512)
WARM_UP = 200  # calls, for Node.js' compiler; Python needs none
CALLS = 1000
SETTLE = 0.5  # seconds between init and first call: a quota's debt is paid by then, as in an instance kept ready

MS = 1000


def cold(setup: Setup) -> list[Table]:
    """Measure process start to first answer of the processor, at full and at Lambda's CPU, over HTTP and TLS."""
    return [
        _processor(setup, "cold", "Cold start of the processor, HTTP, full CPU", tls=False, cpus=None),
        _processor(setup, "cold-0.29", "Cold start of the processor, HTTP, 0.29 CPU", tls=False, cpus=PROCESSOR_CPUS),
        _processor(setup, "cold-tls", "Cold start of the processor, TLS, full CPU", tls=True, cpus=None),
        _processor(setup, "cold-tls-0.29", "Cold start of the processor, TLS, 0.29 CPU", tls=True, cpus=PROCESSOR_CPUS),
    ]


def _processor(setup: Setup, name: str, title: str, *, tls: bool, cpus: float | None) -> Table:
    with endpoint(setup.folder("endpoint"), tls=tls, roots=setup.roots()) as table:
        measure = partial(_cold, setup=setup, cpus=cpus)
        rows = interleave(_processors(setup, table, measure, cpus), setup.rounds, setup.advance)
    targets = [
        Target(variant=PRODUCT, metric="cold (ms)", against=NODE, at_most=1.0),
        Target(variant=PRODUCT, metric="peak (MB)", against=NODE, at_most=0.6),
    ]
    return Table(name=name, title=title, peer=NODE, rows=rows, targets=targets)


def _processors(setup: Setup, table: Endpoint, measure: partial[Sample], cpus: float | None) -> list[Variant]:
    environment = table.environment
    return [
        variant(NODE, lambda: setup.node("processor", environment=environment), measure, cpus=cpus),
        variant(PRODUCT, lambda: setup.python("processor", environment=environment), measure, cpus=cpus),
        variant(BOTO3, lambda: setup.python("processor", store="boto3", environment=environment), measure, cpus=cpus),
        variant(SIGNER, lambda: setup.python("processor", store="signer", environment=environment), measure, cpus=cpus),
        variant(EMPTY, lambda: setup.python("empty"), measure, cpus=cpus),
        variant(NODE_EMPTY, lambda: setup.node("empty"), measure, cpus=cpus),
    ]


def stages(setup: Setup) -> list[Table]:
    """Measure the cold start of the validator and the enricher, which should cost no more than an empty handler."""
    return [_stage(setup, stage) for stage in ("validator", "enricher")]


def _stage(setup: Setup, stage: str) -> Table:
    measure = partial(_cold, setup=setup, cpus=None)
    variants = [
        variant(EMPTY, lambda: setup.python("empty"), measure),
        variant(PRODUCT, lambda: setup.python(stage), measure),
        variant("Node.js, the seed's", lambda: setup.node(stage), measure),
        variant(NODE_EMPTY, lambda: setup.node("empty"), measure),
    ]
    return Table(
        name=f"cold-{stage}",
        title=f"Cold start of the {stage}, full CPU",
        peer=EMPTY,
        rows=interleave(variants, setup.rounds, setup.advance),
        targets=[Target(variant=PRODUCT, metric="cold (ms)", against=EMPTY, at_most=1.3)],
    )


def first_call(setup: Setup) -> list[Table]:
    """Measure the first call after init, which is what a caller of a provisioned instance waits for."""
    with endpoint(setup.folder("endpoint"), tls=True, roots=setup.roots()) as table:
        measure = partial(_first, setup=setup, cpus=PROCESSOR_CPUS)
        rows = interleave(_processors(setup, table, measure, PROCESSOR_CPUS), setup.rounds, setup.advance)
    target = Target(variant=PRODUCT, metric="first call (ms)", against=NODE, at_most=0.25)
    title = "First call after init, TLS, 0.29 CPU"
    return [Table(name="first-call", title=title, peer=NODE, rows=rows, targets=[target])]


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
        targets=[
            Target(variant=PRODUCT, metric="p50 (ms)", against=NODE, at_most=0.85),
            Target(variant=PRODUCT, metric="p99 (ms)", against=NODE, at_most=0.5),
        ],
    )
    return [processor, *(_warm_stage(setup, stage) for stage in ("validator", "enricher"))]


def _warm_stage(setup: Setup, stage: str) -> Table:
    measure = partial(_warm, setup=setup)
    node = "Node.js, the seed's"
    variants = [
        variant(node, lambda: setup.node(stage), measure),
        variant(PRODUCT, lambda: setup.python(stage), measure),
        variant(EMPTY, lambda: setup.python("empty"), measure),
    ]
    rows = interleave(variants, setup.rounds, setup.advance)
    note = "Nothing is claimed here: ours does more in a call (each field checked, sizes, a log line as JSON)."
    return Table(name=f"warm-{stage}", title=f"Warm call of the {stage}, full CPU", peer=node, rows=rows, notes=[note])


def _cold(function: Function, *, setup: Setup, cpus: float | None) -> Sample:
    with started(function, setup.workspace, cpus) as lambda_:
        lambda_.invoke(function)
        took, peak = time.perf_counter() - lambda_.began, lambda_.peak()
        return {"cold (ms)": took * MS, "CPU (ms)": lambda_.used() * MS, "peak (MB)": peak}


def _first(function: Function, *, setup: Setup, cpus: float | None) -> Sample:
    with started(function, setup.workspace, cpus) as lambda_:
        time.sleep(SETTLE)
        return {"first call (ms)": lambda_.invoke(function) * MS, "init (ms)": lambda_.init * MS}


def _warm(function: Function, *, setup: Setup) -> Sample:
    with started(function, setup.workspace) as lambda_:
        for _ in range(WARM_UP):
            lambda_.invoke(function)
        took = [lambda_.invoke(function) * MS for _ in range(CALLS)]
        return {"p50 (ms)": median(took), "p99 (ms)": percentile(took, 0.99), "peak (MB)": lambda_.peak()}
