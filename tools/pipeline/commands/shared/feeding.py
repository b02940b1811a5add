"""Feeding records to a pipeline on the embedded AWS, by events or as a file, and finding what became of them."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from threading import Event
from typing import IO, Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.commands.shared.judging import dead_records
from pipeline.commands.shared.report import RunReport
from pipeline.letters.peek import Peek
from pipeline.letters.queue import DeadLetterQueue
from pipeline.letters.selection import examine
from pipeline.local.embedded.process import EmbeddedAws
from pipeline.local.errors import LocalError
from pipeline.local.run import drain, step, teller
from pipeline.records.bucket import Bucket, FilesQueue, key_of
from pipeline.records.dead import DeadRecords
from pipeline.records.judgement import Judged, Judgement
from pipeline.records.lines import InvalidLineError, Line, LineNumbers, Prepared, prepare
from pipeline.records.outcomes import Outcomes
from pipeline.records.packing import Batch, Packing, Prepare
from pipeline.records.source import Source
from pipeline.records.submit import Submission
from pipeline.records.table import Table, quick
from pipeline.stack import ENTRY, Stack
from pipeline.stack.invoke import Answer, Invoker, Reply
from pipeline.stack.rate_limit import RateLimiter

THREADS = 4  # events that are sent at once
DELIVERED = 10
"""Seconds within which the rule has put a file into its queue, or the reader has sent the next message about it."""
POLL = 0.2  # seconds between two looks at a file's receipt


class Fed(NamedTuple):
    """How lines were given to the pipeline."""

    prepare: Prepare  # what returns what was sent for a line, or says why it was not accepted
    lines: Callable[[], Iterator[Line]]  # the lines that were accepted or refused
    events: int
    seconds: float
    queue: dict[str, Any]  # the queue's last state
    unsent: int | None = None  # lines that were not submitted when the run was interrupted; None if it was not


class UploadedFile(NamedTuple):
    """A file in the bucket."""

    bucket: Bucket
    queue: FilesQueue
    key: str
    version: str


class Answers:
    """What Lambda answered to lines: which it accepted, and why it refused others."""

    def __init__(self) -> None:
        self.accepted, self.refused = LineNumbers(), dict[int, str]()
        self.seen = 0

    def note(self, batch: Batch, answer: Answer) -> None:
        """Take in the answer to an event."""
        self.seen += len(batch.lines)
        for line in batch.lines:
            if answer.reply is Reply.ACCEPTED or batch.problem:
                self.accepted.add(line.number)  # one with a problem is refused by `prepare` again
            else:
                self.refused[line.number] = answer.reason

    def prepare(self, line: Line) -> Prepared:
        """Return what was sent for a line."""
        if reason := self.refused.get(line.number):
            raise InvalidLineError(reason)
        return prepare(line)


def feed(aws: EmbeddedAws, stack: Stack, source: Source, console: Console, *, batch: int = 1) -> Fed:
    """Submit lines, so many in an event at most, and wait until the queue has drained."""
    answers, began = Answers(), time.monotonic()
    total = sum(1 for _ in source.lines())
    invoker = Invoker(aws.client("lambda"), RateLimiter(), Event())
    packing = Packing(prepare, batch=batch)
    submission = Submission(stack.aliases[ENTRY], invoker, packing, attrgetter("records"), parallel=THREADS)

    def send(progress: Progress) -> None:
        bar, tell = progress.add_task("submit", total=total), teller(console, "submit")

        def note(batch: Batch, answer: Answer) -> None:
            if answer.reply is Reply.FAILED and invoker.stop.is_set():
                return  # the run is interrupted: it was not sent
            answers.note(batch, answer)
            progress.update(bar, completed=answers.seen)
            tell(f"{answers.seen} of {total} lines")

        submission.tell = note
        submission.run(source.lines())

    state, stopped = _work_off(aws, console, send)
    return Fed(
        answers.prepare,
        lambda: (line for line in source.lines() if line.number in answers.accepted or line.number in answers.refused),
        submission.counts.events,
        time.monotonic() - began,
        state,
        total - answers.seen if stopped else None,
    )


def feed_by_file(aws: EmbeddedAws, stack: Stack, source: Source, console: Console) -> Fed:
    """Upload a file of lines into the bucket, and wait for its receipt and until the queue has drained."""
    bucket, key, began = Bucket(aws.client("s3"), stack.bucket), key_of(source), time.monotonic()
    file = UploadedFile(bucket, FilesQueue(aws.client("sqs"), stack.files_url), key, bucket.upload(source, key))
    state, stopped = _work_off(aws, console, lambda progress: _wait_for_receipt(aws, file, progress))
    seconds = time.monotonic() - began
    if receipt := bucket.receipt(key, file.version):
        console.print(f"The file's receipt: {json.dumps(receipt._asdict())}", highlight=False)
    entry = stack.stages[ENTRY].function
    events = state["functions"].get(entry and entry.name, {}).get("AsyncEventsReceived", 0)
    return Fed(bucket.as_read(key), source.lines, events, seconds, state, 0 if stopped else None)


def judged(
    aws: EmbeddedAws, stack: Stack, fed: Fed, outcomes: Outcomes, console: Console, *, items: IO[str] | None = None
) -> RunReport:
    """Find what became of the lines that were fed; the stored items are written to `items`, a line of JSON each."""
    shown = set[tuple[str, int]]()

    def show(one: Judged) -> None:
        if items and one.item and one.item.key not in shown:
            shown.add(one.item.key)
            items.write(json.dumps(one.item.document, ensure_ascii=False) + "\n")

    with step("report", console):
        table = Table(quick(aws.client("dynamodb")), stack.table, RateLimiter())
        judgement = Judgement(table, _dead_records(aws, stack), fed.prepare, changes_data=True)
        outcomes.take(judgement, _telling(console, fed.lines()), show)
    return RunReport(outcomes, fed.events, fed.seconds, fed.queue, fed.unsent)


def _dead_records(aws: EmbeddedAws, stack: Stack) -> DeadRecords:
    queue = DeadLetterQueue(aws.client("sqs"), stack.queue_url, poll=0)  # its one server misses no letter
    if not (depth := queue.depth()).visible:
        return DeadRecords()
    with Peek(queue, depth) as letters:
        return dead_records(examine(letter, stack) for letter in letters)


def _work_off(aws: EmbeddedAws, console: Console, begin: Callable[[Progress], None]) -> tuple[dict[str, Any], bool]:
    """Begin, and wait until the queue has drained; return its last state, and whether that was interrupted."""
    columns: list[Any] = [TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=console) as progress:
        try:
            begin(progress)
            return drain(aws, progress), False
        except KeyboardInterrupt:
            return aws.queue_state(), True


def _wait_for_receipt(aws: EmbeddedAws, file: UploadedFile, progress: Progress) -> None:
    """Wait until a file is settled, or is a dead letter."""
    bar, tell, deadline = progress.add_task("read", total=None), teller(progress.console, "files"), 0.0
    while not file.bucket.receipt(file.key, file.version):
        if state := file.bucket.state(file.key):
            progress.update(bar, description="settle" if state.round else "read", completed=state.stored)
            tell(f"{state.accepted} lines sent, {state.stored} stored")
        if errors := aws.queue_state()["errors"]:
            raise LocalError("; ".join(errors))
        deadline = 0.0 if file.queue.messages() else deadline or time.monotonic() + DELIVERED
        if deadline and time.monotonic() > deadline:
            if not state:
                raise LocalError(f"no rule put the file into its queue within {DELIVERED} s")
            return  # a dead letter says why
        time.sleep(POLL)


def _telling(console: Console, lines: Iterable[Line]) -> Iterator[Line]:
    """Say now and then how many lines were judged."""
    tell = teller(console, "report")
    for count, line in enumerate(lines, start=1):
        tell(f"{count} lines")
        yield line
