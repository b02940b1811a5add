"""cfn-lint rules that keep the ten issues of the first implementation from coming back, in any template.

An id says which of the ten a rule guards against: E911x and W911x the first, E912x and W912x the second, up to E920x
for the tenth; E93xx and W93xx guard what none of the ten named. E90xx and W90xx demand one property of a resource;
the first two are the lines of custom_rules.txt.
"""

from .alarms import BlindAlarm, FilledLosses, SilentAlarm, UndecidedSilence, UnwatchedDeployment
from .capacity import FixedCapacity, MemoryParameter, UndecidedSize, UndecidedTracing, Untraced
from .concurrency import ColdCriticalFunction, UnqualifiedCall
from .dead_letters import MisreadMetric, NoDeadLetters, ShortRetention, SlowDeadLetterAlarm, UnwatchedDeadLetters
from .delivery import ForbiddenDelivery, UndecidedRetries, UnreachedSettings
from .durability import (
    OpenBucket,
    PlainHttpAccepted,
    SharedKey,
    UndecidedEncryption,
    UndecidedProtection,
    UndecidedRecovery,
    UnencryptedQueue,
    Unrestorable,
    UnretainedData,
)
from .logs import KeptForEver, LogGroupOfNobody, NoLogGroup, UnwritableLogGroup
from .permissions import AllowAllBut, ManagedByAws, SharedRole, UnknownAction, WildcardAction, WildcardResource
from .references import AccountByNumber, NameSpelledAgain, UnevaluatedReference
from .trust import AnybodyAllowed, AnybodyTrusted
from .upkeep import MissingTags, WrittenOutAgain

__all__ = [
    "AccountByNumber",
    "AllowAllBut",
    "AnybodyAllowed",
    "AnybodyTrusted",
    "BlindAlarm",
    "ColdCriticalFunction",
    "FilledLosses",
    "FixedCapacity",
    "ForbiddenDelivery",
    "KeptForEver",
    "LogGroupOfNobody",
    "ManagedByAws",
    "MemoryParameter",
    "MisreadMetric",
    "MissingTags",
    "NameSpelledAgain",
    "NoDeadLetters",
    "NoLogGroup",
    "OpenBucket",
    "PlainHttpAccepted",
    "SharedKey",
    "SharedRole",
    "ShortRetention",
    "SilentAlarm",
    "SlowDeadLetterAlarm",
    "UndecidedEncryption",
    "UndecidedProtection",
    "UndecidedRecovery",
    "UndecidedRetries",
    "UndecidedSilence",
    "UndecidedSize",
    "UndecidedTracing",
    "UnencryptedQueue",
    "UnevaluatedReference",
    "UnknownAction",
    "UnqualifiedCall",
    "UnreachedSettings",
    "Unrestorable",
    "UnretainedData",
    "Untraced",
    "UnwatchedDeadLetters",
    "UnwatchedDeployment",
    "UnwritableLogGroup",
    "WildcardAction",
    "WildcardResource",
    "WrittenOutAgain",
]
