"""Explain what became of a record, from the table, the dead letters, the logs and the files, in order of time.

A record of a batch leaves a line of its own only if it was refused; the table and the dead letters tell of the others.
"""

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, Self

from pipeline.letters.selection import Finding
from pipeline.questions import logs
from pipeline.questions.logs import FAILED, LogLine
from pipeline.questions.times import shown
from pipeline.records.bucket import REJECTED
from pipeline.records.table import Item
from pipeline.stack import RESULT, Stack
from pipeline.terminal.printable import counted

SHOWN = 80  # characters of data that are shown
REQUESTS = 8  # invocations of dead letters whose lines are looked for: a pattern has 1,024 characters at most
PREFIX = 200  # characters of an id that a pattern holds
DONE, STORED = re.compile(r"(record (?!refused)|batch )\w"), ("record stored", "record already stored")
REQUEST = re.compile(r"[\w-]{1,64}", re.ASCII)
"""An invocation's id; whoever may send to the queue may write anything in its place."""
REFUSED = "record refused"
MISSING = "missing/"  # what the keys begin with of the lines that were not stored although the reader sent them again


class Moment(NamedTuple):
    """Something that is known of a record."""

    time: int  # in ms since the epoch
    where: str  # the stage, the table, the dead letters or a file
    what: str
    detail: str = ""
    request: str = ""  # the id of the invocation


class Line(NamedTuple):
    """A line of a stage's log."""

    stage: str
    line: LogLine

    @property
    def message(self) -> str:
        """What happened."""
        return str(self.line.fields.get("message", self.line.fields.get("errorType", "")))

    @property
    def request(self) -> str:
        """The id of the invocation."""
        return str(self.line.fields.get("requestId", ""))

    @property
    def is_done(self) -> bool:
        """Whether the stage did its work."""
        return bool(DONE.match(self.message))

    @property
    def detail(self) -> str:
        """What else the line tells: a reason, or the counts of a batch."""
        fields = self.line.fields
        if "records" in fields:
            return f"{fields['records']} records, {fields.get('refused', 0)} of them refused"
        return str(fields.get("reason") or fields.get("errorMessage") or "")

    def may_be(self, other: Self) -> bool:
        """Return whether another line can be about the same record: an id has a record for each timestamp."""
        times = {line.line.fields.get("recordTimestamp") for line in (self, other)} - {None}
        return len(times) < 2


class Evidence(NamedTuple):
    """All that was found of an id."""

    record_id: str
    items: Sequence[Item]
    letters: Sequence[Finding]
    lines: Sequence[Line]  # in order of time
    files: Sequence[Moment]
    pipeline: Sequence[str]  # the stages in order
    since: int  # when the time began that was looked at, in ms since the epoch

    @property
    def moments(self) -> list[Moment]:
        """Everything in order of time."""
        numbered = enumerate(self.lines)
        told = [Moment(one.line.time, one.stage, self._what(n), one.detail, one.request) for n, one in numbered]
        found = [*told, *self.files, *map(self._of_item, self.items), *map(self._of_letter, self.letters)]
        return sorted(found, key=lambda moment: moment.time)

    @property
    def sentence(self) -> str:
        """What became of it, in one sentence without its full stop."""
        waiting = self._waiting()
        if self.items:
            return "; ".join(filter(None, (self._stored(), waiting)))
        return waiting or self._by_files() or self._by_logs() or f"never seen since {shown(self.since)}"

    def _stored(self) -> str:
        if len(self.items) == 1:
            return f"stored once, at {shown(self._of_item(self.items[0]).time)}"
        stamps = ", ".join(str(item.key.timestamp) for item in self.items)
        return f"stored as {len(self.items)} records, with the timestamps {stamps}"

    def _waiting(self) -> str:
        if not self.letters:
            return ""
        last = max(self.letters, key=lambda finding: finding.letter.sent)
        more = f" (and {len(self.letters) - 1} more)" if len(self.letters) > 1 else ""
        another = "another record of this id " if self.items else ""
        return f"{another}waits as a dead letter of the {last.stage_name}{more}: {last.reason}"

    def _by_files(self) -> str:
        if not self.files or (self.lines and self.lines[-1].line.time > max(self.files).time):
            return ""
        last = max(self.files)
        return f"{last.what} of {last.where} at {shown(last.time)}: {last.detail}"

    def _by_logs(self) -> str:
        own = [line for line in self.lines if line.line.fields.get("recordId") == self.record_id]
        if not own:
            return ""
        last = own[-1]
        when = shown(last.line.time)
        at = f"by the {last.stage} at {when}"
        if last.message == REFUSED:
            return f"refused {at}: {last.detail}"
        if last.message in FAILED:
            since = "and not stored since: Lambda may try it again"
            return f"failed in the {last.stage} at {when} ({last.detail}), {since}"
        if last.message in STORED:
            return f"stored {at}, and deleted since"
        return f"{last.message.removeprefix('record ')} {at} and not stored since"

    def _what(self, number: int) -> str:
        """Say what a line tells, and whether it is another attempt, another delivery, or an event of its own."""
        line = self.lines[number]
        before = [one for one in self.lines[:number] if one.stage == line.stage and one.may_be(line)]
        if "records" in line.line.fields:  # a batch goes on without the records that it refused
            before = [one for one in before if one.message != REFUSED or one.request != line.request]
        same = [one for one in before if one.request == line.request]
        if not before or "logger" not in line.line.fields:
            return line.message
        if same:
            attempt = f"attempt {len({one.line.time for one in same}) + 1}"
            return f"{line.message} ({'delivered again' if same[-1].is_done else attempt})"
        return f"{line.message} ({'redriven' if self._is_redriven(line, before) else 'sent again'})"

    def _is_redriven(self, line: Line, before: Sequence[Line]) -> bool:
        """Return whether a stage was given an event that the stage before did not hand on."""
        place = self.pipeline.index(line.stage) if line.stage in self.pipeline else 0
        if not place:
            return False
        done = [one for one in self.lines if one.stage == self.pipeline[place - 1] and one.is_done]
        handed_on = [one for one in done if one.may_be(line) and one.line.time <= line.line.time]
        return len({one.request for one in before}) >= len(handed_on)

    def _of_item(self, item: Item) -> Moment:
        """Tell of an item, at the time of its line or, of a batch, when it was enriched."""
        timestamp, data = item.key.timestamp, item.data
        stored = (line.line for line in self.lines if line.message == STORED[0])
        times = [line.time for line in stored if line.fields.get("recordTimestamp") == timestamp]
        time = times[-1] if times else item.fields.get("enrichedAt", timestamp)
        version = f", version {item.enriched_by}" if item.enriched_by else ""
        detail = f"timestamp {timestamp}{version}, data {data[:SHOWN]}{'...' * (len(data) > SHOWN)}"
        return Moment(time, "table", "stored", detail)

    def _of_letter(self, finding: Finding) -> Moment:
        letter = finding.letter
        led = [line for line in self.lines if line.request == letter.request_id]
        attempts = [line for line in led if line.message in (REFUSED, *FAILED)]
        time = max([letter.sent, *(line.line.time for line in led)])  # clocks differ; it follows what led to it
        batch = f"a batch of {finding.records} records, " if isinstance(finding.attribution.record, list) else ""
        told = f"{batch}{counted(max(1, len(attempts)), 'attempt', 'attempts')}: {finding.reason}"
        what = f"waits as a dead letter of the {finding.stage_name}"
        return Moment(time, "dead letters", what, told, letter.request_id)


def is_about(finding: Finding, record_id: str) -> bool:
    """Return whether a dead letter is about an id: its record's, or that of a record of its batch."""
    record = finding.attribution.record
    if finding.attribution.stage is None:
        event = finding.letter.event
        record = event.get(RESULT, event) if isinstance(event, dict) else event
    return any(_has_id(one, record_id) for one in (record if isinstance(record, list) else [record]))


def find_lines(client: Any, stack: Stack, record_id: str, letters: Iterable[Finding], *, since: int) -> list[Line]:
    """Return the lines about an id, and those of the invocations that led to its dead letters, in order of time."""
    letters = list(letters)
    named = (one for finding in letters for one in finding.attribution.request_ids if REQUEST.fullmatch(one))
    requests = list(islice(named, REQUESTS))
    reasons = {finding.reason for finding in letters}
    pattern = " || ".join([f"($.recordId = {_pattern(record_id)})", *(f'($.requestId = "{one}")' for one in requests)])
    found = [
        Line(name, line)
        for name, stage in stack.stages.items()
        for line in logs.lines(client, logs.group_of(stage.alias), pattern, since=since)
        if line.fields.get("recordId") == record_id
        or (line.fields.get("requestId") in requests and line.fields.get("recordId") is None and _tells(line, reasons))
    ]
    return sorted(found, key=lambda one: one.line.time)


def _tells(line: LogLine, reasons: Container[str]) -> bool:
    """Return whether a line without an id tells something: not what the runtime repeats, nor of another record."""
    if line.fields.get("message") == REFUSED and line.fields.get("reason") not in reasons:
        return False
    return "logger" in line.fields or str(line.fields.get("errorType", "")).startswith("Runtime.")


def retained_since(client: Any, group: str, now: int) -> int:
    """Return since when a log group keeps its lines, in ms since the epoch."""
    groups = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    kept: Mapping[str, Any] = next((one for one in groups if one["logGroupName"] == group), {})
    begun = int(kept.get("creationTime", 0))
    return max(begun, now - kept["retentionInDays"] * 86_400_000) if "retentionInDays" in kept else begun


def find_in_files(client: Any, bucket: str, record_id: str, *, since: int) -> Iterator[Moment]:
    """Yield the lines with an id that the reader rejected, or that were not stored although it sent them again."""
    for prefix, what in ((REJECTED, "refused in line"), (MISSING, "missing from the table, a line")):
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for one in page.get("Contents", []):
                time = int(one["LastModified"].timestamp() * 1000)
                if time < since:
                    continue
                key = one["Key"].removeprefix(prefix).removesuffix(".jsonl")
                for line in client.get_object(Bucket=bucket, Key=one["Key"])["Body"].iter_lines():
                    document = json.loads(line)
                    if prefix == MISSING and _has_id(document, record_id):
                        yield Moment(time, key, what, "it was not stored although it was sent again")
                    elif prefix == REJECTED and _holds(document["content"], record_id):
                        yield Moment(time, key, f"{what} {document['line']}", document["reason"])


def _has_id(document: Any, record_id: str) -> bool:
    """Return whether a record has an id, which may be none that is valid, or is no object but this text itself."""
    found = document.get("id") if isinstance(document, dict) else document
    return found == record_id or (isinstance(found, int | float) and json.dumps(found) == record_id)


def _holds(content: str, record_id: str) -> bool:
    """Return whether a line has an id, also one that was cut off."""
    try:
        return _has_id(json.loads(content), record_id)
    except ValueError:
        written = "|".join(re.escape(json.dumps(record_id, ensure_ascii=ascii_)) for ascii_ in (True, False))
        return bool(re.search(rf'"id"\s*:\s*(?:{written})', content))


def _pattern(record_id: str) -> str:
    """Return what a JSON pattern compares an id with; of an odd one its plain beginning."""
    plain = re.match(r"[\w ./:#@+=,;-]*", record_id, re.ASCII)
    prefix = plain[0][:PREFIX] if plain else ""
    if not prefix:
        return "*"
    return f'"{prefix}"' if prefix == record_id else f'"{prefix}*"'


def describe(evidence: Evidence) -> Mapping[str, Any]:
    """Return all that was found as JSON has it."""
    return {
        "id": evidence.record_id,
        "stored": bool(evidence.items),
        "sentence": evidence.sentence,
        "items": [item.document for item in evidence.items],
        "timeline": [
            {"time": shown(one.time), "where": one.where, "what": one.what}
            | {"detail": one.detail or None, "request_id": one.request or None}
            for one in evidence.moments
        ],
    }
