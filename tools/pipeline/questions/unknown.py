"""What AWS did not tell, and why: one answer that is missing does not hide the others."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.errors import AwsError, DeniedError
from pipeline.stack.aws import explain

T = TypeVar("T")
D = TypeVar("D")


class Unknown(NamedTuple):
    """A question that AWS did not answer."""

    reason: str
    denied: bool = False


def or_unknown(question: Callable[[], T]) -> T | Unknown:
    """Ask AWS; what it does not tell is unknown."""
    try:
        return question()
    except AwsError as error:
        return Unknown(str(error), denied=isinstance(error, DeniedError))
    except (ClientError, BotoCoreError) as error:
        told = explain(error)
        return Unknown(str(told), denied=isinstance(told, DeniedError))


def known(value: T | Unknown, told: Callable[[T], D], otherwise: D) -> D:
    """Return what is told of a value, or something else if it is unknown."""
    return otherwise if isinstance(value, Unknown) else told(value)
