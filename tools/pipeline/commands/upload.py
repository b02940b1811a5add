"""The command `upload`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click

from pipeline.commands.shared.context import Context, in_json, of_stack
from pipeline.commands.shared.findings import findings
from pipeline.errors import EXIT_CODES, LEFT, MisuseError, standing
from pipeline.letters.selection import Finding
from pipeline.records.bucket import MISSING, REJECTED, Bucket, ReaderState, Receipt, key_of, require_key
from pipeline.records.source import Source
from pipeline.stack import READER
from pipeline.terminal.printable import counted

POLL = 1.0  # seconds between two looks at the receipts
LETTERS = 10  # looks at the receipts between two at the dead letters
COLUMNS = ("File", "State", "Lines", "Stored", "Rejected", "Different", "Missing", "Sent again", "Seconds")


class Uploaded(NamedTuple):
    """A file in the bucket."""

    key: str
    version: str
    size: int | None  # bytes of its text, if it is known


@click.command("upload", epilog=EXIT_CODES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--prefix", default="", show_default=False, help="Begin the files' keys with this, such as orders/.")
@click.option(
    "--wait", is_flag=True, help="Wait until each line is settled; the exit code 0 then means that all are stored."
)
@click.option("--patience", type=click.FloatRange(min=0), default=7200, help="Seconds after which --wait gives up.")
@in_json
@of_stack
def upload(context: Context, *, files: Sequence[Path], prefix: str, wait: bool, patience: float) -> None:
    """Upload files of records to the stack's bucket.

    A file has one record a line; `-` is standard input. Each file is checked first, as by submit. Its key ends in
    .jsonl or .jsonl.gz. If you upload the same file again, nothing is stored twice.

    The bucket's reader gives the lines to the pipeline, looks for each in the table, and sends missing lines again.
    Then receipts/ has the file's receipt, rejected/ the lines that are no records, and missing/ those that could not be
    stored. A file that can't be read at all becomes a dead letter.
    """
    bucket = _bucket(context)
    began = context.queue().depth().time if wait else 0  # by the clock that letters are dated by
    uploaded: list[Uploaded] = []
    named = counted(len(files), "file was", "files were")
    with ExitStack() as opened:
        sources = [opened.enter_context(Source(path)) for path in files]
        keys = [key_of(source, prefix=prefix) for source in sources]
        _check(keys)
        advance = opened.enter_context(context.screen.progress("upload", None))
        opened.enter_context(standing(lambda: f"{len(uploaded)} of {named} uploaded"))
        for source, key in zip(sources, keys, strict=True):
            version = bucket.upload(source, key, advance)
            uploaded.append(Uploaded(key, version, None if source.is_gzip else source.size))
    context.screen.note(f"{counted(len(files), 'file is', 'files are')} in s3://{bucket.name}/{prefix}")
    if wait:
        _follow(context, bucket, uploaded, began=began, until=time.monotonic() + patience)


def _bucket(context: Context) -> Bucket:
    if not context.stack.bucket:
        raise MisuseError(f"The stack '{context.stack.name}' has no bucket of files: deploy it with FilesBucket=true.")
    return Bucket(context.access.client("s3"), context.stack.bucket)


def _check(keys: Sequence[str]) -> None:
    for key in keys:
        require_key(key)
    if twice := [key for key, count in Counter(keys).items() if count > 1]:
        raise MisuseError(f"Several of the files have the name {twice[0]}: upload them with different prefixes.")


def _follow(context: Context, bucket: Bucket, uploaded: Sequence[Uploaded], *, began: int, until: float) -> None:
    """Wait until each file is settled or has failed, and say what became of its lines."""
    progress = FileProgress(context, bucket, uploaded, began)
    with standing(lambda: "the files are in the bucket, and are read"):
        progress.wait(until)
    receipts = progress.receipts
    context.screen.table("", COLUMNS, [(one.key, *_row(one, progress)) for one in uploaded])
    if all(one in receipts and receipts[one].is_whole for one in uploaded):
        return
    kinds = (("rejected", "that are no records", REJECTED), ("missing", "that are missing", MISSING))
    for one, receipt in receipts.items():
        for kind, what, prefix in kinds:
            if getattr(receipt, kind):
                place = f"s3://{bucket.name}/{prefix}{bucket.reported_as(one.key, one.version)}.jsonl"
                context.screen.note(f"The lines of {one.key} {what} are in {place}")
    for (stage, reason), count in _letters(context, began).most_common():
        context.screen.note(f"Dead letters since: {count} of the {stage}: {reason}.")
    raise click.exceptions.Exit(LEFT)


def _row(one: Uploaded, progress: FileProgress) -> tuple[object, ...]:
    if receipt := progress.receipts.get(one):
        state = receipt.reason or "settled"
        return state, receipt.lines, receipt.stored, receipt.rejected, receipt.different, *receipt[4:7]
    failure, so_far = progress.failed.get(one.key), progress.states.get(one)
    told = f"failed: {failure}" if failure else "being settled" if so_far and so_far.round else "not read yet"
    return told, *[""] * (len(COLUMNS) - 2)


class FileProgress:
    """The files that are waited for, and how far each is."""

    def __init__(self, context: Context, bucket: Bucket, uploaded: Sequence[Uploaded], began: int) -> None:
        self._context, self._bucket, self._uploaded, self._began = context, bucket, uploaded, began
        self.receipts: dict[Uploaded, Receipt] = {}
        self.states: dict[Uploaded, ReaderState] = {}
        self.failed: dict[str, str] = {}  # why files failed that have no receipt, by their keys
        self._looks = 0

    @property
    def open(self) -> list[Uploaded]:
        """The files that are not settled, and have not failed."""
        return [one for one in self._uploaded if one not in self.receipts and one.key not in self.failed]

    def wait(self, until: float) -> None:
        """Wait until each file is read, and then until each is settled, with progress."""
        sizes = [one.size for one in self._uploaded]
        total = sum(filter(None, sizes)) if all(sizes) else None
        self._go_on("read", total, until, lambda: not any(self._is_unread(one) for one in self.open), self._bytes)
        lines = sum(state.accepted for state in self.states.values())
        self._go_on("settle", lines, until, lambda: not self.open, self._settled)

    def _go_on(
        self, what: str, total: int | None, until: float, is_done: Callable[[], bool], done: Callable[[], int]
    ) -> None:
        shown = 0
        with self._context.screen.progress(what, total) as advance:
            while True:
                self._look()
                advance(done() - shown)
                shown = done()
                if is_done() or time.monotonic() > until:
                    return
                time.sleep(POLL)

    def _look(self) -> None:
        for one in self.open:
            if receipt := self._bucket.receipt(one.key, one.version):
                self.receipts[one] = receipt
            elif (state := self._bucket.state(one.key)) and state.version == one.version:
                if self._is_unread(one) and state.round:
                    self._say_when(one, state)
                self.states[one] = state
        self._looks += 1
        if self.open and self._looks % LETTERS == 0:
            with _letters_since(self._context, self._began) as letters:
                self.failed |= {one.record_id or "": one.reason for one in letters if one.stage_name == READER}

    def _is_unread(self, one: Uploaded) -> bool:
        return one not in self.states or not self.states[one].round

    def _say_when(self, one: Uploaded, state: ReaderState) -> None:
        when = datetime.fromtimestamp(state.due / 1000, UTC).strftime("%H:%M:%S")
        place = f"{counted(state.accepted, 'line', 'lines')} in the table from {when} UTC on"
        self._context.screen.note(f"{one.key} was read. The reader looks for its {place}.")

    def _bytes(self) -> int:
        return sum(state.end if not state.round else one.size or 0 for one, state in self.states.items())

    def _settled(self) -> int:
        states = [state for one, state in self.states.items() if one not in self.receipts]
        return sum(state.stored for state in states) + sum(receipt.stored for receipt in self.receipts.values())


def _letters(context: Context, began: int) -> Counter[tuple[str, str]]:
    """Count the dead letters since the files were uploaded, whatever they are about."""
    counts = Counter[tuple[str, str]]()
    with _letters_since(context, began) as letters:
        for finding in letters:
            counts[finding.stage_name, finding.reason] += finding.records
    return counts


@contextmanager
def _letters_since(context: Context, began: int) -> Iterator[Iterator[Finding]]:
    """Look at the dead letters that came after a time in ms since the epoch."""
    if not context.queue().depth().visible:
        yield iter(())
        return
    with findings(context, shown=False) as (found, _):
        yield (finding for finding in found if finding.letter.sent >= began)
