"""Looking at all dead letters of a stack, with progress, and saying which could not be seen."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.commands.shared.context import Context
from pipeline.errors import StoppedError
from pipeline.letters.peek import Peek
from pipeline.letters.queue import IN_FLIGHT, DeadLetterQueue, Depth
from pipeline.letters.selection import Finding, examine
from pipeline.terminal.printable import counted
from pipeline.terminal.screen import Screen


@contextmanager
def findings(
    context: Context, *, progress: str = "dead letters", shown: bool = True
) -> Iterator[tuple[Iterator[Finding], Peek]]:
    """Peek at all letters of the queue, with progress; those that can't be seen are counted at the end."""
    stack, queue, screen = context.pipeline, context.queue(), context.screen
    depth, seen = queue.depth(), 0
    with screen.progress(progress, depth.visible, shown=shown) as advance:

        def examined(letters: Peek) -> Iterator[Finding]:
            nonlocal seen
            for letter in letters:
                advance(1)
                seen += 1
                yield examine(letter, stack)
            if seen < depth.visible:
                note_full(screen, queue)

        try:
            with Peek(queue, depth) as letters:
                yield examined(letters), letters
        except KeyboardInterrupt as error:
            raise StoppedError("Interrupted: what was looked at and not deleted is back in the queue.") from error
    note_unseen(screen, depth, seen)


def note_unseen(screen: Screen, depth: Depth, seen: int) -> int:
    """Say how many letters could not be seen, if any, and return how many."""
    if unseen := depth.unseen(seen):
        screen.note(
            f"Somebody else had received about {counted(unseen, 'more letter', 'more letters')} when this began, "
            "perhaps a command that was killed: they come back when their visibility timeout ends."
        )
    return unseen


def note_full(screen: Screen, queue: DeadLetterQueue) -> None:
    """Say that SQS hands out no more letters, if that is so."""
    if (depth := queue.depth()).is_full:
        screen.note(
            f"SQS hands out no more letters: {depth.in_flight} of at most {IN_FLIGHT} are in flight. "
            f"{depth.visible} more wait until those come back."
        )
