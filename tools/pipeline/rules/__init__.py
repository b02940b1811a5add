"""cfn-lint rules that keep the ten issues of the first implementation from coming back, in any template.

An id says which of the ten a rule guards against: E911x and W911x the first, E912x and W912x the second, up to E920x
for the tenth; E93xx and W93xx guard what none of the ten named. E90xx and W90xx are the lines of custom_rules.txt.
"""

from .alarms import BlindAlarm, FilledLosses, SilentAlarm, UnwatchedDeployment
from .capacity import FixedCapacity, MemoryParameter, UndecidedSize
from .concurrency import ColdCriticalFunction, UnqualifiedCall
from .dead_letters import MisreadMetric, NoDeadLetters, ShortRetention, SlowDeadLetterAlarm, UnwatchedDeadLetters
from .delivery import ForbiddenDelivery, UndecidedRetries, UnreachedSettings
from .duplication import WrittenOutAgain
from .durability import OpenBucket, PlainHttpAccepted, UnencryptedQueue, UnretainedData
from .logs import LogGroupOfNobody, NoLogGroup, UnwritableLogGroup
from .permissions import AllowAllBut, ManagedByAws, SharedRole, UnknownAction, WildcardAction, WildcardResource
from .references import AccountByNumber, NameSpelledAgain, UnevaluatedReference
from .tagging import MissingTags
from .trust import AnybodyAllowed, AnybodyTrusted

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
    "SharedRole",
    "ShortRetention",
    "SilentAlarm",
    "SlowDeadLetterAlarm",
    "UndecidedRetries",
    "UndecidedSize",
    "UnencryptedQueue",
    "UnevaluatedReference",
    "UnknownAction",
    "UnqualifiedCall",
    "UnreachedSettings",
    "UnretainedData",
    "UnwatchedDeadLetters",
    "UnwatchedDeployment",
    "UnwritableLogGroup",
    "WildcardAction",
    "WildcardResource",
    "WrittenOutAgain",
]
