"""The options of the commands that start an embedded AWS: how its asynchronous queue behaves."""

from collections.abc import Callable
from typing import Any

import click
from rich.console import Console

from pipeline.commands.shared.options import all_of
from pipeline.local.asynchronous import DEFAULT_MINUTE, KINDS, Clock, Faults, QueueOptions

FAULT_KINDS = {kind.value.replace(" ", "-"): kind for kind in KINDS}


def _rate(name: str, text: str) -> Callable[..., Any]:
    return click.option(name, type=click.FloatRange(0, 1), default=0.0, help=text)


queue_options = all_of(  # how the asynchronous queue behaves
    click.option(
        "--minute",
        type=click.FloatRange(min=0, max=60),
        default=DEFAULT_MINUTE,
        help="Seconds that a minute of Lambda's waiting takes. This shortens the pauses between retries and the "
        "backoff; the event age still counts them in full.",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 1000),
        default=QueueOptions().concurrency,
        help="Most asynchronous invocations at once; one function gets at most half of them.",
    ),
    click.option("--duplicate", is_flag=True, help="Deliver each event twice."),
    _rate("--fail-rate", "The share of the calls that fail."),
    click.option(
        "--fail-as",
        "kinds",
        type=click.Choice(list(FAULT_KINDS)),
        multiple=True,
        help="How those calls fail. May be repeated.  [default: all of them]",
    ),
    _rate("--lose-rate", "The share of the accepted events that Lambda deletes without a dead letter."),
    _rate("--throttle-rate", "The share of the table's writes that are throttled, also within a batch."),
    click.option(
        "--seed",
        type=int,
        default=0,
        help="Choose the failed calls, the lost events and the throttled writes by this random seed.",
    ),
    click.option("--stop-after", type=click.IntRange(0), help="Deliver nothing after so many calls."),
)


def queue_of(*, minute: float, concurrency: int, kinds: tuple[str, ...], **faults: Any) -> QueueOptions:
    """Return the queue's settings as the options give them."""
    chosen = tuple(FAULT_KINDS[kind] for kind in kinds) or KINDS
    return QueueOptions(Clock(minute), Faults(kinds=chosen, **faults), concurrency)


def console(*, stderr: bool) -> Console:
    """Return where a command prints; wide unless it is a terminal."""
    found = Console(stderr=stderr)
    return found if found.is_terminal else Console(stderr=stderr, width=160)
