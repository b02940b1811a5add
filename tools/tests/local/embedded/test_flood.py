"""Another user of the machine, with the port alone: what he gets, and what he takes of the server's memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.local.embedded.process import EmbeddedAws

MOST = 90
"""MB of the server's memory."""
FORGE = """
import hashlib, http.client, json, random, ssl, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
port, key = json.load(sys.stdin)
context = ssl._create_unverified_context()
MB = 1024 * 1024
TARGETS = "DynamoDB_20120810.PutItem", "AmazonSQS.SendMessage", ""
HASHES = hashlib.sha256(b"x").hexdigest(), "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", ""
PATHS = "/", "/_local/queue", "/2015-03-31/functions/f/invocations", "/b/key", "/_ministack/reset", "/?Action=ListUsers"

def forged(number):
    dice = random.Random(number)
    service = dice.choice(("dynamodb", "sqs", "s3", "lambda", "iam", "local"))
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {"x-amz-date": now, "x-amz-target": dice.choice(TARGETS), "x-amz-content-sha256": dice.choice(HASHES)}
    headers = {name: value for name, value in headers.items() if value}
    signed = ";".join(sorted(["host", *headers]))
    who = dice.choice((key, key, "test", "000000000000", "AKIAIOSFODNN7EXAMPLE"))
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={who}/{now[:8]}/us-east-1/{service}/aws4_request, SignedHeaders={signed}, "
        f"Signature={dice.randbytes(32).hex()}"
    )
    if dice.random() < 0.1:
        headers["x-much"] = "x" * dice.choice((20_000, 100_000))
    size = dice.choice((100 * MB, 20 * MB)) if number % 20 == 0 else dice.choice((0, 10, 300_000, 2 * MB))
    return dice.choice(("POST", "PUT")), dice.choice(PATHS), headers, size

def send(number):
    method, path, headers, size = forged(number)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
    connection.putrequest(method, path)
    for name, value in {**headers, "content-length": str(size)}.items():
        connection.putheader(name, value)
    try:
        connection.endheaders()
        for _ in range(size // 65536):
            connection.send(b"x" * 65536)
        connection.send(b"x" * (size % 65536))
    except OSError:
        pass  # refused before all was sent
    try:
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()

with ThreadPoolExecutor(16) as pool:
    print(json.dumps(list(pool.map(send, range(200)))))
"""
"""Sends what nobody signed. It knows the port and the owner's public key, which a link for somebody else has in it."""


def test_forged_requests_are_refused_and_take_no_memory(aws: EmbeddedAws, as_nobody: Callable[..., str]) -> None:
    (Path("/proc") / str(aws._process.pid) / "clear_refs").write_text("5")  # the peak is that of now
    before = peak(aws)
    printed = as_nobody(FORGE, [urlsplit(aws.endpoint).port, aws.environment["AWS_ACCESS_KEY_ID"]])
    answers = Counter(json.loads(printed))
    assert set(answers) <= {403, 404, 431}, answers
    assert sum(answers.values()) == 200
    assert peak(aws) < before + MOST
    assert aws.client("sqs").list_queues().get("QueueUrls", []) == []


def peak(aws: EmbeddedAws) -> float:
    """Return the most memory that the server has had, in MB."""
    status = (Path("/proc") / str(aws._process.pid) / "status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
