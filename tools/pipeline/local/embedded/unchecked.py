"""The bodies of requests whose signature can be checked only when they are whole: together they hold little memory."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile

from pipeline.local.asynchronous.aws_api import Receive, chunks

IN_MEMORY = 8 * 1024 * 1024  # bytes of all of them together that are in memory; more is on disk
LIMIT = 80 * 1024 * 1024  # bytes of all of them together, since a package to deploy without S3 may have 70 MB
PATIENCE = 30  # seconds within which a body has to arrive


@dataclass
class Unchecked:
    """Reads them; when they become too many, the one that takes longest ends."""

    _held: dict[asyncio.Timeout, int] = field(default_factory=dict)  # the bytes of each, the oldest first

    async def read(self, receive: Receive, is_right: Callable[[str], bool]) -> bytes | None:
        """Read a body; None if it took too long, or its hash is not the right one."""
        digest = hashlib.sha256()
        with SpooledTemporaryFile() as file:
            try:
                async with asyncio.timeout(PATIENCE) as time:
                    self._held[time] = 0
                    try:
                        async for chunk in chunks(receive):
                            self._hold(time, len(chunk), file)
                            file.write(chunk)
                            digest.update(chunk)
                    finally:
                        self._held.pop(time, None)
            except TimeoutError:
                return None
            file.seek(0)
            return file.read() if is_right(digest.hexdigest()) else None

    def _hold(self, time: asyncio.Timeout, size: int, file: SpooledTemporaryFile[bytes]) -> None:
        if time in self._held:
            self._held[time] += size
        if sum(self._held.values()) > IN_MEMORY:
            file.rollover()
        while sum(self._held.values()) > LIMIT:
            oldest = next(iter(self._held))
            oldest.reschedule(0)
            del self._held[oldest]
