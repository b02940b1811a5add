"""Files in the stack's bucket: uploaded, followed until they are read, and what the reader made of their lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import IO, Any, NamedTuple

from boto3.exceptions import Boto3Error
from botocore.exceptions import ClientError

from pipeline.errors import AwsError, MisuseError
from pipeline.records.lines import InvalidLineError, Line, Prepared, prepare
from pipeline.records.packing import Prepare
from pipeline.records.source import STDIN, Source
from pipeline.stack.aws import code_of, sentence

SUFFIXES = (".jsonl", ".jsonl.gz")
REPORTS, REJECTED = "reports/", "rejected/"
"""What the keys begin with of what the reader writes."""
OWN = ("receipts/", REJECTED, "missing/", REPORTS)
"""What keys begin with that only the reader writes."""
LONGEST_KEY = 1024 - len(f"{REPORTS}.{'0' * 64}.date")
"""Bytes of a file's key: S3 takes 1,024, and the reader writes under longer ones."""
MOST_KEYS = 20_000
"""Objects of the bucket that are looked at for files in work."""
ABSENT = ("NoSuchKey", "404", "NoSuchVersion")


class ReaderCounts(NamedTuple):
    """What the reader counted in a file."""

    lines: int
    accepted: int
    rejected: int
    batches: int
    seconds: float


class ReaderReport(NamedTuple):
    """The reader's report of a file."""

    mark: str
    """What tells it from the next one."""
    counts: ReaderCounts


class FilesInWork(NamedTuple):
    """The files without a report, oldest first, with when they were uploaded."""

    files: tuple[tuple[str, datetime], ...]
    whole: bool
    """Whether all objects of the bucket were looked at."""


def key_of(source: Source, *, prefix: str = "") -> str:
    """Return the key that a file gets: its name, with a suffix that the reader knows what it holds by."""
    name = "stdin" if source.path == STDIN else source.path.name
    suffix = SUFFIXES[source.is_gzip]
    return prefix + (name if name.endswith(suffix) else f"{name}{suffix}")


def require_key(key: str) -> None:
    """Refuse a key that S3 does not take, or not with what the reader writes about the file.

    Raises:
        MisuseError: It is too long, or belongs to the reader.
    """
    if key.startswith(OWN):
        raise MisuseError(f"A key can't begin with {' or '.join(OWN)} (got {key}).")
    if (size := len(key.encode())) > LONGEST_KEY:
        raise MisuseError(
            f"The key of a file must have at most {LONGEST_KEY} bytes, as the reader writes under longer ones "
            f"(got {size}): {key}"
        )


class _Unclosed:
    """A file that an upload reads and does not close."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def close(self) -> None:
        """Leave it open: its lines are read later."""


class Bucket:
    """The stack's bucket of files."""

    def __init__(self, client: Any, name: str) -> None:
        """Use a bucket by a client of S3."""
        self.client, self.name = client, name

    def upload(self, source: Source, key: str, advance: Callable[[int], None] = lambda count: None) -> None:
        """Upload a file as it stands, packed or not.

        Raises:
            MisuseError: It can't be read.
            AwsError: S3 does not take it.
        """
        source.rewind()
        try:
            self.client.upload_fileobj(_Unclosed(source.file), self.name, key, Callback=advance)
        except Boto3Error as error:
            raise AwsError(f"{source.path} could not be uploaded: {sentence(error)}.") from error
        except OSError as error:
            raise MisuseError(f"{source.path} can't be read: {error.strerror or error}.") from error

    def report(self, key: str) -> ReaderReport | None:
        """Return the report of a file; None if there is none."""
        try:
            answer = self.client.get_object(Bucket=self.name, Key=f"{REPORTS}{key}.json")
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise
        document: Mapping[str, Any] = json.loads(answer["Body"].read())
        mark = answer.get("VersionId") or f"{answer['LastModified']} {answer['ETag']}"
        return ReaderReport(mark, ReaderCounts(**{name: document[name] for name in ReaderCounts._fields}))

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
        listed = self.client.list_objects_v2(Bucket=self.name, Prefix=f"{REPORTS}{key}.").get("Contents", [])
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

    def in_work(self) -> FilesInWork:
        """Return the files that have no report, or an older one."""
        files: dict[str, datetime] = {}
        reports: dict[str, datetime] = {}
        seen, token = 0, dict[str, str]()
        while True:
            page = self.client.list_objects_v2(Bucket=self.name, **token)
            for one in page.get("Contents", []):
                seen += 1
                key, modified = one["Key"], one["LastModified"]
                if key.startswith(REPORTS):
                    reports[key] = modified
                elif key.endswith(SUFFIXES) and not key.startswith(REJECTED):
                    files[key] = modified
            if not page.get("IsTruncated") or seen >= MOST_KEYS:
                break
            token = {"ContinuationToken": page["NextContinuationToken"]}
        left = [item for item in files.items() if not _is_read(item, reports.get(f"{REPORTS}{item[0]}.json"))]
        left.sort(key=lambda item: item[1])
        return FilesInWork(tuple(left), not page.get("IsTruncated"))


def _is_read(item: tuple[str, datetime], reported: datetime | None) -> bool:
    return reported is not None and reported >= item[1]
