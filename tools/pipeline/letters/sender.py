"""Sending the events of letters, and knowing the letters that come back of them.

A redriven event is a new invocation. Lambda answers it with a request id, and a letter that comes of it names that id:
as its own if the same stage failed again, within its envelopes if a later stage did. So nothing has to be written into
the event.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock

from pipeline.letters.in_flight import InFlight
from pipeline.letters.plan import Plan
from pipeline.letters.selection import Finding
from pipeline.letters.verdicts import Handled, RedriveCounts, Verdict
from pipeline.stack import READER, DeadLetter
from pipeline.stack.invoke import Answer, Invoker, Reply

MARGIN = 0.8  # the part of a letter's time within which its event may be sent


class Sender:
    """Sends the events of letters; for any number of threads."""

    def __init__(self, plan: Plan, invoker: Invoker, letters: InFlight, counts: RedriveCounts) -> None:
        self._plan, self._invoker, self._letters, self._counts = plan, invoker, letters, counts
        self._sent: set[str] = set()
        self._lock = Lock()
        self.follow: Callable[[str, str, bytes], object] = lambda request_id, stage, event: None
        """Called with each event that Lambda accepted for a stage."""
        self.follow_file: Callable[[str, Finding], object] = lambda message_id, finding: None
        """Called with each letter about a file that was put into the queue of files, by the id that it has there."""

    def has_sent(self, request_ids: Iterable[str]) -> bool:
        """Return whether one of these invocations is of an event that was sent here."""
        with self._lock:
            return any(request_id in self._sent for request_id in request_ids)

    def send(self, finding: Finding, events: Sequence[bytes], *, until: float) -> bool:
        """Send a letter's events, which is in flight until a monotonic time; return whether all were accepted."""
        target = self._plan.target(finding)
        for number, event in enumerate(events):
            if number:
                self._invoker.rate.take()
                until = self._keep(finding.letter, until)
            answer = self._send(finding, target, event, until)
            if answer.reply is not Reply.ACCEPTED:
                if not (answer.reply is Reply.FAILED and self._invoker.stop.is_set()):
                    self._refused(finding, answer, f"record {number + 1} of {len(events)}: " * (len(events) > 1))
                return False
            with self._lock:
                self._sent.add(answer.request_id)
        self._counts.settle(Handled(finding, Verdict.NOT_DELETED), target=target)
        return True

    def _send(self, finding: Finding, target: str, event: bytes, until: float) -> Answer:
        """Give an event to Lambda's queue or, if it is about a file, to the queue of files."""
        stack = self._plan.stack
        if target == READER and stack.files_url:
            message_id = self._letters.queue.send(stack.files_url, event.decode())
            self.follow_file(message_id, finding)
            return Answer(Reply.ACCEPTED, message_id)
        answer = self._invoker.send(stack.aliases[target], event, until=until)
        if answer.reply is Reply.ACCEPTED:
            self.follow(answer.request_id, target, event)
        return answer

    def _refused(self, finding: Finding, answer: Answer, which: str) -> None:
        verdict = Verdict.REFUSED if answer.reply is Reply.REFUSED else Verdict.FAILED
        self._counts.settle(Handled(finding, verdict, which + answer.reason))

    def _keep(self, letter: DeadLetter, until: float) -> float:
        """Hide a letter for longer when half of the time for its events is over; return their new end."""
        now, time_for_events = time.monotonic(), MARGIN * self._plan.visibility
        if until - now > time_for_events / 2:
            return until
        self._letters.hide(letter)
        return now + time_for_events
