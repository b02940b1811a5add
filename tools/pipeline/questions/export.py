"""The table as lines that `submit` takes: read in parallel segments, written by one hand, resumable where it stopped.

The lines are in `FILE.part` until all are there. `FILE.journal` says how far they go: its first line is what is
exported, each further one a page, with its segment, the key to go on from, and the length of the file after it.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from pipeline.errors import MisuseError
from pipeline.records.files import open_private
from pipeline.stack.aws import explained
from pipeline.stack.rate_limit import RateLimiter

PAGE = 1000  # items in a call at most; a page has 1 MB at most, too

OF_STAGES = ("enriched", "enrichedAt", "version")  # the attributes that stages add: no producer may send them
FIRST = ("id", "timestamp", "data")

Item = Mapping[str, Mapping[str, Any]]  # as DynamoDB has it
Key = Mapping[str, Any] | None


class Page(NamedTuple):
    """A part of a segment."""

    segment: int
    lines: bytes
    records: int
    next: Key  # the key to go on from; None at the end of the segment


@dataclass(frozen=True)
class Source:
    """Which items of a table are read, and how fast."""

    client: Any  # of DynamoDB
    name: str
    record_id: str | None
    asked_since: str | None  # the first timestamp as it was asked for, perhaps as an age
    since: int | None  # the same in ms since the epoch
    segments: int
    rate: RateLimiter  # items a second
    limit: int = PAGE

    @property
    def identity(self) -> list[Any]:
        """What an export has in common with the one that it resumes."""
        return [self.name, self.record_id, self.asked_since, self.segments]

    def page(self, segment: int, start: Key) -> Page:
        """Read a page of a segment from a key on."""
        request: dict[str, Any] = {"TableName": self.name, "Limit": self.limit, "ConsistentRead": True}
        values: dict[str, Any] = {}
        names: dict[str, str] = {}
        if start:
            request["ExclusiveStartKey"] = start
        if self.record_id is not None:
            request["KeyConditionExpression"] = "#id = :id"
            names["#id"], values[":id"] = "id", {"S": self.record_id}
        else:
            request |= {"Segment": segment, "TotalSegments": self.segments}
        if self.since is not None:
            part = "KeyConditionExpression" if self.record_id is not None else "FilterExpression"
            request[part] = " AND ".join(filter(None, (request.get(part), "#timestamp >= :since")))
            names["#timestamp"], values[":since"] = "timestamp", {"N": str(self.since)}
        if names:
            request |= {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        self.rate.take_all(1)
        with explained():
            answer = (self.client.scan if self.record_id is None else self.client.query)(**request)
        self.rate.take_all(max(0, answer["ScannedCount"] - 1))
        lines = [as_line(item).encode() + b"\n" for item in answer["Items"]]
        return Page(segment, b"".join(lines), len(lines), answer.get("LastEvaluatedKey"))


def pages(source: Source, starts: Mapping[int, Key]) -> Iterator[Page]:
    """Read segments from keys on, side by side, and yield their pages as they come."""
    with ThreadPoolExecutor(source.segments) as pool:
        running = {pool.submit(source.page, segment, start) for segment, start in starts.items()}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    page = future.result()
                    if page.next:
                        running.add(pool.submit(source.page, page.segment, page.next))
                    yield page
        finally:
            for future in running:
                future.cancel()


@dataclass
class Export:
    """A file that an export is written to, within this context; it resumes one that was stopped."""

    path: Path
    source: Source
    count: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        if os.path.lexists(self.path):
            raise MisuseError(f"{self.path} is there already: move it away, or name another file by -o.")
        with ExitStack() as opened:
            try:
                self._lines, self._journal = (self._open(suffix, opened) for suffix in ("part", "journal"))
                fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise MisuseError(f"Another export to {self.path} is running.") from None
            except OSError as error:
                problem = f"{self.path} can't be written ({error.strerror}): name another file by -o."
                raise MisuseError(problem) from error
            self.starts = self._resume()
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def add(self, page: Page) -> None:
        """Write a page, then note how far the lines go."""
        try:
            _write(self._lines, page.lines)
            self.count += page.records
            end = os.lseek(self._lines, 0, os.SEEK_CUR)
            _write(self._journal, json.dumps([page.segment, page.next, end, self.count]).encode() + b"\n")
        except OSError as error:
            raise MisuseError(f"{self.path} can't be written any more ({error.strerror}).") from error

    def finish(self) -> None:
        """Let the file appear under its name."""
        os.fsync(self._lines)
        self._beside("part").replace(self.path)
        self._beside("journal").unlink()

    def _open(self, suffix: str, opened: ExitStack) -> int:
        descriptor = open_private(self._beside(suffix), os.O_RDWR | os.O_CREAT)
        opened.callback(os.close, descriptor)
        return descriptor

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{suffix}")

    def _resume(self) -> dict[int, Key]:
        """Cut off what the journal does not cover, and return where each segment that is not done goes on."""
        content = self._beside("journal").read_bytes()
        begun = json.dumps([*self.source.identity, self.source.since]).encode() + b"\n"
        whole = content[: content.rfind(b"\n") + 1] or begun
        (*identity, since), *noted = map(json.loads, whole.splitlines())
        if identity != self.source.identity:
            raise MisuseError(
                f"{self._beside('journal')} is of an export of {identity}, not {self.source.identity}: finish that, "
                "or remove the journal."
            )
        self.source = replace(self.source, since=since)
        starts: dict[int, Key] = dict.fromkeys(range(self.source.segments))
        end = 0
        for segment, start, end, self.count in noted:  # noqa: B007 - the last ones count
            starts[segment] = start
            if start is None:
                del starts[segment]
        os.ftruncate(self._lines, end)
        os.lseek(self._lines, end, os.SEEK_SET)
        os.ftruncate(self._journal, len(whole))
        os.pwrite(self._journal, whole, 0)
        os.lseek(self._journal, len(whole), os.SEEK_SET)
        return starts


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def as_line(item: Item) -> str:
    """Return a record as JSON, exactly as it is stored: `data` is stored as JSON, and DynamoDB's numbers are texts."""
    names = [*FIRST, *sorted(item.keys() - {*FIRST, *OF_STAGES})]
    members = (f"{json.dumps(name)}: {_text(item[name], is_json=name == 'data')}" for name in names if name in item)
    return "{" + ", ".join(members) + "}"


def _text(attribute: Mapping[str, Any], *, is_json: bool = False) -> str:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" if is_json:
            return str(value)
        case "N":
            return str(value)
        case "NULL":
            return "null"
        case "M":
            return "{" + ", ".join(f"{json.dumps(name)}: {_text(one)}" for name, one in value.items()) + "}"
        case "L":
            return "[" + ", ".join(map(_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
