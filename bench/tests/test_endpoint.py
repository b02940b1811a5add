"""The fake services: DynamoDB's answers in their time and trusted over TLS, and a file as large as its key says."""

import gzip
import json
import ssl
import time
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.harness.endpoint import endpoint, serving
from bench.harness.fake_s3 import BLOCKS, TEXT

LATENCY = {"BatchExecuteStatement": 0.05}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HTTPConnection]:
    with endpoint(tmp_path_factory.mktemp("endpoint"), tls=False, latency=LATENCY) as variables:
        connection = HTTPConnection(urlsplit(variables["AWS_ENDPOINT_URL"]).netloc, timeout=10)
        yield connection
        connection.close()


def ask(connection: HTTPConnection, operation: str, document: object) -> tuple[HTTPResponse, bytes]:
    connection.request("POST", "/", json.dumps(document), {"X-Amz-Target": f"DynamoDB_20120810.{operation}"})
    response = connection.getresponse()
    return response, response.read()


def test_each_statement_of_a_batch_has_a_response_after_as_long_as_it_takes(connection: HTTPConnection) -> None:
    began = time.monotonic()
    response, body = ask(connection, "BatchExecuteStatement", {"Statements": [{}] * 25})
    assert time.monotonic() - began >= LATENCY["BatchExecuteStatement"]
    assert json.loads(body) == {"Responses": [{}] * 25}
    assert int(response.headers["x-amz-crc32"]) == zlib.crc32(body)


def test_its_bundle_is_what_a_caller_has_to_trust_with_amazon_as_its_authority(tmp_path: Path) -> None:
    # Without Amazon's name each cold start would be measured with a handshake that fails, as it does not on AWS.
    with endpoint(tmp_path, tls=True) as variables:
        context = ssl.create_default_context(cafile=variables["AWS_CA_BUNDLE"])
        connection = HTTPSConnection(urlsplit(variables["AWS_ENDPOINT_URL"]).netloc, context=context, timeout=10)
        connection.request("POST", "/", b"{}")
        assert connection.getresponse().read() == b"{}"
        connection.close()
    assert "Amazon" in str(context.get_ca_certs()[0]["subject"])


def test_a_file_is_as_many_blocks_as_its_key_says() -> None:
    middle = len(TEXT) - 10, len(TEXT) + 9
    with serving("fake_s3") as port:
        connection = HTTPConnection(f"127.0.0.1:{port}", timeout=10)
        connection.request("HEAD", "/files/3/file.jsonl.gz")
        head = connection.getresponse()
        head.read()
        connection.request("GET", "/files/3/file.jsonl", headers={"Range": f"bytes={middle[0]}-{middle[1]}"})
        part = connection.getresponse().read()
        connection.close()
    assert int(head.headers["Content-Length"]) == 3 * len(BLOCKS[".gz"])
    assert part == TEXT[-10:] + TEXT[:10]
    assert gzip.decompress(BLOCKS[".gz"]) == TEXT
