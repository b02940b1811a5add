"""The thin client: what is signed and sent, what is retried and how long, what passes on, and whom it trusts."""

from __future__ import annotations

import json
import random
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import dynamodb as thin
from local.embedded.certificate import Certificates, make_certificates

FUNCTION_TIMEOUT = 60  # seconds
PUT = {
    "TableName": "records",
    "Item": {"id": {"S": "a"}, "timestamp": {"N": "1"}, "data": {"S": "1"}},
    "ConditionExpression": "attribute_not_exists(id) OR (#data = :data AND attribute_not_exists(enriched))",
    "ExpressionAttributeNames": {"#data": "data"},
    "ExpressionAttributeValues": {":data": {"S": "1"}},
}


@pytest.fixture
def client(endpoint: Any, dynamodb: Any) -> Iterator[thin.Client]:
    """A client of the fake endpoint, not connected yet."""
    client = thin.Client(endpoint[1], "eu-west-1")
    yield client
    client.close()


@pytest.fixture
def longest_waits(monkeypatch: pytest.MonkeyPatch, no_waiting: list[float]) -> list[float]:
    """Wait as long as can be at each retry, without the waiting."""
    monkeypatch.setattr(random, "uniform", lambda _, longest: longest)
    return no_waiting


@pytest.mark.parametrize(
    "answer",
    [
        (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
        (400, "com.amazonaws.dynamodb.v20120810#ThrottlingException"),
        (400, "com.amazonaws.dynamodb.v20120810#ReplicatedWriteConflictException"),
        (429, "Anything"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ],
)
def test_throttling_and_server_errors_are_retried(
    client: thin.Client, dynamodb: Any, no_waiting: Any, answer: Any
) -> None:
    dynamodb.failures = [answer] * 4
    assert client.call("PutItem", PUT) == {}
    assert len(dynamodb.requests) == 5
    assert len(no_waiting) == 4


def test_throttling_that_lasts_passes_on_as_it_is(client: thin.Client, dynamodb: Any, no_waiting: Any) -> None:
    dynamodb.always = (400, "com.amazon.coral.availability#ThrottlingException")
    with pytest.raises(thin.StorageError, match=r"^ThrottlingException: as the test asked$") as raised:
        client.call("PutItem", PUT)
    assert raised.value.code == "ThrottlingException"
    assert len(dynamodb.requests) == 5


@pytest.mark.parametrize(
    "name",
    ["AccessDeniedException", "ExpiredTokenException", "ResourceNotFoundException", "ValidationException"],
)
def test_other_errors_pass_on_at_once(client: thin.Client, dynamodb: Any, name: str) -> None:
    dynamodb.always = (400, name)
    with pytest.raises(thin.StorageError, match=f"^{name}: "):
        client.call("PutItem", PUT)
    assert len(dynamodb.requests) == 1


@pytest.mark.parametrize(
    ("answer", "waits"),
    [((400, "ThrottlingException"), [1, 2, 4, 8]), ((500, "InternalServerError"), [0.05, 0.1, 0.2, 0.4])],
)
def test_the_waits_grow_and_are_longer_after_throttling(
    client: thin.Client, dynamodb: Any, longest_waits: list[float], answer: Any, waits: list[float]
) -> None:
    dynamodb.failures = [answer] * 4
    client.call("PutItem", PUT)
    assert longest_waits == waits


def test_a_wait_is_a_random_part_of_the_longest(client: thin.Client, dynamodb: Any, no_waiting: list[float]) -> None:
    for _ in range(10):
        dynamodb.items.clear()
        dynamodb.failures = [(400, "ThrottlingException")]
        client.call("PutItem", PUT)
    assert all(0 <= wait <= 1 for wait in no_waiting)
    assert len(set(no_waiting)) == 10


def test_the_longest_write_is_well_inside_the_functions_timeout(
    client: thin.Client, dynamodb: Any, longest_waits: list[float]
) -> None:
    dynamodb.always = (400, "ThrottlingException")
    with pytest.raises(thin.StorageError):
        client.call("PutItem", PUT)
    attempts = len(dynamodb.requests) * (thin.CONNECT_TIMEOUT + thin.READ_TIMEOUT)
    assert attempts + sum(longest_waits) <= FUNCTION_TIMEOUT - 20


def test_requests_share_one_connection(client: thin.Client, dynamodb: Any) -> None:
    before = dynamodb.connections
    for _ in range(3):
        client.call("PutItem", PUT)
        dynamodb.items.clear()
    assert dynamodb.connections - before == 1


def test_a_connection_opened_ahead_is_the_one_that_is_used(client: thin.Client, dynamodb: Any) -> None:
    before = dynamodb.connections
    client.connect()
    client.call("PutItem", PUT)
    assert dynamodb.connections - before == 1


def test_a_connection_that_was_closed_while_idle_is_replaced_without_waiting(
    client: thin.Client, dynamodb: Any, longest_waits: list[float]
) -> None:
    dynamodb.spoilt = ["last"]
    client.call("PutItem", PUT)
    dynamodb.items.clear()
    client.call("PutItem", PUT)
    assert longest_waits == [0]
    assert len(dynamodb.requests) == 2


@pytest.mark.parametrize("spoilt", ["lost", "cut", "damaged", "page"])
def test_an_answer_that_is_spoilt_on_its_way_is_asked_for_again(
    client: thin.Client, dynamodb: Any, no_waiting: Any, spoilt: str
) -> None:
    dynamodb.spoilt = [spoilt]
    with pytest.raises(thin.StorageError, match=r"^ConditionalCheckFailedException: "):
        client.call("PutItem", PUT | {"ExpressionAttributeValues": {":data": {"S": "other"}}})
    assert len(dynamodb.requests) == 2


def test_a_page_that_is_no_json_is_named_by_its_status(client: thin.Client, dynamodb: Any, no_waiting: Any) -> None:
    dynamodb.spoilt = ["page"] * 5
    with pytest.raises(thin.StorageError, match=r"^HTTP 503: no message$"):
        client.call("PutItem", PUT)


def test_an_endpoint_that_does_not_answer_is_given_up(
    client: thin.Client, dynamodb: Any, no_waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thin, "READ_TIMEOUT", 0.1)
    dynamodb.silent.set()
    with pytest.raises(
        thin.StorageError, match=r"^TimeoutError: no answer from http://127\.0\.0\.1:\d+ \(timed out\)$"
    ):
        client.call("PutItem", PUT)
    assert len(dynamodb.requests) == 5


def test_an_endpoint_that_is_not_there_is_given_up(unused_port: int, processor: Any, no_waiting: list[float]) -> None:
    client = thin.Client(f"http://127.0.0.1:{unused_port}", "eu-west-1")
    with pytest.raises(thin.StorageError, match=r"^ConnectionRefusedError: no answer from "):
        client.call("PutItem", PUT)
    assert len(no_waiting) == 4


def test_connecting_ahead_to_an_endpoint_that_is_not_there_is_no_error(unused_port: int) -> None:
    thin.Client(f"http://127.0.0.1:{unused_port}", "eu-west-1").connect()


def signature_by_botocore(endpoint: str, body: bytes, sent: dict[str, str], token: str | None) -> str:
    """Sign the same request as botocore's own client does, at the time of the one that was sent."""
    headers = {name: sent[name] for name in ("X-Amz-Target", "Content-Type")}
    request = AWSRequest(method="POST", url=f"{endpoint}/", headers=headers, data=body)
    SigV4Auth(Credentials("test", "test", token), "dynamodb", "eu-west-1").add_auth(request)
    return str(request.headers["Authorization"])


@pytest.mark.parametrize("token", [None, "a-session-token"])
def test_a_request_is_signed_for_what_is_sent(
    client: thin.Client, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    client.call("PutItem", PUT)
    [sent] = dynamodb.headers
    assert sent.get("X-Amz-Security-Token") == token
    assert sent["Host"] == client.endpoint.removeprefix("http://")
    assert sent["Authorization"] == signature_by_botocore(client.endpoint, json.dumps(PUT).encode(), sent, token)


def test_credentials_that_changed_are_used_from_the_next_request_on(
    client: thin.Client, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.call("PutItem", PUT)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    dynamodb.items.clear()
    client.call("PutItem", PUT)
    keys = [headers["Authorization"].split("Credential=")[1].split("/")[0] for headers in dynamodb.headers]
    assert keys == ["test", "another"]


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_missing_credentials_are_said(client: thin.Client, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(thin.ConfigurationError, match=f"^{name} must be set"):
        client.call("PutItem", PUT)


VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_CA_BUNDLE")


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({"AWS_REGION": "us-east-1"}, "https://dynamodb.us-east-1.amazonaws.com"),
        ({"AWS_REGION": "us-gov-west-1"}, "https://dynamodb.us-gov-west-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "https://dynamodb.cn-north-1.amazonaws.com.cn"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "https://dynamodb.eu-west-1.amazonaws.com"),
        ({"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://any:1/"}, "http://any:1"),
        (
            {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://any", "AWS_ENDPOINT_URL_DYNAMODB": "https://own"},
            "https://own",
        ),
    ],
)
def test_the_endpoint_is_the_one_the_sdks_would_use(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], endpoint: str
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert thin.from_environment().endpoint == endpoint


def test_a_missing_region_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(thin.ConfigurationError, match=r"^AWS_REGION must be set to the region of the data table$"):
        thin.from_environment()


@pytest.mark.parametrize("endpoint", ["localhost:8000", "ftp://localhost", "https://"])
def test_an_endpoint_that_is_no_url_is_said(endpoint: str) -> None:
    with pytest.raises(thin.ConfigurationError, match="must be an http or https URL"):
        thin.Client(endpoint, "eu-west-1")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def secure_endpoint(
    dynamodb: Any, certificates: Certificates, serving: Callable[..., AbstractContextManager[int]]
) -> Iterator[str]:
    """The fake endpoint over TLS, with a certificate that only its own authority vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    with serving(dynamodb, context) as port:
        yield f"https://localhost:{port}"


def test_a_given_authority_is_trusted(
    secure_endpoint: str, certificates: Certificates, processor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificates.authority))
    client = thin.Client(secure_endpoint, "eu-west-1")
    client.connect()
    assert client.call("PutItem", PUT) == {}
    client.close()


def test_an_unknown_authority_is_not_trusted(
    secure_endpoint: str, dynamodb: Any, no_waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with pytest.raises(thin.StorageError, match=r"^SSLCertVerificationError: "):
        thin.Client(secure_endpoint, "eu-west-1").call("PutItem", PUT)
    assert dynamodb.requests == []
