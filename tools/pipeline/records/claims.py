"""Which record an item with other data is of: a stage may have changed it, or another record has its key.

An item is of the record that has its data. If no record has, it is of the first one that is no dead letter and could
have become it; if all of these are dead letters, of the first one. This is known when all records were seen, so their
keys are kept: 8 bytes of each.
"""

from array import array
from collections.abc import Iterable, Sequence


class Claims:
    """Who claims which items; items are numbers."""

    def __init__(self) -> None:
        self._taken = array("Q")
        self._first = array("Q")  # of each claim its item, or the first one of several
        self._owners: dict[int, str] = {}
        self._several: dict[str, list[int]] = {}  # of each owner of several items those, the last one first
        self._dead = bytearray()
        self._won = bytearray()

    def take(self, items: Iterable[int]) -> None:
        """Note items that are of a record which has their data."""
        self._taken.extend(items)

    def ask(self, items: Sequence[int], *, owner: str, is_dead: bool) -> int:
        """Note that a record may have become one of items, the same for each record of an owner; return a number."""
        number = len(self._first)
        if len(items) > 1:
            self._owners[number] = owner
            if owner not in self._several:
                self._several[owner] = [*reversed(items)]
        self._first.append(items[0])
        self._dead.append(is_dead)
        return number

    def settle(self) -> None:
        """Decide, when all records were seen."""
        free = set(self._first)
        for items in self._several.values():
            free.update(items)
        free.difference_update(self._taken)
        self._won = bytearray(len(self._first))
        for is_dead in (False, True):
            for number, first in enumerate(self._first):
                if self._dead[number] == is_dead:
                    self._won[number] = self._claim(number, first, free)

    def won(self, number: int) -> bool:
        """Return whether a claim's record became an item."""
        return bool(self._won[number])

    def _claim(self, number: int, first: int, free: set[int]) -> bool:
        items = self._several[self._owners[number]] if number in self._owners else [first]
        while items:
            item = items.pop()
            if item in free:
                free.remove(item)
                return True
        return False
