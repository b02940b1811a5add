"""Files in the stack's bucket: uploaded, followed until they are settled, and what the reader made of their lines."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import IO, Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from pipeline.errors import MisuseError
from pipeline.records.lines import InvalidLineError, Line, Prepared, prepare
from pipeline.records.packing import Prepare
from pipeline.records.source import STDIN, Source
from pipeline.stack import inside
from pipeline.stack.aws import code_of, explained

T = TypeVar("T")

SUFFIXES = (".jsonl", ".jsonl.gz")
RECEIPTS, REJECTED, MISSING, STATES = OWN = ("receipts/", "rejected/", "missing/", "reports/")
"""What keys begin with that only the reader writes."""
LONGEST_KEY = 946  # bytes of a file's key: S3 takes 1,024, and the reader writes under longer ones
MOST_KEYS = 20_000  # objects of the bucket that are looked at for files in work
MOST_STATES = 100  # files of which it is looked how far they are
DELIVERED = 120  # seconds after which a file that is not in the queue was announced to nobody
ABSENT = ("NoSuchKey", "404", "NoSuchVersion")


class Receipt(NamedTuple):
    """The outcomes of a file's lines, as the reader counted them."""

    lines: int
    rejected: int
    stored: int
    different: int
    missing: int
    sent_again: int
    seconds: float
    version: str
    began: int  # when the reader began, in ms since the epoch
    reason: str = ""  # why the file was not read to its end

    @property
    def is_whole(self) -> bool:
        """Whether each line of the file is stored."""
        return self.stored == self.lines and not self.reason


class ReaderState(NamedTuple):
    """How far the reader is with a file."""

    version: str
    uploaded: int  # when the file was, in ms since the epoch
    round: int  # 0 while it is read, then the number of the look at its lines
    due: int  # when the next look begins, in ms since the epoch
    line: int
    end: int  # bytes of the text that were read
    accepted: int
    rejected: int
    stored: int
    open: int  # lines that were looked for and not stored


class Standing(Enum):
    """How far a file without a receipt is."""

    WAITING = "waiting"
    READ = "being read"
    SETTLED = "being settled"
    UNANNOUNCED = "announced to nobody"


class FileInWork(NamedTuple):
    """A file without a receipt."""

    key: str
    uploaded: datetime
    standing: Standing


class FilesInWork(NamedTuple):
    """The files without a receipt, oldest first."""

    files: tuple[FileInWork, ...]
    whole: bool  # whether all objects of the bucket were looked at

    def of(self, standing: Standing) -> list[FileInWork]:
        """Return those that are so far."""
        return [file for file in self.files if file.standing is standing]


class FilesQueue(NamedTuple):
    """The queue of files, by a client of SQS."""

    client: Any
    url: str

    def messages(self) -> int:
        """Return how many messages there are, about: to be seen, in the reader's hands, or delayed."""
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]
        with explained():
            answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)


def version_of(event: Any) -> str | None:
    """Return the version of a file that S3's event is about, as the reader names it."""
    told = inside(event, "detail", "object")
    found = inside(told, "version-id") or inside(told, "etag")
    return found if isinstance(found, str) else None


def announcement(bucket: str, key: str) -> str:
    """Return the command that announces a file again."""
    place = shlex.quote(f"s3://{bucket}/{key}")
    return f"aws s3 cp {place} {place} --metadata-directive REPLACE"


def key_of(source: Source, *, prefix: str = "") -> str:
    """Return the key that a file gets: its name, with a suffix that the reader knows what it holds by."""
    name = "stdin" if source.path == STDIN else source.path.name
    suffix = SUFFIXES[source.is_gzip]
    return prefix + (name if name.endswith(suffix) else f"{name}{suffix}")


def require_key(key: str) -> None:
    """Refuse a key that S3 does not take, or not with what the reader writes about the file."""
    if key.startswith(OWN):
        raise MisuseError(f"A key can't begin with {' or '.join(OWN)} (got {key}).")
    if (size := len(key.encode())) > LONGEST_KEY:
        why = "because the reader adds to it"
        raise MisuseError(f"The key of a file must have at most {LONGEST_KEY} bytes, {why} (got {size}): {key}")


class _Unclosed:
    """A file that an upload reads and does not close."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def close(self) -> None:
        """Leave it open: its lines are read later."""


class Bucket:
    """The stack's bucket of files."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name

    def upload(self, source: Source, key: str, advance: Callable[[int], None] = lambda count: None) -> str:
        """Upload a file as it stands, packed or not; return its version."""
        source.rewind()
        try:
            with explained(), self._versions() as versions:
                self.client.upload_fileobj(_Unclosed(source.file), self.name, key, Callback=advance)
        except OSError as error:
            raise MisuseError(f"{source.path} can't be read: {error.strerror or error}.") from error
        return versions[-1]

    @contextmanager
    def _versions(self) -> Iterator[list[str]]:
        """Gather the versions of what is uploaded, which boto3 keeps to itself."""
        versions: list[str] = []

        def note(parsed: Mapping[str, Any], **_: Any) -> None:
            if "ETag" in parsed:
                versions.append(parsed.get("VersionId") or parsed["ETag"].strip('"'))

        operations = ("after-call.s3.PutObject", "after-call.s3.CompleteMultipartUpload")
        for operation in operations:
            self.client.meta.events.register(operation, note)
        try:
            yield versions
        finally:
            for operation in operations:
                self.client.meta.events.unregister(operation, note)

    def receipt(self, key: str, version: str) -> Receipt | None:
        """Return the receipt of a version of a file; None if there is none."""
        for name in (f"{key}.{version}", key):
            receipt = self._document(f"{RECEIPTS}{name}.json", Receipt)
            if receipt and receipt.version == version:
                return receipt
        return None

    def reported_as(self, key: str, version: str) -> str:
        """Return what the reader's files about a version are named by: also by the version if it was replaced."""
        own = f"{key}.{version}"
        return own if next(self._documents(f"{RECEIPTS}{own}.json"), None) else key

    def state(self, key: str) -> ReaderState | None:
        """Return how far the reader is with a file; None if it has not begun."""
        return self._document(f"{STATES}{key}.json", ReaderState)

    def _document(self, key: str, kind: Callable[..., T]) -> T | None:
        """Read a document as a named tuple, which leaves out what it does not know."""
        document = next(self._documents(key), None)
        if document is None:
            return None
        known: Any = kind
        return kind(**{name: document[name] for name in known._fields if name in document})

    def as_read(self, key: str) -> Prepare:
        """Return what tells what the reader sent for each line, if it is asked in the file's order."""
        rejected = self._documents(f"{REJECTED}{key}.jsonl")
        date = self._date(key)
        next_one = next(rejected, None)

        def as_sent(line: Line) -> Prepared:
            nonlocal next_one
            while next_one and next_one["line"] < line.number:
                next_one = next(rejected, None)
            if next_one and next_one["line"] == line.number:
                raise InvalidLineError(next_one["reason"])
            return prepare(line, started=None if date is None else date + 1)

        return as_sent

    def _date(self, key: str) -> int | None:
        """Return what the reader counts the timestamps from that it gives; None if it gave none."""
        listed = self.client.list_objects_v2(Bucket=self.name, Prefix=f"{STATES}{key}.").get("Contents", [])
        dates = [one["Key"] for one in listed if one["Key"].endswith(".date")]
        return int(next(self._documents(dates[0]))["date"]) if dates else None

    def _documents(self, key: str) -> Iterator[dict[str, Any]]:
        try:
            body = self.client.get_object(Bucket=self.name, Key=key)["Body"]
        except ClientError as error:
            if code_of(error) in ABSENT:
                return
            raise
        yield from map(json.loads, body.iter_lines())

    def in_work(self, queue: FilesQueue) -> FilesInWork:
        """Return the files that have no receipt, or an older one."""
        files: dict[str, datetime] = {}
        receipts: dict[str, datetime] = {}
        seen = 0
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name):
            for one in page.get("Contents", []):
                seen += 1
                key, modified = one["Key"], one["LastModified"]
                if key.startswith(RECEIPTS):
                    receipts[key] = modified
                elif key.endswith(SUFFIXES) and not key.startswith(OWN):
                    files[key] = modified
            if seen >= MOST_KEYS:
                break
        never = datetime.min.replace(tzinfo=UTC)
        left = [item for item in files.items() if receipts.get(f"{RECEIPTS}{item[0]}.json", never) < item[1]]
        left.sort(key=lambda item: item[1])
        messages = queue.messages() if left else 0
        found = [
            FileInWork(*item, self._standing(*item, messages=messages) if number < MOST_STATES else Standing.WAITING)
            for number, item in enumerate(left)
        ]
        return FilesInWork(tuple(found), not page.get("IsTruncated"))

    def _standing(self, key: str, uploaded: datetime, *, messages: int) -> Standing:
        state = self.state(key)
        if state and state.uploaded == int(uploaded.timestamp() * 1000):
            return Standing.SETTLED if state.round else Standing.READ
        is_late = datetime.now(UTC) - uploaded > timedelta(seconds=DELIVERED)
        return Standing.UNANNOUNCED if is_late and not messages else Standing.WAITING
