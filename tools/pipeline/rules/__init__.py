"""cfn-lint rules that keep the ten issues of the first implementation from coming back, in any template.

An id says which of the ten a rule guards against: E911x and W911x the first, E912x and W912x the second, up to E920x
for the tenth; E93xx and W93xx guard what none of the ten named. E90xx are the lines of demands.txt, W90xx those of
custom_rules.txt.
"""

from . import (
    alarms,
    capacity,
    concurrency,
    dead_letters,
    delivery,
    durability,
    logs,
    permissions,
    references,
    trust,
    upkeep,
)
from .rule import Rule, demands

_MODULES = [
    *(alarms, capacity, concurrency, dead_letters, delivery, durability, logs, permissions, references, trust, upkeep)
]
_FOUND = [one for module in _MODULES for one in vars(module).values() if isinstance(one, type)]
RULES: list[type[Rule]] = [*(rule for rule in _FOUND if "source_url" in vars(rule)), *demands()]
