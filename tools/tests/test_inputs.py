"""Whatever a file holds: each command gives the answer that the table in docs/sending.md says."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import re
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.files.lines import DamagedFile, gunzip, split
from core.files.sending import record_of
from pipeline.commands import run as run_command
from pipeline.records import json_values
from pipeline.records.bucket import Bucket, key_of
from pipeline.records.json_values import MOST_DEPTH
from pipeline.records.lines import MOST, MOST_RECORDS, InvalidLineError, prepare
from pipeline.records.source import Source
from tests.deployed import ROOT

from .conftest import Ran
from .fake_aws import FakeAws
from .stack.samples import record

Run = Callable[..., Ran]
Uploads = tuple[FakeAws, list[str]]
ROW = re.compile(r"(?m)^\| (.+?) \| (.+?) \| (.+?) \| (.*?) ?\|$")
SECTION = (ROOT / "docs" / "sending.md").read_text().partition("## What a file may hold")[2]
TABLE = [*ROW.findall(SECTION.partition("\n## ")[0])][1:]

LINES = [json.dumps(record(number)).encode() for number in range(3)]
PLAIN = b"\n".join(LINES) + b"\n"
PACKED = gzip.compress(b"\n".join(json.dumps(record(number)).encode() for number in range(2000)), mtime=0)
DAMAGED = bytearray(PACKED)
DAMAGED[40:60] = bytes(byte ^ 0xFF for byte in DAMAGED[40:60])


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jsonl", PLAIN)
    return file.getvalue()


def with_line(line: bytes) -> bytes:
    """The three lines, with another one in the middle."""
    return b"\n".join([LINES[0], line, *LINES[1:]])


def nested(levels: int) -> bytes:
    return b'{"data":' * levels + b"1" + b"}" * levels


INPUTS: dict[str, dict[str, bytes | None]] = {
    "a byte order mark, CRLF, blank lines, no line end at the end": {
        "a.jsonl": b"\xef\xbb\xbf" + PLAIN,
        "b.jsonl": PLAIN.replace(b"\n", b"\r\n"),
        "c.jsonl": b"\n\n" + PLAIN.replace(b"\n", b"\n \n"),
        "d.jsonl": PLAIN.rstrip(),
    },
    "another name: `.ndjson`, `.json`, capitals": {"a.ndjson": PLAIN, "a.json": PLAIN, "A.JSONL": PLAIN, "a": PLAIN},
    "gzip, whatever its name; several members": {
        "a.jsonl.gz": gzip.compress(PLAIN, mtime=0),
        "A.JSONL.GZ": gzip.compress(PLAIN, mtime=0),
        "a.jsonl": gzip.compress(PLAIN, mtime=0),
        "b.jsonl.gz": gzip.compress(LINES[0] + b"\n", mtime=0) + gzip.compress(b"\n".join(LINES[1:])),
        "c.jsonl.gz": gzip.compress(b"\xef\xbb\xbf" + PLAIN, mtime=0) + bytes(100),
    },
    "gzip that is damaged, or cut off": {
        "a.jsonl.gz": bytes(DAMAGED),
        "b.jsonl.gz": PACKED[:-9],
        "c.jsonl": PACKED[:99],
    },
    "`.gz` that is no gzip": {"a.jsonl.gz": PLAIN, "A.GZ": PLAIN},
    "zip, bzip2, xz, zstd": {
        "a.jsonl": zipped(),
        "b.jsonl": bz2.compress(PLAIN),
        "c.jsonl": lzma.compress(PLAIN),
        "d.jsonl": b"\x28\xb5\x2f\xfd" + PLAIN,
    },
    "UTF-16, UTF-32": {
        f"{encoding}.jsonl": PLAIN.decode().encode(encoding)
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
    }
    | {"a.jsonl.gz": gzip.compress(PLAIN.decode().encode("utf-16"))},
    "lines that end in CR alone": {"a.jsonl": PLAIN.replace(b"\n", b"\r"), "b.jsonl": b"\r".join(LINES * 9000)},
    "one JSON array": {
        "a.jsonl": b"[" + b",".join(LINES) + b"]\n",
        "b.json": json.dumps([record(1), record(2)], indent=2).encode(),
        "c.jsonl": b"[\n" + b",\n".join(LINES) + b"\n]\n",
        "d.jsonl": b"[\n" + LINES[0] + b"\n]\n",
        "e.jsonl": b"[" + b",\n".join(LINES) + b"]\n",
        "f.jsonl": b"\xef\xbb\xbf[" + b",".join(LINES * 20_000) + b"]\n",
        "g.json.gz": gzip.compress(b"[" + b",".join(LINES) + b"]"),
    },
    "JSON over several lines": {
        "a.json": json.dumps(record(1), indent=2).encode(),
        "b.jsonl": b"\n".join(json.dumps(record(number), indent=1).encode() for number in range(3)),
        "c.jsonl": b'{"id": "a",\n "data": 1}\n',
    },
    "CSV": {
        "a.csv": b"id,timestamp,data\na,1,2\nb,3,4\n",
        "b.jsonl": b'"id";"data"\n"a";"b"\n',
        "c.tsv": b"id\tdata\na\t1\n",
    },
    "no line at all": {"a.jsonl": b"", "b.jsonl": b"\n \n\r\n", "c.jsonl.gz": gzip.compress(b"", mtime=0)},
    "no such file, a folder": {"nothing.jsonl": None, "folder/": None},
    "a line that is no JSON, or not UTF-8, or NaN": {
        f"{number}.jsonl": with_line(line)
        for number, line in enumerate((b"{broken", b"order-1", b'{"id": "\xff"}', b'{"data": NaN}', b"[", b"{}{}"))
    },
    "a line with a number that a double does not hold": {
        f"{number}.jsonl": with_line(b'{"id": "a", "timestamp": 1, "data": {"n": [%s]}}' % text)
        for number, text in enumerate((b"12345678901234567890.123456789", b"1e-400", b"1e400", b"9007199254740993"))
    },
    "a line of more than 1,047,376 bytes": {"a.jsonl": with_line(b'"' + b"x" * (MOST - 1) + b'"')},
    "a line nested more than 401 levels deep": {
        "a.jsonl": with_line(nested(MOST_DEPTH + 1)),
        "b.jsonl": with_line(b"[" * 100_000),
    },
    "a line that is an array, among others": {"a.jsonl": with_line(b"[" + b",".join(LINES) + b"]")},
    "a line that is an array of more than 1,000 records": {"a.jsonl": with_line(b"[" + b"{}," * MOST_RECORDS + b"{}]")},
}

CASES = [(row, name) for row in TABLE for name in INPUTS.get(row[0], {"missing": None})]


def test_the_table_is_about_these_inputs() -> None:
    assert [row[0] for row in TABLE] == list(INPUTS)


class Deployed(Exception):  # noqa: N818 - no error: it shows how far a run came
    """A run came so far that it would deploy."""


@pytest.fixture
def uploads(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Uploads:
    """The fake AWS, and the keys that were uploaded to it; a run ends before it deploys."""
    keys: list[str] = []
    aws.outputs["FilesBucketName"] = "files"
    monkeypatch.setattr(Bucket, "upload", lambda self, source, key, advance: keys.append(key))

    def deployed(*_: object, **__: object) -> None:
        raise Deployed

    monkeypatch.setattr(run_command, "deployed", deployed)
    return aws, keys


def written(folder: Path, name: str, content: bytes | None) -> Path:
    path = folder / name
    if name.endswith("/"):
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    return path


def ran(operate: Run, *arguments: object) -> Ran:
    """Run a command; a run that would deploy counts as done."""
    try:
        return operate(*arguments)
    except Deployed:
        return Ran(0, "", "")


@pytest.mark.parametrize(("row", "name"), CASES, ids=[f"{row[0]} {name}" for row, name in CASES])
def test_every_command_gives_the_answer_of_the_table(
    operate: Run, uploads: Uploads, tmp_path: Path, row: tuple[str, ...], name: str
) -> None:
    aws, keys = uploads
    kind, lines, upload, _ = row
    path = written(tmp_path, name, INPUTS[kind][name])
    answers = {command: ran(operate, command, path) for command in ("run", "submit", "verify", "upload")}
    if lines.startswith("refused: "):
        assert {answer.code for answer in answers.values()} == {2}
        assert len({answer.error for answer in answers.values()}) == 1
        assert lines.removeprefix("refused: ") in answers["run"].error
        assert upload == lines
        assert (aws.invocations, keys, answers["submit"].out) == ([], [], "")
        return
    (key,) = keys
    assert key.startswith(name)
    assert key.endswith(".jsonl.gz" if path.read_bytes().startswith(b"\x1f\x8b") else ".jsonl")
    is_refused, reason = lines.startswith("line refused: "), lines.removeprefix("line refused: ")
    submitted, looked_for = answers["submit"].counts, answers["verify"].counts
    taken = 6 if "each of its records counts" in lines else 3
    assert (submitted["accepted"], submitted["rejected"]) == (taken, is_refused)
    assert (looked_for["missing"], looked_for["refused"]) == (taken, is_refused)
    assert answers["run"].code == answers["upload"].code == 0
    if is_refused:
        assert reason in answers["submit"].err
        assert reason in answers["verify"].out


def read(key: str, content: bytes) -> Iterator[str]:
    """Yield why the reader rejects lines of a file, and an empty text for one that it sends."""
    chunks = [content[start : start + 65_536] for start in range(0, len(content), 65_536)]
    for line in split(gunzip(chunks) if key.endswith(".gz") else chunks):
        try:
            record_of(line, lambda number: number)
        except ValueError as fault:
            yield str(fault)
        else:
            yield ""


@pytest.mark.parametrize(("row", "name"), CASES, ids=[f"{row[0]} {name}" for row, name in CASES])
def test_the_reader_gives_the_answer_of_the_table(tmp_path: Path, row: tuple[str, ...], name: str) -> None:
    kind, _, _, answer = row
    content = INPUTS[kind][name]
    if not answer or answer.startswith("not announced"):
        return
    assert content is not None
    key = name.lower() if content.startswith(b"\x1f\x8b") and name.endswith(("gz", "GZ")) else f"{name}.jsonl"
    if content.startswith(b"\x1f\x8b") and not key.endswith(".gz"):
        key = f"{key}.gz"
    if answer == "a dead letter":
        key = name.lower()
    try:
        faults = list(read(key, content))
    except DamagedFile:  # before its first line
        assert answer in ("a dead letter", "rejected from the damage on")
    else:
        assert any(faults) == answer.startswith("rejected")


def test_a_pipe_is_read_once_by_every_command(operate: Run, uploads: Uploads, tmp_path: Path) -> None:
    for command in ("run", "submit", "verify", "upload"):
        path = tmp_path / command
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=(PLAIN,))
        writer.start()
        answer = ran(operate, command, path)
        writer.join()
        assert answer.code == (command == "verify"), answer
    aws, keys = uploads
    assert (keys, len(aws.payloads[0])) == (["upload.jsonl"], 3)


@pytest.mark.parametrize("content", [PLAIN, gzip.compress(PLAIN, mtime=0)], ids=["plain", "gzip"])
def test_standard_input_is_taken_by_every_command(
    operate: Run, uploads: Uploads, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    for command in ("run", "submit", "verify", "upload"):
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        with os.fdopen(reading) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            assert ran(operate, command, "-").code == (command == "verify")
    aws, keys = uploads
    assert keys == ["stdin.jsonl.gz" if content.startswith(b"\x1f\x8b") else "stdin.jsonl"]
    assert len(aws.payloads[0]) == 3


def test_a_copied_pipe_can_be_read_again_and_uploaded(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(PLAIN,))
    writer.start()
    with Source(path) as source:
        writer.join()
        assert [len(list(source.lines())) for _ in range(2)] == [3, 3]
        source.rewind()
        assert (source.file.read(), source.size, key_of(source)) == (PLAIN, len(PLAIN), "pipe.jsonl")
        assert [line.number for line in source.chosen({2})] == [2]


@pytest.mark.parametrize(
    "content",
    [
        b"{broken\n" + PLAIN,
        b'{"id": "a"\n' + PLAIN,
        b"[1]\n" + PLAIN,
        b"a,b\n" + PLAIN,
        b"\xff,\n\xfe,\n" + PLAIN,
        b"[\x00\n" + PLAIN,
        b'{"a": "\r"}\n' + PLAIN,
        b"{broken",
    ],
)
def test_a_few_bad_lines_do_not_make_another_file_of_it(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, "a.jsonl", content)
    with Source(path) as source:
        assert len(list(source.lines())) == content.count(b"\n") + (not content.endswith(b"\n"))


def test_random_bytes_are_lines_that_are_refused_one_by_one(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", b"".join(bytes([number % 251 + 1, 10]) * 3 for number in range(5000)))
    refused = 0
    with Source(path) as source:
        for line in source.lines():
            try:
                prepare(line)
            except InvalidLineError:
                refused += 1
    assert refused > 10_000


# One rule for numbers and depth, in the tools and in the functions


def test_the_tools_and_the_functions_have_the_same_limits() -> None:
    from core.batch import MAX_RECORDS
    from record import MAX_DEPTH

    assert (MAX_RECORDS, MAX_DEPTH + 1) == (MOST_RECORDS, json_values.MOST_DEPTH)
