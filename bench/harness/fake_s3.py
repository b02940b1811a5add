"""A fake S3 with one file that is as large as it is asked to be, and a fake Lambda that takes every event.

`python -m bench.harness.fake_s3` prints its port. The file is one block of records again and again, so that it takes no
disk; its key says how often: `4000/file.jsonl`.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.harness.installed import ROOT
from bench.harness.records import sized

RECORDS = 4000
"""In a block."""
TEXT = "".join(json.dumps(sized(index)) + "\n" for index in range(RECORDS)).encode()
BLOCKS = {".jsonl": TEXT, ".gz": gzip.compress(TEXT, mtime=0)}


class Handler(BaseHTTPRequestHandler):
    """Answers the requests that the reader makes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_HEAD(self) -> None:
        """Tell the file's size."""
        block, count = self._block()
        self._answer(200, b"", length=len(block) * count)

    def do_GET(self) -> None:
        """Send a range of the file."""
        block, _ = self._block()
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"])
        assert found  # noqa: S101 - the reader reads nothing but ranges
        first, last = int(found[1]), int(found[2])
        begin = first - first % len(block)
        repeated = block * ((last - begin) // len(block) + 1)
        self._answer(206, repeated[first - begin : last - begin + 1])

    def do_PUT(self) -> None:
        """Take what is written."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(200, b"")

    def do_POST(self) -> None:
        """Take an event."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(202, b"")

    def _block(self) -> tuple[bytes, int]:
        *_, count, name = self.path.split("?")[0].split("/")
        return BLOCKS[".gz" if name.endswith(".gz") else ".jsonl"], int(count)

    def _answer(self, status: int, body: bytes, *, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("ETag", '"0123456789abcdef"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the bench's output to the bench."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve until the block ends; yields the URL."""
    process = subprocess.Popen([sys.executable, "-m", __name__], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout  # noqa: S101 - it is a pipe
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)  # noqa: T201 - for whoever started it
    server.serve_forever()
