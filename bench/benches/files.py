"""Files: how fast the reader reads one, how much memory it takes, and what a million lines cost all in."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from math import ceil
from typing import Any

from bench import prices
from bench.benches.batches import Stages, chained, cost
from bench.harness.configured import stages
from bench.harness.cpu import unlimited_reason
from bench.harness.endpoint import LATENCY, endpoint
from bench.harness.fake_s3 import RECORDS, TEXT, serving
from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.rounds import Variant, interleave
from bench.harness.setup import Setup
from bench.results.figures import Goal, Plot, Sample, Table
from model import build

MILLION = 1_000_000
PLAIN, PACKED, LARGE = "a million lines", "a million lines, gz", "a gigabyte"
BLOCKS = {PLAIN: MILLION // RECORDS, PACKED: MILLION // RECORDS, LARGE: ceil(1e9 / len(TEXT))}
BATCH = 270  # records of 250 bytes: what the reader puts into an event
PEAK, FULL = "peak (MB)", "s a million, full CPU"


def files(setup: Setup) -> list[Table]:
    """Measure how fast the reader reads a file, how much memory that takes, and what a million lines cost all in."""
    with serving() as url:
        variants = [Variant(name=name, measure=partial(_read, name, url, setup)) for name in BLOCKS]
        reading = Table(
            name="files",
            title="The reader without its pace, records of 250 bytes",
            peer=PLAIN,
            rows=interleave(variants, setup.rounds, setup.advance),
            goals=[Goal(variant=name, metric=PEAK, at_most=150) for name in BLOCKS],
            notes=[f"Its pace is {_paced():.0f} records a second: {MILLION / _paced():.0f} s a million."],
        )
    return [reading, _costs(setup)]


@cache
def _reader() -> dict[str, Any]:
    """Return what the model says of the reader."""
    properties: dict[str, Any] = build().resources["ReaderFunction"].properties
    return properties


def _paced() -> float:
    return float(_reader()["Environment"].Variables["RECORDS_A_SECOND"])


def _read(name: str, url: str, setup: Setup) -> Sample:
    """Let the reader read a file, in as many invocations as its time allows: here one."""
    place = {"bucket": {"name": "files"}, "object": {"key": f"{BLOCKS[name]}/file.jsonl{'.gz' * (name == PACKED)}"}}
    environment = {
        "AWS_ENDPOINT_URL": url,
        "ENTRY_FUNCTION_ARN": "arn:aws:lambda:us-east-1:123456789012:function:validator:live",
        "RECORDS_A_SECOND": "1000000000",
    }
    reader = setup.python("reader", environment=environment)
    reader = replace(reader, event={"detail": place}, memory=_reader()["MemorySize"], timeout=_reader()["Timeout"])
    with started(reader, setup.workspace) as lambda_:
        took = lambda_.invoke(reader)
        return {FULL: took * MILLION / (BLOCKS[name] * RECORDS), PEAK: lambda_.peak()}


def _costs(setup: Setup) -> Table:
    reason = unlimited_reason()
    with endpoint(setup.folder("endpoint"), tls=True, roots=setup.roots(), latency=LATENCY) as table:
        functions: dict[str, MeasuredFunction] = {
            stage: setup.python(stage, environment=table.environment) for stage in stages()
        }
        given = chained(functions, BATCH, setup)
        measure = None if reason else partial(_cost, given, setup)
        return Table(
            name="files-cost",
            title="A million lines of 250 bytes by file (USD)",
            peer=PLAIN,
            rows=interleave([Variant(name=PLAIN, measure=measure, missing=reason)], setup.rounds, setup.advance),
            goals=[Goal(variant=PLAIN, metric="total", at_most=0.72)],
            notes=[
                prices.load().remark,
                "The reader is paid for as long as its pace takes. Reading the object costs less than a hundredth of a "
                "cent, S3's events on EventBridge's default bus nothing.",
            ],
            plot=Plot(("table", "requests", "compute", "log", "traces", "reader"), "by what it is paid for"),
        )


def _cost(functions: Stages, setup: Setup) -> Sample:
    """Add the reader's time to what the stages cost for batches of its size."""
    sample = cost(functions, setup=setup, size=BATCH)
    paced = MILLION / _paced()  # seconds
    reader = prices.compute(prices.load(), memory=_reader()["MemorySize"], duration=paced * 1000) / MILLION
    return {**sample, "reader": reader, "total": sample["total"] + reader}
