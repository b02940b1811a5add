"""Files: how fast the reader reads one and looks for its lines, how much memory that takes, and what it costs."""

from functools import cache, partial
from math import ceil
from typing import Any

from bench.harness.endpoint import serving
from bench.harness.fake_s3 import RECORDS, TEXT
from bench.harness.lambdas import started
from bench.harness.setup import Setup, Variant
from bench.prices import MILLION
from bench.results.figures import Goal, Sample, Table
from model import build

PLAIN, PACKED, LOOKED = "a million lines", "a million lines, gz", "a million lines, looked for"
LARGE, LARGE_LOOKED = "a gigabyte", "a gigabyte, looked for"
MANY = MILLION // RECORDS
BLOCKS = {
    PLAIN: MANY,
    PACKED: MANY,
    LOOKED: MANY,
    LARGE: ceil(1e9 / len(TEXT)),
    LARGE_LOOKED: ceil(1e9 / len(TEXT)),
}
PEAK, FULL = "peak (MB)", "s a million, full CPU"
MOST = 90
"""MB."""


def files(setup: Setup) -> list[Table]:
    """Measure how fast the reader reads a file, and how much memory that takes."""
    with serving("fake_s3") as port:
        rows = setup.interleave([Variant(name=name, measure=partial(_read, name, port, setup)) for name in BLOCKS])
    goals = [Goal(variant=name, metric=PEAK, at_most=MOST) for name in BLOCKS]
    pace = float(_reader()["Environment"].Variables["RECORDS_A_SECOND"])
    notes = [f"Its pace is {pace:.0f} records a second: {MILLION / pace:.0f} s a million."]
    title = "The reader without its pace, records of 250 bytes"
    return [Table(name="files", title=title, peer=PLAIN, rows=rows, goals=goals, notes=notes)]


@cache
def _reader() -> dict[str, Any]:
    """Return the reader's properties in the model."""
    properties: dict[str, Any] = build().resources["ReaderFunction"].properties
    return properties


def _read(name: str, port: str, setup: Setup) -> Sample:
    """Let the reader read a file, in as many invocations as its time allows: here one."""
    place = {"bucket": {"name": "files"}, "object": {"key": f"{BLOCKS[name]}/file.jsonl{'.gz' * (name == PACKED)}"}}
    event: dict[str, Any] = {"detail": place}
    if name in (LOOKED, LARGE_LOOKED):
        lines = BLOCKS[name] * RECORDS
        event["continued"] = {"began": 1, "round": 1, "last": lines, "accepted": lines}
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "ENTRY_FUNCTION_ARN": "arn:aws:lambda:us-east-1:123456789012:function:validator:live",
        "FILES_QUEUE_URL": f"http://127.0.0.1:{port}/123456789012/files",
        "DEAD_LETTER_QUEUE_URL": f"http://127.0.0.1:{port}/123456789012/letters",
        "TABLE_NAME": "records",
        "RECORDS_A_SECOND": "1000000000",
        "READERS": "2",
    }
    reader = setup.python("reader", environment=environment)
    size, timeout = _reader()["MemorySize"], _reader()["Timeout"]
    reader = reader._replace(event=event, memory=size, timeout=timeout)
    with started(reader, setup.workspace) as lambda_:
        took = lambda_.invoke(reader)
        return {FULL: took * MILLION / (BLOCKS[name] * RECORDS), PEAK: lambda_.peak()}
