"""Cold starts, first calls and warm calls: processes of Lambda's own runtime clients, over real HTTP or TLS."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median, quantiles

from bench.harness.configured import stages
from bench.harness.cpu import share_of
from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.setup import BOTO3, EMPTY, NODE, NODE_EMPTY, PRODUCT, SEED, Setup, variant
from bench.results.figures import Goal, Sample, Table

PROCESSORS = (NODE, PRODUCT, BOTO3, EMPTY, NODE_EMPTY)
WARM_UP = 200  # calls, for Node.js' compiler; Python needs none
CALLS = 1000
SETTLE = 0.5  # seconds between init and first call: a quota's debt is paid by then, as in an instance kept ready
MS = 1000


def _lambda_cpus() -> float:
    return share_of(stages()["processor"].memory)


def _computing() -> list[str]:
    return [stage for stage in stages() if stage != "processor"]


def cold(setup: Setup) -> list[Table]:
    """Measure process start to first answer of the processor, at full and at Lambda's CPU, over HTTP and TLS."""
    goals = {"cold (ms)": 0.7, "peak (MB)": 0.45}
    return [
        _table(setup, f"cold-{scheme.lower()}{suffix}", f"Cold start of the processor, {scheme}, {named} CPU",
               "processor", PROCESSORS, _cold, goals, tls=scheme == "TLS", cpus=cpus)
        for scheme in ("HTTP", "TLS")
        for suffix, cpus, named in (("", None, "full"), ("-limited", _lambda_cpus(), f"{_lambda_cpus():.2f}"))
    ]  # fmt: skip


def starts(setup: Setup) -> list[Table]:
    """Measure the cold start of the stages that only compute, which should cost no more than an empty handler."""
    variants, goals = (EMPTY, PRODUCT, SEED, NODE_EMPTY), {"cold (ms)": 1.1}
    return [
        _table(setup, f"cold-{stage}", f"Cold start of the {stage}, full CPU", stage, variants, _cold, goals)
        for stage in _computing()
    ]


def first_call(setup: Setup) -> list[Table]:
    """Measure the first call after init, which is what a caller of a provisioned instance waits for."""
    title, goals = f"First call after init, TLS, {_lambda_cpus():.2f} CPU", {"first call (ms)": 0.05}
    return [_table(setup, "first-call", title, "processor", PROCESSORS, _first, goals, tls=True, cpus=_lambda_cpus())]


def warm(setup: Setup) -> list[Table]:
    """Measure warm calls: the processor over HTTP, and the stages that only compute."""
    title, goals = "Warm call of the processor, HTTP, full CPU", {"p50 (ms)": 0.55, "p99 (ms)": 0.5}
    variants, notes = (SEED, PRODUCT, EMPTY), ["Ours does more in a call: each field checked, a log line as JSON."]
    return [
        _table(setup, "warm", title, "processor", PROCESSORS, _warm, goals),
        *(
            _table(setup, f"warm-{stage}", f"Warm call of the {stage}, full CPU", stage, variants, _warm,
                   {"p50 (ms)": 1.2}, notes=notes)
            for stage in _computing()
        ),
    ]  # fmt: skip


def _table(  # noqa: PLR0917 - each call has its measure in a line
    setup: Setup, name: str, title: str, stage: str, variants: Sequence[str], measure: Callable[..., Sample],
    goals: Mapping[str, float], *, tls: bool = False, cpus: float | None = None, notes: Sequence[str] = (),
) -> Table:  # fmt: skip
    """Measure the variants of a stage; the goals are set on ours against the first."""
    with setup.table(tls=tls, slow=False) as table:
        make: dict[str, Callable[[], MeasuredFunction]] = {
            PRODUCT: partial(setup.python, stage, environment=table),
            BOTO3: partial(setup.python, stage, client="boto3", environment=table),
            EMPTY: partial(setup.python, "empty"),
            NODE_EMPTY: partial(setup.node, "empty"),
        }
        node = partial(setup.node, stage, environment=table)
        each = partial(measure, setup, cpus)
        rows = setup.interleave([variant(one, make.get(one, node), each, cpus=cpus) for one in variants])
    peer = variants[0]
    limits = [Goal(variant=PRODUCT, metric=metric, against=peer, at_most=limit) for metric, limit in goals.items()]
    return Table(name=name, title=title, peer=peer, rows=rows, goals=limits, notes=notes)


def _cold(setup: Setup, cpus: float | None, function: MeasuredFunction) -> Sample:
    with started(function, setup.workspace, cpus) as lambda_:
        lambda_.invoke(function)
        took, peak = time.perf_counter() - lambda_.began, lambda_.peak()
        return {"cold (ms)": took * MS, "CPU (ms)": lambda_.used() * MS, "peak (MB)": peak}


def _first(setup: Setup, cpus: float | None, function: MeasuredFunction) -> Sample:
    with started(function, setup.workspace, cpus) as lambda_:
        time.sleep(SETTLE)
        return {"first call (ms)": lambda_.invoke(function) * MS, "init (ms)": lambda_.init * MS}


def _warm(setup: Setup, cpus: float | None, function: MeasuredFunction) -> Sample:
    with started(function, setup.workspace, cpus) as lambda_:
        for _ in range(WARM_UP):
            lambda_.invoke(function)
        took = [lambda_.invoke(function) * MS for _ in range(CALLS)]
        return {"p50 (ms)": median(took), "p99 (ms)": quantiles(took, n=100)[98], "peak (MB)": lambda_.peak()}
