"""A file is read and settled in steps. A message of the queue of files begins each step.

S3's event begins the first step. A step that runs out of time sends the same event again, with its state, and the
next step goes on. When all lines are sent, later steps look for them in the table: in round 1 for all lines, in each
further round for those that were not stored in the one before, and were sent again. If the pipeline is seen to be
behind, they are looked for again before anything is sent again.

A step may be killed at any moment, done twice or come late. Its state is in its message, a part is named by
its content, and no record is stored twice. So a step that is done again still leads to the right receipt.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import wraps
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from record import Attribute, Record, now

from .. import dead_letters
from ..aws import ServiceError
from ..stage import what_failed
from .lines import Line
from .looking import Looker
from .parts import Cleared, Parts, clear, decide, publish, read
from .sending import Sender, hide_message, minutes, record_of, send_message, shortened
from .uploaded import MISSING, RECEIPTS, REJECTED, RESERVED, STATES, UnreadableFile, Version, Withdrawn, find, get, put

SUFFIXES = (".jsonl", ".jsonl.gz")
# Bytes of a file's key. S3 takes 1,024, and a part's key holds this one, its version's id of up to 36, and 42 more.
LONGEST_KEY = 946
MOST_REJECTED = 100_000
# Minutes before the look of each round. What is not stored then is sent again, but not after the last.
ROUNDS = (5, 15, 60)
FEW = 1000  # lines that are sent again at once, whether or not the pipeline may be behind
PATIENCE = 12  # how often a file is looked for once more, as the pipeline is behind: for some nine hours
RESERVE = 60  # seconds of the invocation that are kept for what comes after the last batch
TOLD = 10  # seconds after which a step says again how far it is
LONGEST_DELAY = 900  # seconds (SendMessage)
SHOWN = 1000  # characters of a rejected line

_LOG = logging.getLogger("stage")

IsStored = Callable[[Record, dict[str, Attribute]], bool]


@dataclass
class State:
    """How far a file is read and settled."""

    began: int  # when the first step began, in ms since the epoch
    round: int = 0  # 0 while the file is read, then the number of the round
    again: bool = False  # whether lines that were not stored are being sent again, after which the next round begins
    waits: int = 0  # how often lines were looked for once more, as the pipeline was behind
    due: int = 0  # when the next step begins, in ms since the epoch
    line: int = 0  # the last line of this round that was taken
    end: int = 0  # where it ended in the text
    last: int = 0  # the last line that was read at all
    date: int | None = None  # lines without a timestamp get one that counts from this
    accepted: int = 0  # lines that were sent
    rejected: int = 0
    stored: int = 0
    different: int = 0
    looked: int = 0  # lines that were looked for since the last look began
    open: int = 0  # lines that were looked for, and not stored
    sent_again: int = 0  # how many lines were sent again; twice, if twice
    rejects: list[str] = field(default_factory=list)  # the parts of the rejected lines
    source: list[str] = field(default_factory=list)  # the parts of lines that are still to be looked for or sent again
    kept: list[str] = field(default_factory=list)  # the parts of lines that were not stored, or were sent again
    reason: str = ""  # why the file was not read to its end

    @classmethod
    def of(cls, event: dict[str, Any]) -> State:
        """Return the state in which the work on an event goes on."""
        return cls(**json.loads(json.dumps(event.get("continued", {"began": now()}))))


def reads(is_stored: IsStored) -> Callable[[dict[str, Any], Any], Any]:
    """Make a handler of a function that tells whether the item under a record's key is that record."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        if "Records" not in event:  # an event that came without the queue
            _work(event, context, is_stored)
            return {}
        failed = []
        for message in event["Records"]:
            try:
                _work(json.loads(message["body"]), context, is_stored)
            except Exception:  # noqa: BLE001 - whatever it is, the message stays in the queue
                _hide(message)
                failed.append({"itemIdentifier": message["messageId"]})
        return {"batchItemFailures": failed}

    return wraps(is_stored)(handler)


def _work(event: dict[str, Any], context: Any, is_stored: IsStored) -> None:
    key = Version.of(event).key
    if key.startswith(RESERVED) or not key.endswith(SUFFIXES):
        reason = f"its name must end in {' or '.join(SUFFIXES)}"
        _LOG.warning("file ignored", extra={"recordId": key, "reason": reason})
        return
    step = Step(event, context, is_stored)
    try:
        step.run()
    except Cleared:
        clear(step.version)
        _LOG.info("file already settled", extra={"recordId": key})
    except Exception as failure:
        message = "dependency failed" if _is_passing(failure) else what_failed(failure)
        _LOG.error(message, extra={"recordId": key, "reason": f"{type(failure).__name__}: {failure}"})
        raise


def _is_passing(failure: Exception) -> bool:
    """Tell whether the SDK's service throttled, failed by itself or did not answer."""
    if isinstance(failure, ClientError):
        return failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (429, 500, 502, 503, 504)
    return isinstance(failure, HTTPClientError)


def _hide(message: dict[str, Any]) -> None:
    """Let a message be seen again sooner than the queue would: after 1 minute, then 4, 16 and 64."""
    wait = minutes(4 ** (int(message["attributes"]["ApproximateReceiveCount"]) - 1))
    try:
        hide_message(message["receiptHandle"], math.ceil(min(wait, 12 * 60 * 60)))
    except ServiceError as error:
        _LOG.warning("message stays hidden", extra={"reason": str(error)})


class Step:
    """What one invocation does for a file."""

    def __init__(self, event: dict[str, Any], context: Any, is_stored: IsStored) -> None:
        """Go on with what an event is about."""
        self._event, self._context, self._is_stored = event, context, is_stored
        self.version, self.state = Version.of(event), State.of(event)
        self._seconds = self._remaining()
        self._tell_at = 0.0
        self._is_late = False

    def run(self) -> None:
        """Do what is to be done, unless the file is settled already.

        A file that is not there any more has a receipt that says so. One that can't be read becomes a dead letter, too.
        """
        size = len(self.version.key.encode())
        try:
            if size > LONGEST_KEY:
                raise UnreadableFile(f"a key must have at most {LONGEST_KEY} bytes (got {size})")
            if self._is_settled():
                clear(self.version)  # again, if the step that wrote the receipt was killed
            else:
                self._go()
        except (Withdrawn, UnreadableFile) as fault:
            if isinstance(fault, UnreadableFile):
                self._refuse(fault)
            if size <= LONGEST_KEY:
                self.state = State.of(self._event)
                self.state.reason = str(fault)
                self._finish()

    def _go(self) -> None:
        self.file, self._is_current = find(self._event), self.version.is_current()
        self._sender = Sender()
        if self.state.due > now():
            self._send()
        elif self.state.again:
            self._send_again()
        elif self.state.round:
            self._look()
        else:
            self._read()

    # Reading: round 0

    def _read(self) -> None:
        """Send the lines, until all are sent or the time is up."""
        state, rejected = self.state, Parts(self.version, self.state.rejects)
        try:
            for line in self._lines():
                if not self._send_line(line, rejected):
                    state.reason = f"more than {MOST_REJECTED} lines are no records: it was read up to these"
                    break
        except UnreadableFile as fault:
            if not state.line:
                raise
            self._refuse(fault)
            state.reason = str(fault)
        self._sender.flush()
        rejected.close()
        state.accepted += self._sender.sent
        if not self._is_late:
            state.last = state.line
            publish(self.version, self._keys()(REJECTED, "jsonl"), state.rejects)
        self._go_on()

    def _send_line(self, line: Line, rejected: Parts) -> bool:
        """Send the record of a line, or note why it is none; return False if too many lines were none."""
        if not line.content and not line.fault:
            return True
        try:
            content, _ = record_of(line, self._timestamp)
        except ValueError as fault:
            if self.state.rejected == MOST_REJECTED:
                return False
            self.state.rejected += 1
            rejected.add(_document(line, str(fault)))
        else:
            self._sender.add(content)
        return True

    def _lines(self) -> Iterator[Line]:
        """Yield the lines of the file from where the state is, until the time is up."""
        state = self.state
        start = state.line, state.end
        for line in self.file.lines(number=state.line, end=state.end):
            if state.round and (line.number > state.last or state.line == state.last):
                return
            if (line.number, line.end) == start and self._remaining() < self._seconds / 2:
                raise UnreadableFile(f"{self.file.key} takes too long to get to line {line.number + 1}: split it")
            yield line
            state.line, state.end = line.number, line.end
            self._tell()
            if self._remaining() < RESERVE:
                self._is_late = True
                return

    def _timestamp(self, line: int) -> int:
        if self.state.date is None:
            self.state.date = self.file.first_date()
        return self.state.date + line

    # Settling: the rounds after it

    def _look(self) -> None:
        """Look for lines in the table, and keep those that are not there."""
        state, kept = self.state, Parts(self.version, self.state.kept)
        is_first = state.round == 1 and not state.waits

        def settle(content: bytes, record: Record, item: dict[str, Attribute] | None) -> None:
            state.looked += 1
            if item is None:
                state.open += 1
                kept.add(content)
            elif self._is_stored(record, item):
                state.stored += 1
            else:
                state.different += 1

        looker = Looker(settle)
        for line in self._lines() if is_first else self._kept_lines(looker):
            try:
                sought = record_of(line, self._timestamp)
            except ValueError:  # it was rejected; or it was sent by a version of the reader that let it pass
                if not is_first:
                    state.open += 1
                    kept.add(line.content)
            else:
                looker.add(*sought)
        looker.flush()
        kept.close()
        self._go_on()

    def _kept_lines(self, looker: Looker) -> Iterator[Line]:
        """Yield the lines that were kept by the look before, until the time is up."""
        for _, lines in self._source():
            for content in lines:
                self.state.open -= 1
                yield Line(0, content, 0)
            looker.flush()

    def _send_again(self) -> None:
        """Send the lines that were not stored."""
        for part, lines in self._source():
            for content in lines:
                self._sender.add(content)
            self._sender.flush()
            self.state.kept.append(part)
        self.state.sent_again += self._sender.sent
        self._go_on()

    def _source(self) -> Iterator[tuple[str, list[bytes]]]:
        """Yield the parts that are to be gone through, with their lines, until the time is up."""
        state = self.state
        while state.source and not self._is_late:
            yield state.source[0], read(self.version, state.source[0])
            del state.source[0]
            self._tell()
            self._is_late = bool(state.source) and self._remaining() < RESERVE

    # Between steps

    def _go_on(self) -> None:
        """Go on with what this step did if its time was up, else with what comes next."""
        state = self.state
        if not self._is_late:
            state.line = state.end = 0
            state.source, state.kept = state.kept, []
            wait = self._next()
            if wait is None:
                self._finish()
                return
            state.looked, state.due = 0, now() + int(minutes(wait) * 1000)
        self._send()

    def _next(self) -> float | None:
        """Choose what comes next, and return in how many minutes; None if nothing does."""
        state = self.state
        if state.again or not state.round:
            if not state.accepted:
                return None
            state.again = False
            state.round += 1
            return ROUNDS[state.round - 1]
        if not state.open:
            return None
        # Most lines are stored by now unless they wait, and while they wait they get fewer.
        if state.waits < PATIENCE and state.open > FEW and 0.1 < state.open / state.looked < 0.99:
            state.waits += 1
            return min(ROUNDS[0] * 2.0**state.waits, ROUNDS[-1])
        state.again = state.round < len(ROUNDS)
        return 0 if state.again else None

    def _send(self) -> None:
        """Let another step go on, when it is due."""
        self._tell_at = 0
        self._tell()
        seconds = math.ceil(max(0, self.state.due - now()) / 1000)
        send_message({**self._event, "continued": asdict(self.state)}, min(seconds, LONGEST_DELAY))

    def _finish(self) -> None:
        """Write the receipt, and the lines that are missing."""
        state = self.state
        settled = {"rejected": state.rejected, "stored": state.stored, "different": state.different}
        counts = {**settled, "missing": state.open}
        receipt = {
            "lines": sum(counts.values()),
            **counts,
            "sent_again": state.sent_again,
            "seconds": round((now() - state.began) / 1000, 3),
            "version": self.version.id,
            "began": state.began,
            **({"reason": state.reason} if state.reason else {}),
        }
        own = {"receipt": receipt, "rejected": state.rejects, "missing": [*state.source, *state.kept]}
        end = decide(self.version, own)
        key = self._keys()
        publish(self.version, key(REJECTED, "jsonl"), end["rejected"])
        publish(self.version, key(MISSING, "jsonl"), end["missing"])
        put(self.version.bucket, key(RECEIPTS, "json"), end["receipt"])
        clear(self.version)
        _LOG.info("file settled", extra={"recordId": self.version.key, **end["receipt"]})

    def _is_settled(self) -> bool:
        """Tell whether there is a receipt. The receipt of a file that was given up counts only for the same attempt."""
        for key in (self.version.own(RECEIPTS, "json"), self.version.beside(RECEIPTS, "json")):
            receipt = get(self.version.bucket, key)
            if receipt and receipt["version"] == self.version.id:
                return "reason" not in receipt or receipt["began"] == self.state.began
        return False

    def _keys(self) -> Callable[[str, str], str]:
        """Return what makes the keys of the documents about the file. If it was replaced, they hold its version."""
        try:
            is_latest = self.version.is_current()
        except Withdrawn:
            is_latest = True
        return self.version.beside if is_latest else self.version.own

    def _tell(self) -> None:
        """Log from time to time how far the file is."""
        if time.monotonic() < self._tell_at or not self._is_current:
            return
        self._tell_at = time.monotonic() + shortened(TOLD)
        told = {name: value for name, value in asdict(self.state).items() if not isinstance(value, list)}
        told["accepted"] += 0 if self.state.round else self._sender.sent
        about = {"version": self.version.id, "uploaded": self.file.modified, "size": self.file.size}
        put(self.version.bucket, f"{STATES}{self.version.key}.json", {**about, **told})

    def _refuse(self, fault: UnreadableFile) -> None:
        """Send a dead letter: the event from its beginning."""
        event = {name: value for name, value in self._event.items() if name != "continued"}
        _LOG.warning("file refused", extra={"recordId": self.version.key, "reason": str(fault)})
        deadline = time.monotonic() + self._remaining() / 2
        dead_letters.send(None, [(event, fault)], request_id=self._context.aws_request_id, deadline=deadline)

    def _remaining(self) -> float:
        milliseconds: int = self._context.get_remaining_time_in_millis()
        return milliseconds / 1000


def _document(line: Line, reason: str) -> bytes:
    content = line.content[: 4 * SHOWN].decode(errors="replace")[:SHOWN]
    return json.dumps({"line": line.number, "reason": reason, "content": content}, ensure_ascii=False).encode()
