"""Lambda's asynchronous invocation, in front of an embedded AWS that lacks it. It imports nothing of the rest of local.

How an event travels:

    a request, InvocationType Event
        │  middleware     is it an event, who asks, may they, is it JSON of at most 1 MB: else AWS's refusal
        ▼
    an Event in the Queue, the caller has its 202
        │  concurrency    which event runs next: bounded, the deepest in its chain first
        │  faults         what `--fail-rate` and its like inject
        │  lambda_api     one synchronous invocation, and what it says of how the attempt ended
        ▼
    an Attempt
        │  retries        again, and when; or the Condition under which the event ends
        ▼
    the event's end
        │  delivery       what follows from it, sent as the function's role (roles); or lost, and counted (counts)
        │  documents      the invocation record and the dead letter, byte for byte
        │  targets        what can be sent to
        ▼
    a message in a queue, or an Event for the next function, whose depth is one more

Where a rule lives: who may send an event and what is refused, `middleware`; when there is another attempt, `retries`;
which settings count, `lambda_api`; the dead letter's format, `documents` (`pipeline.stack.dead_letter` reads it);
another kind of destination, `targets` and `delivery`; what MiniStack leaves out, `gaps`. All of them call the embedded
AWS by its public HTTP API, through `aws_api`, within the process; the rest of local speaks HTTP by it, too.
"""

from .counts import Count, Counts
from .event import Result
from .faults import KINDS, Faults
from .lambda_api import REQUEST_ID_HEADER
from .middleware import AsynchronousInvocation, region_of, target_of
from .queue import Queue, QueueOptions
from .retries import DEFAULT_MINUTE, Clock
from .targets import UNQUALIFIED, NameRefusedError, Target, service_of, unsupported

__all__ = [
    "DEFAULT_MINUTE",
    "KINDS",
    "REQUEST_ID_HEADER",
    "UNQUALIFIED",
    "AsynchronousInvocation",
    "Clock",
    "Count",
    "Counts",
    "Faults",
    "NameRefusedError",
    "Queue",
    "QueueOptions",
    "Result",
    "Target",
    "region_of",
    "service_of",
    "target_of",
    "unsupported",
]
