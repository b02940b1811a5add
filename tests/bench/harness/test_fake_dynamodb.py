"""The fake DynamoDB: an answer for each statement of a batch, with the checksum that callers check, in its time."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from bench.harness.endpoint import endpoint

LATENCY = {"BatchExecuteStatement": 0.05}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HTTPConnection]:
    folder: Path = tmp_path_factory.mktemp("endpoint")
    with endpoint(folder, tls=False, latency=LATENCY) as fake:
        connection = HTTPConnection(fake.url.removeprefix("http://"), timeout=10)
        yield connection
        connection.close()


def ask(connection: HTTPConnection, operation: str, document: object) -> tuple[HTTPResponse, bytes]:
    connection.request("POST", "/", json.dumps(document), {"X-Amz-Target": f"DynamoDB_20120810.{operation}"})
    response = connection.getresponse()
    return response, response.read()


def test_a_write_is_answered_with_nothing_but_yes(connection: HTTPConnection) -> None:
    response, body = ask(connection, "PutItem", {"Item": {}})
    assert response.status == 200
    assert body == b"{}"


def test_each_statement_of_a_batch_has_a_response(connection: HTTPConnection) -> None:
    response, body = ask(connection, "BatchExecuteStatement", {"Statements": [{}] * 25})
    assert json.loads(body) == {"Responses": [{}] * 25}
    assert int(response.headers["x-amz-crc32"]) == zlib.crc32(body)


def test_an_operation_takes_its_time_and_the_others_none(connection: HTTPConnection) -> None:
    began = time.monotonic()
    ask(connection, "BatchExecuteStatement", {"Statements": [{}]})
    assert time.monotonic() - began >= LATENCY["BatchExecuteStatement"]
    began = time.monotonic()
    ask(connection, "PutItem", {"Item": {}})
    assert time.monotonic() - began < LATENCY["BatchExecuteStatement"]
