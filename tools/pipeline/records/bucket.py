"""Files that are uploaded into the stack's bucket: looked at before, uploaded, and followed until they are read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from boto3.exceptions import Boto3Error
from botocore.exceptions import ClientError

from pipeline.errors import AwsError, MisuseError
from pipeline.stack.aws import code_of, sentence

SUFFIXES = (".jsonl", ".jsonl.gz")
REPORTS, REJECTED = "reports/", "rejected/"
"""What the keys begin with of what the reader writes."""
LONGEST = 5 * 1024**4
"""Bytes of an object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""
GLANCE = 65_536
"""Bytes of text that are looked at before a file is uploaded."""
MOST_KEYS = 20_000
"""Objects of the bucket that are looked at for files in work."""
ABSENT = ("NoSuchKey", "404", "NoSuchVersion")


class Report(NamedTuple):
    """The reader's report of a file."""

    lines: int
    accepted: int
    rejected: int
    batches: int
    seconds: float


class FilesInWork(NamedTuple):
    """The files without a report, oldest first, with when they were uploaded."""

    files: tuple[tuple[str, datetime], ...]
    whole: bool
    """Whether all objects of the bucket were looked at."""


def look_at(path: Path) -> None:
    """Look whether a file can be what the reader takes, by its name, its size and its first lines.

    Raises:
        MisuseError: It can't.
    """
    if not path.name.endswith(SUFFIXES):
        raise MisuseError(f"{path} can't be uploaded: its name must end in {' or '.join(SUFFIXES)}.")
    if not (size := path.stat().st_size):
        raise MisuseError(f"{path} is empty.")
    if size > LONGEST:
        raise MisuseError(f"{path} has {size} bytes, and S3 takes {LONGEST}: split it.")
    lines = _first_lines(path)
    if lines and not any(map(_is_object, lines)):
        raise MisuseError(f"{path} must have a JSON object on each line (the first begins with {lines[0][:40]!r}).")


def _first_lines(path: Path) -> list[bytes]:
    """Read the whole lines, but the blank ones, of the beginning of a file."""
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
            text = file.read(GLANCE)
    except (OSError, EOFError) as error:
        raise MisuseError(f"{path} can't be read: {error}.") from error
    *lines, last = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return list(filter(bytes.strip, lines if len(text) == GLANCE else [*lines, last]))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


class Bucket:
    """The stack's bucket of files."""

    def __init__(self, client: Any, name: str) -> None:
        """Use a bucket by a client of S3."""
        self.client, self.name = client, name

    def upload(self, path: Path, key: str, advance: Callable[[int], None]) -> None:
        """Upload a file.

        Raises:
            MisuseError: It can't be read.
            AwsError: S3 does not take it.
        """
        try:
            self.client.upload_file(str(path), self.name, key, Callback=advance)
        except Boto3Error as error:
            raise AwsError(f"{path} could not be uploaded: {sentence(error)}.") from error
        except OSError as error:
            raise MisuseError(f"{path} can't be read: {error.strerror or error}.") from error

    def report(self, key: str) -> tuple[str, Report] | None:
        """Return the report of a file, with what tells it from the next one; None if there is none."""
        try:
            answer = self.client.get_object(Bucket=self.name, Key=f"{REPORTS}{key}.json")
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise
        document: Mapping[str, Any] = json.loads(answer["Body"].read())
        mark = answer.get("VersionId") or f"{answer['LastModified']} {answer['ETag']}"
        return mark, Report(**{name: document[name] for name in Report._fields})

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
