"""One record of our own through the deployed stack: stored as the stages make it, sent again, stored once, removed."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.questions import logs
from pipeline.questions.explain import DONE, find_lines
from pipeline.records.table import Item, Table
from pipeline.stack import ENTRY, Stack
from pipeline.stack.invoke import Invoker, Reply

POLL = 0.5  # seconds between two looks
ENRICHER = "enricher"  # the stage that marks a record as enriched, if the pipeline has it


class StuckError(Exception):
    """The record did not come through; the message says where it stuck."""


class Step(NamedTuple):
    """Something that went as it should."""

    step: str
    seconds: float


@dataclass
class Smoke:
    """One record, followed through a stack."""

    log: Any  # a client of CloudWatch's logs
    stack: Stack
    table: Table  # with all attributes
    invoker: Invoker
    record: Mapping[str, Any]
    until: float  # the monotonic time at which it has to be through
    began: int  # in ms since the epoch

    @property
    def record_id(self) -> str:
        """The record's id, which no other one has."""
        return str(self.record["id"])

    def run(self) -> Iterator[Step]:
        """Send the record twice, and look each time what became of it; StuckError if it did not come through."""
        started = time.monotonic()
        self._send()
        yield Step("accepted", time.monotonic() - started)
        item = self._wait(self._items)[0]
        self._check(item)
        added = ", ".join(sorted(item.fields.keys() - self.record.keys())) or "nothing"
        yield Step(f"stored, the stages added {added}", time.monotonic() - started)
        ends = self._wait(self._ends)
        self._send()
        self._wait(lambda: self._ends() > ends)
        if (again := self._items()) != [item]:
            raise StuckError(f"sent again it was stored as {json.dumps([one.fields for one in again])}")
        yield Step("sent again, and stored once", time.monotonic() - started)

    def remove(self) -> None:
        """Remove what was stored."""
        for item in self._items():
            key = {"id": {"S": item.key.id}, "timestamp": {"N": str(item.key.timestamp)}}
            self.table.client.delete_item(TableName=self.table.name, Key=key)

    def _send(self) -> None:
        answer = self.invoker.send(self.stack.aliases[ENTRY], json.dumps(self.record).encode(), until=self.until)
        if answer.reply is not Reply.ACCEPTED:
            raise StuckError(f"Lambda did not accept it: {answer.reason}")

    def _wait(self, question: Callable[[], Any]) -> Any:
        while not (answer := question()):
            if time.monotonic() > self.until:
                raise StuckError(self._place())
            time.sleep(POLL)
        return answer

    def _items(self) -> list[Item]:
        return self.table.of_id(self.record_id)

    def _check(self, item: Item) -> None:
        if ENRICHER in self.stack.pipeline and not item.enriched_by:
            raise StuckError(f"it is stored without what the {ENRICHER} adds: {json.dumps(item.fields)}")

    def _lines(self) -> Mapping[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {name: [] for name in self.stack.pipeline}
        for line in find_lines(self.log, self.stack, self.record_id, [], since=self.began):
            found.setdefault(line.stage, []).append((line.message, line.detail))
        return found

    def _ends(self) -> int:
        """Return how often the last stage has stored the record, by its log."""
        return sum(bool(DONE.match(message)) for message, _ in self._lines()[self.stack.pipeline[-1]])

    def _place(self) -> str:
        lines, before = self._lines(), "Lambda's queue"
        for stage in self.stack.pipeline:
            told = lines[stage]
            if not told:
                found = logs.failures(self.log, logs.group_of(self.stack.aliases[stage]), since=self.began)
                if found.counts:
                    return f"it stuck in the {stage}, which does not start: {', '.join(found.counts)}"
                why = "either it was not handed on, or the version behind live does not start"
                return f"it stuck between {before} and the {stage}, which logged nothing of it: {why}"
            if not any(DONE.match(message) for message, _ in told):
                message, why = told[-1]
                return f"it stuck in the {stage}: {message} ({why})"
            before = f"the {stage}"
        if self._items():
            return "it is stored, and when it was sent again that was not seen in time"
        return f"it passed the {self.stack.pipeline[-1]} and is not in the table"
