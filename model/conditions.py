"""The conditions: the parameters decide which resources and properties exist."""

from typing import Any

from troposphere import And, AWSHelperFn, Condition, Equals, If, Not, NoValue, Or, Ref

from . import parameters
from .parameters import Choice

ALL: dict[str, AWSHelperFn] = {}
"""The conditions for the whole stack; a stage may have more of its own."""


def _condition(name: str, holds: AWSHelperFn) -> str:
    """Define a condition, and return the name that resources refer to it by."""
    ALL[name] = holds
    return name


def given(choice: Choice) -> AWSHelperFn:
    """Tell whether a choice was made: an empty text and the number 0 are none."""
    return Not(Equals(Ref(choice), 0 if choice.Type == "Number" else ""))


def _true(choice: Choice) -> AWSHelperFn:
    return Equals(Ref(choice), "true")


CONCURRENCY_IS_RESERVED = _condition("ConcurrencyIsReserved", given(parameters.RESERVED_CONCURRENCY))
DEPLOYS_GRADUALLY = _condition("DeploysGradually", _true(parameters.GRADUAL_DEPLOYMENT))
EMAILS_ALARMS = _condition("EmailsAlarms", given(parameters.ALARM_EMAIL))
HAS_ALARM_TOPIC = _condition("HasAlarmTopic", given(parameters.ALARM_TOPIC_ARN))
# Alarms cost money: beyond the one on dead letters there are some where they tell somebody or undo a deployment.
IS_WATCHED = _condition(
    "IsWatched", Or(Condition(EMAILS_ALARMS), Condition(HAS_ALARM_TOPIC), Condition(DEPLOYS_GRADUALLY))
)
HAS_KEY = _condition("HasKey", given(parameters.KMS_KEY_ARN))
HAS_BOUNDARY = _condition("HasBoundary", given(parameters.PERMISSIONS_BOUNDARY_ARN))
DATA_IS_PROTECTED = _condition("DataIsProtected", _true(parameters.PROTECT_DATA))
HAS_FILES = _condition("HasFiles", _true(parameters.FILES_BUCKET))
FILES_ARE_WATCHED = _condition("FilesAreWatched", And(Condition(HAS_FILES), Condition(IS_WATCHED)))


def when(condition: str, value: Any, otherwise: Any = NoValue) -> AWSHelperFn:
    """Choose a property's value by a condition; without one the property is absent."""
    return If(condition, value, otherwise)
