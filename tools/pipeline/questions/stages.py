"""The program that runs a tree's stages on records, without AWS and with a clock that stands still.

It is run by its path, in a Python of its own, with the tree's folder of functions on the path, and writes a line of
JSON for each record: the line's number, and whether it was stored (the item), refused (the sentence) or failed (the
error).
"""

import datetime
import gc
import importlib
import json
import logging
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Self

LARGE = 100_000  # bytes of a record from which on its envelopes may be too large for Lambda

Fate = tuple[str, Any]


class Context:
    """What Lambda gives to a handler beside the event."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute."""
        return 60_000


def stop_the_clock(now: int) -> None:
    """Let it be always the same time, in ms since the epoch, and chance the same chance."""

    class Datetime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Self:
            return cls.fromtimestamp(now / 1000, tz)

        @classmethod
        def utcnow(cls) -> Self:
            return cls.now(datetime.UTC).replace(tzinfo=None)

    time.time, time.time_ns = lambda: now / 1000, lambda: now * 1_000_000
    datetime.datetime = Datetime  # type: ignore[misc]
    random.seed(now)
    os.urandom = random.randbytes


def imported(*names: str) -> Any:
    """Import the first of some modules that there is."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in (name, name.partition(".")[0]):
                raise
    return None


class Memory:
    """The data table: it takes what the real one takes, and knows the last item that it was given."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.item: Any = None
        self._stored: dict[tuple[str, str], tuple[bytes, bool]] = {}

    def put(self, item: Any) -> bool:
        """Write an item as `store.put` does."""
        self.item = item
        key, enriched = (item["id"]["S"], item["timestamp"]["N"]), "enriched" in item
        own = blake2b(repr([item.get(name) for name in self.store._COMPARED]).encode(), digest_size=16).digest()
        before = self._stored.get(key)
        if before and before[0] != own:
            raise self.store.ConflictingRecord
        if before and (before[1] or not enriched):
            return False
        self._stored[key] = own, enriched
        return True


def handler(name: str) -> Callable[..., Any]:
    """Load a handler; one that can't be loaded fails for each record."""
    module, _, function = name.rpartition(".")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except Exception as error:  # noqa: BLE001 - whatever a module raises when it is loaded
        problem = error

        def broken(*_: object) -> None:
            raise problem

        return broken
    return found


def run(stages: list[Callable[..., Any]], record: Any, memory: Memory, *, large: bool) -> Fate:
    """Hand a record from stage to stage, as Lambda does."""
    memory.item, event, result = None, record, None
    try:
        for number, stage in enumerate(stages):
            if number:
                event = {"requestPayload": event, "requestContext": {}, "responsePayload": result} if large else result
            result = stage(event, Context)
            if not hasattr(stage, "__wrapped__"):  # a handler of the project's own has not encoded it yet
                result = json.loads(json.dumps(result))
    except BaseException as error:  # noqa: BLE001 - also an exit is the stage's failure
        if any(kind.__name__ == "InvalidRecord" for kind in type(error).__mro__):
            return "refused", str(error)
        return "failed", f"{type(error).__name__}: {error}"
    return "stored", result if memory.item is None else memory.item


def fates(stages: list[Callable[..., Any]], memory: Memory, path: str) -> Iterator[tuple[int, Fate]]:
    """Yield what becomes of the records of each line."""
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib isn't needed for anything else
        for number, line in enumerate(file, 1):
            if not (text := line.strip().removeprefix(b"\xef\xbb\xbf")):
                continue
            try:
                document = json.loads(text)
            except (ValueError, RecursionError):
                yield number, ("refused", "it is not JSON")
                continue
            for record in document if isinstance(document, list) else [document]:
                yield number, run(stages, record, memory, large=len(text) > LARGE)


def main(folder: str, handlers: list[str], path: str, now: int) -> None:
    """Run the handlers of a folder, in order, on the records of a file."""
    out = os.fdopen(os.dup(1), "w", buffering=1 << 16)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the stages print is no answer
    os.environ |= {"TABLE_NAME": "memory", "DEAD_LETTER_QUEUE_URL": "https://memory", "AWS_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_EC2_METADATA_DISABLED": "true"}
    gc.set_threshold(100_000)
    logging.disable()
    stop_the_clock(now)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    if aws := imported("core.aws", "aws"):
        aws.Client.call = lambda *_: {}  # of any other table: whatever is asked for goes well, and nothing is there
    if numbers := imported("core.numbers"):  # each stage asks for the same text
        numbers.canonical_numbers = lru_cache(8)(numbers.canonical_numbers)
    memory = Memory(imported("core.store", "store"))
    if memory.store:
        memory.store.put = memory.put
    stages = [handler(name) for name in handlers]
    write = json.JSONEncoder(default=repr).encode
    for number, fate in fates(stages, memory, path):
        out.write(f"{write([number, *fate])}\n")
    out.close()


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
