"""A fake S3 with one file as large as its key says, and all else that the reader calls, which says yes to everything.

`python -m bench.harness.fake_s3` prints its port. The file is one block of records again and again, so that it takes no
disk. Its key says how often: `4000/file.jsonl`.
"""

import gzip
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.harness.records import sized

RECORDS = 4000  # in a block
TEXT = "".join(json.dumps(sized(index)) + "\n" for index in range(RECORDS)).encode()
ITEM = json.dumps(sized(0)["data"])  # of every record
BLOCKS = {".jsonl": TEXT, ".gz": gzip.compress(TEXT, mtime=0)}


class Handler(BaseHTTPRequestHandler):
    """Answers the requests that the reader makes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Send a range of the file; nothing else is there."""
        if "list-type" in self.path:
            self._answer(200, b"<ListBucketResult/>")
            return
        if "Range" not in self.headers:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        block, _ = self._block()
        first, last = map(int, re.findall(r"\d+", self.headers["Range"]))
        begin = first - first % len(block)
        repeated = block * ((last - begin) // len(block) + 1)
        self._answer(206, repeated[first - begin : last - begin + 1])

    def do_HEAD(self) -> None:
        """Tell the file's size; nothing else is there."""
        if "/file.jsonl" not in self.path or re.match("/files/(receipts|rejected|missing)/", self.path):
            self._answer(404)
            return
        block, count = self._block()
        self._answer(200, length=len(block) * count)

    def do_PUT(self) -> None:
        """Take a document of the reader."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(200)

    def do_POST(self) -> None:
        """Take an event for Lambda, or answer SQS's and DynamoDB's requests."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if not operation:
            self._answer(202)
        elif operation == "BatchGetItem":
            ((table, wanted),) = json.loads(body)["RequestItems"].items()
            items = [{**key, "data": {"S": ITEM}} for key in wanted["Keys"]]
            self._answer(200, json.dumps({"Responses": {table: items}}).encode())
        else:
            self._answer(200, json.dumps({"Attributes": {"ApproximateNumberOfMessagesNotVisible": "1"}}).encode())

    def _block(self) -> tuple[bytes, int]:
        *_, count, name = self.path.split("?")[0].split("/")
        return BLOCKS[".gz" if name.endswith(".gz") else ".jsonl"], int(count)

    def _answer(self, status: int, body: bytes = b"", *, length: int = 0) -> None:
        self.send_response(status)
        date = {"ETag": '"0123456789abcdef"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        for name, value in {"Content-Length": str(length or len(body)), **date}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no line for a request."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)  # noqa: T201 - for the process that started it
    server.serve_forever()
