"""The client of AWS: what is signed and sent, what is retried and how long, what passes on, and whom it trusts."""

import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from email.utils import formatdate
from http.client import BadStatusLine, HTTPConnection, HTTPSConnection, IncompleteRead, RemoteDisconnected
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import create_loader
from hypothesis import example, given
from hypothesis import strategies as st

from core import aws
from pipeline.local.embedded.certificate import Certificates, make_certificates

FUNCTION_TIMEOUT = 60  # seconds
TRUST = ssl.create_default_context()
PUT = {
    "TableName": "records",
    "Item": {"id": {"S": "a"}, "timestamp": {"N": "1"}, "data": {"S": "1"}},
    "ConditionExpression": "attribute_not_exists(id) OR (#data = :data AND attribute_not_exists(enriched))",
    "ExpressionAttributeNames": {"#data": "data"},
    "ExpressionAttributeValues": {":data": {"S": "1"}},
}


VARIABLES = (
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SQS",
)


@pytest.fixture(autouse=True)
def no_choices(processor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what says where AWS is and whom to trust: a test that wants it says so."""
    for name in (*VARIABLES, "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def dynamodb(dynamodb: Any) -> Any:
    """The endpoint expects the write above, whatever fields a record has."""
    dynamodb.compared = ["data"]
    return dynamodb


@pytest.fixture
def client(endpoint: Any, dynamodb: Any) -> Iterator[aws.Client]:
    """A client of the fake endpoint, not connected yet."""
    client = aws.Client("dynamodb", endpoint[1], "eu-west-1")
    yield client
    client.close()


@pytest.fixture
def longest_waits(monkeypatch: pytest.MonkeyPatch, no_waiting: list[float]) -> list[float]:
    """Wait as long as can be at each retry, without the waiting."""
    monkeypatch.setattr(aws, "jitter", lambda longest: longest)
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
def test_throttling_and_server_errors_are_retried(client: Any, dynamodb: Any, no_waiting: Any, answer: Any) -> None:
    dynamodb.failures = [answer] * 4
    assert client.call("PutItem", PUT) == {}
    assert len(dynamodb.requests) == 5
    assert len(no_waiting) == 4


def test_throttling_that_lasts_passes_on_as_it_is_well_inside_the_functions_timeout(
    client: aws.Client, dynamodb: Any, longest_waits: list[float]
) -> None:
    dynamodb.always = (400, "com.amazon.coral.availability#ThrottlingException")
    with pytest.raises(aws.ServiceError, match=r"^ThrottlingException: as the test asked$") as raised:
        client.call("PutItem", PUT)
    assert raised.value.code == "ThrottlingException"
    assert len(dynamodb.requests) == 5
    attempts = len(dynamodb.requests) * (aws.CONNECT_TIMEOUT + aws.READ_TIMEOUT)
    assert attempts + sum(longest_waits) <= FUNCTION_TIMEOUT - 20


@pytest.mark.parametrize(
    "name", ["AccessDeniedException", "ExpiredTokenException", "ResourceNotFoundException", "ValidationException"]
)
def test_other_errors_pass_on_at_once(client: aws.Client, dynamodb: Any, name: str) -> None:
    dynamodb.always = (400, name)
    with pytest.raises(aws.ServiceError, match=f"^{name}: "):
        client.call("PutItem", PUT)
    assert len(dynamodb.requests) == 1


@pytest.mark.parametrize(
    ("answer", "waits"),
    [((400, "ThrottlingException"), [1, 2, 4, 8]), ((500, "InternalServerError"), [0.05, 0.1, 0.2, 0.4])],
)
def test_the_waits_grow_and_are_longer_after_throttling(
    client: aws.Client, dynamodb: Any, longest_waits: list[float], answer: Any, waits: list[float]
) -> None:
    dynamodb.failures = [answer] * 4
    client.call("PutItem", PUT)
    assert longest_waits == waits


def test_a_connection_opened_ahead_is_the_one_that_is_used(client: aws.Client, dynamodb: Any) -> None:
    before = dynamodb.connections
    client.connect()
    client.call("PutItem", PUT)
    assert dynamodb.connections - before == 1


def test_a_connection_that_was_closed_while_idle_is_replaced_without_waiting(
    client: aws.Client, dynamodb: Any, longest_waits: list[float]
) -> None:
    dynamodb.spoilt = ["last"]
    client.call("PutItem", PUT)
    dynamodb.items.clear()
    client.call("PutItem", PUT)
    assert longest_waits == [0]
    assert len(dynamodb.requests) == 2


@pytest.mark.parametrize(
    "fault",
    [
        *(BrokenPipeError(), ConnectionResetError(), RemoteDisconnected(), BadStatusLine(""), IncompleteRead(b"")),
        *(ssl.SSLEOFError(), ssl.SSLZeroReturnError(), TimeoutError()),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_any_fault_of_a_connection_kept_open_is_followed_by_a_new_one_at_once(
    client: aws.Client, dynamodb: Any, longest_waits: list[float], monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    before = dynamodb.connections
    client.connect()
    dynamodb.wait_for_connections(before + 1)
    send, faults = HTTPConnection.send, [fault]

    def faulty(*arguments: Any) -> None:
        if faults:
            raise faults.pop()
        send(*arguments)

    monkeypatch.setattr(HTTPConnection, "send", faulty)
    assert client.call("PutItem", PUT) == {}
    assert longest_waits == [0]
    assert dynamodb.connections - before == 2


@pytest.mark.parametrize(("idle", "connections"), [(aws.IDLE_TIMEOUT - 1, 1), (aws.IDLE_TIMEOUT + 1, 3)])
def test_requests_share_a_connection_that_was_not_idle_for_long(
    client: aws.Client, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, idle: int, connections: int
) -> None:
    before, now = dynamodb.connections, time.time()
    for call in range(3):
        monkeypatch.setattr(time, "time", lambda call=call: now + call * idle)
        client.call("PutItem", PUT)
        dynamodb.items.clear()
    assert dynamodb.connections - before == connections


@pytest.mark.parametrize("spoilt", ["lost", "cut", "damaged", "page"])
@pytest.mark.usefixtures("no_waiting")
def test_an_answer_that_is_spoilt_on_its_way_is_asked_for_again(client: Any, dynamodb: Any, spoilt: str) -> None:
    dynamodb.spoilt = [spoilt]
    with pytest.raises(aws.ServiceError, match=r"^ConditionalCheckFailedException: "):
        client.call("PutItem", PUT | {"ExpressionAttributeValues": {":data": {"S": "other"}}})
    assert len(dynamodb.requests) == 2


def test_a_page_that_is_no_json_is_named_by_its_status(client: aws.Client, dynamodb: Any, no_waiting: Any) -> None:
    dynamodb.spoilt = ["page"] * 5
    with pytest.raises(aws.ServiceError, match=r"^HTTP 503: no message$"):
        client.call("PutItem", PUT)


def test_an_endpoint_that_does_not_answer_is_given_up(
    client: aws.Client, dynamodb: Any, no_waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "READ_TIMEOUT", 0.1)
    dynamodb.silent.set()
    with pytest.raises(aws.ServiceError, match=r"^TimeoutError: no answer from http://127\.0\.0\.1:\d+ \(timed out\)$"):
        client.call("PutItem", PUT)
    assert len(dynamodb.requests) == 5


def test_an_endpoint_that_is_not_there_is_given_up(unused_port: int, longest_waits: list[float]) -> None:
    client = aws.Client("dynamodb", f"http://127.0.0.1:{unused_port}", "eu-west-1")
    with pytest.raises(aws.ServiceError, match=r"^ConnectionRefusedError: no answer from "):
        client.call("PutItem", PUT)
    assert longest_waits == [0.05, 0.1, 0.2, 0.4]


def test_connecting_ahead_to_an_endpoint_that_is_not_there_is_no_error(unused_port: int) -> None:
    aws.Client("dynamodb", f"http://127.0.0.1:{unused_port}", "eu-west-1").connect()


class Wire:
    """Stands in for a connection's socket: records what is sent, and gives the answers in turn."""

    def __init__(self, *answers: bytes) -> None:
        self.answers, self.pieces = list(answers) or [answer(200)], list[bytes]()
        self.closed = False

    def plug_in(self, patch: pytest.MonkeyPatch) -> None:
        """Let every connection be this one."""

        def connect(connection: HTTPConnection) -> None:
            connection.sock = self

        patch.setattr(HTTPConnection, "connect", connect)
        patch.setattr(HTTPSConnection, "connect", connect)

    @property
    def sent(self) -> bytes:
        return b"".join(self.pieces)

    def sendall(self, data: bytes) -> None:
        self.pieces.append(data)

    def makefile(self, *_: object) -> BytesIO:
        return BytesIO(self.answers.pop(0))

    def settimeout(self, _: float) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def request(self) -> tuple[str, dict[str, str], bytes]:
        """Return the path, the headers and the body of what was sent."""
        head, body = self.sent.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("ascii").split("\r\n")
        assert first.startswith("POST ")
        assert first.endswith(" HTTP/1.1")
        return first.split(" ")[1], dict(line.split(": ", 1) for line in lines), body


def answer(status: int, body: dict[str, Any] | None = None, **headers: str) -> bytes:
    content = json.dumps(body or {}).encode()
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status} -", f"Content-Length: {len(content)}", *lines, "", ""]).encode() + content


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch, no_waiting: Any) -> Callable[..., tuple[aws.Client, Wire]]:
    """Make a client of a service whose answers are given."""

    def make(*answers: bytes, service: str = "dynamodb") -> tuple[aws.Client, Wire]:
        wire = Wire(*answers)
        wire.plug_in(monkeypatch)
        return aws.Client(service, "http://localhost", "eu-west-1"), wire

    return make


def signed_by_botocore(
    credentials: Credentials, url: str, region: str, sent: dict[str, str], body: bytes
) -> dict[str, str]:
    """Sign a request at the time of the one that was sent; return the signature and the host that it is for."""
    request = AWSRequest(method="POST", url=url, data=body)
    for name in ("x-amz-target", "content-type"):
        request.headers[name] = sent[name]
    time_sent = datetime.strptime(sent["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda: time_sent)
        signer = SigV4Auth(credentials, "dynamodb", region)
        signer.add_auth(request)
    return {"authorization": request.headers["Authorization"], "host": signer.headers_to_sign(request)["host"]}


def test_a_request_is_sent_in_one_piece(wired: Any) -> None:
    client, wire = wired()
    client.call("PutItem", PUT)
    assert len(wire.pieces) == 1


@pytest.mark.parametrize(("connection", "closed"), [("close", True), ("keep-alive", False)])
def test_a_connection_is_closed_where_the_answer_says_so(wired: Any, connection: str, closed: bool) -> None:
    client, wire = wired(answer(200, Connection=connection))
    client.call("PutItem", PUT)
    assert wire.closed == closed


VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
SECRET = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
SEGMENT = st.text(min_size=1).map(lambda text: quote(text, safe="-._~!$&'()*+,;=:@")).filter(lambda s: s.strip("."))
ENDPOINT = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["127.0.0.1", "[::1]", "dynamodb.eu-west-1.amazonaws.com", "Localhost"]),
    st.just("") | st.sampled_from([":80", ":443"]) | st.integers(1, 65535).map(":{}".format),
    st.lists(SEGMENT).map(lambda segments: "".join(f"/{segment}" for segment in segments)),
)


@example(key="key", secret="secret", token=None, endpoint="http://[::1]", body=b"")
@example(key="key", secret="secret", token=None, endpoint="https://[::1]", body=b"")
@given(key=VISIBLE, secret=SECRET, token=st.none() | VISIBLE, endpoint=ENDPOINT, body=st.binary())
def test_what_is_sent_is_signed_as_botocore_signs_it(
    key: str, secret: str, token: str | None, endpoint: str, body: bytes
) -> None:
    wire = Wire()
    with pytest.MonkeyPatch.context() as patch:
        wire.plug_in(patch)
        patch.setattr(aws, "_trust", lambda everybody: TRUST)
        patch.setenv("AWS_ACCESS_KEY_ID", key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        patch.setenv("AWS_SESSION_TOKEN", token or "")
        aws.Client("dynamodb", endpoint, "eu-west-1")._attempt("PutItem", body)
    path, sent, sent_body = wire.request()
    assert (path, sent_body) == (urlsplit(endpoint).path + "/", body)
    assert sent["x-amz-target"] == "DynamoDB_20120810.PutItem"
    assert sent.get("x-amz-security-token") == token
    expected = signed_by_botocore(Credentials(key, secret, token), f"{endpoint}/", "eu-west-1", sent, body)
    assert {name: sent[name] for name in expected} == expected


def test_the_signing_key_is_derived_once_for_a_day_a_service_and_a_secret(
    client: aws.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [client, aws.Client("sqs", client.endpoint, "eu-west-1")]

    def derivations() -> int:
        before = aws._signing_key.cache_info().misses
        for signer in clients * 3:
            signer._headers("PutItem", b"{}")
        return aws._signing_key.cache_info().misses - before

    aws._signing_key.cache_clear()
    assert derivations() == 2
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    assert derivations() == 2
    client._clock_offset = 86_400
    assert derivations() == 1
    assert derivations() == 0


def test_a_queue_is_called_by_its_services_endpoint_with_the_queues_url_in_the_body(wired: Any) -> None:
    client, wire = wired(answer(200, {"MessageId": "1"}), service="sqs")
    message = {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/letters", "MessageBody": "{}"}
    assert client.call("SendMessage", message) == {"MessageId": "1"}
    path, headers, body = wire.request()
    assert (path, json.loads(body)) == ("/", message)
    assert headers["x-amz-target"] == "AmazonSQS.SendMessage"
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert "/eu-west-1/sqs/aws4_request," in headers["authorization"]


@pytest.mark.parametrize("code", ["RequestThrottled", "KmsThrottled"])
def test_a_queue_that_throttles_is_asked_again(wired: Any, code: str, no_waiting: list[float]) -> None:
    client, _ = wired(answer(400, {"__type": f"com.amazonaws.sqs#{code}"}), answer(200), service="sqs")
    assert client.call("SendMessage", {}) == {}
    assert len(no_waiting) == 1


EXPIRED = "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z (20260101T001000Z - 5 min.)"
EARLY = "Signature not yet current: 20260101T002000Z is still later than 20260101T001500Z (20260101T000000Z + 15 min.)"


@pytest.mark.parametrize(
    "refusal",
    [
        {"__type": "com.amazon.coral.service#InvalidSignatureException", "message": EXPIRED},
        {"__type": "com.amazon.coral.service#InvalidSignatureException", "message": EARLY},
        {"__type": "com.amazonaws.sqs#RequestExpired"},
    ],
    ids=["behind", "ahead", "sqs"],
)
def test_a_clock_that_is_wrong_is_corrected_by_aws_and_said(
    wired: Any, caplog: pytest.LogCaptureFixture, refusal: dict[str, str]
) -> None:
    at_aws = time.time() + 3600
    client, wire = wired(answer(400, refusal, Date=formatdate(at_aws, usegmt=True)), answer(200))
    assert client.call("PutItem", PUT) == {}
    [second] = re.findall(rb"x-amz-date: (\w+)", wire.sent)[1:]
    signed_at = datetime.strptime(second.decode(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    assert abs(signed_at - at_aws) < 60
    [said] = caplog.messages
    assert re.fullmatch(r"this instance's clock differs from AWS' by -3(600|59\d) s, which is corrected", said)


def test_a_clock_that_aws_refuses_without_its_time_is_an_error_that_says_so(wired: Any) -> None:
    refusal = answer(400, {"__type": "InvalidSignatureException", "message": EXPIRED})
    client, _ = wired(*[refusal] * aws.ATTEMPTS)
    with pytest.raises(aws.ServiceError, match=r"^InvalidSignatureException: Signature expired: "):
        client.call("PutItem", PUT)


def test_a_signature_that_is_wrong_is_no_matter_of_the_clock(
    wired: Any, no_waiting: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    refusal = {"__type": "InvalidSignatureException", "message": "The request signature we calculated does not match"}
    client, _ = wired(answer(400, refusal, Date="Thu, 01 Jan 2026 00:00:00 GMT"))
    with pytest.raises(aws.ServiceError, match=r"^InvalidSignatureException: The request signature"):
        client.call("PutItem", PUT)
    assert no_waiting == caplog.messages == []


def test_credentials_that_changed_are_used_from_the_next_request_on(
    client: aws.Client, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.call("PutItem", PUT)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    dynamodb.items.clear()
    client.call("PutItem", PUT)
    keys = [headers["authorization"].split("Credential=")[1].split("/")[0] for headers in dynamodb.headers]
    assert keys == ["test", "another"]


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_missing_credentials_are_said(client: aws.Client, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(aws.ConfigurationError, match=f"^{name} must be set"):
        client.call("PutItem", PUT)


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"AWS_REGION": "us-east-1"}, "https://dynamodb.us-east-1.amazonaws.com"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "https://dynamodb.eu-west-1.amazonaws.com"),
        ({"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://any:1/path/"}, "http://any:1/path"),
        (
            {"AWS_REGION": "a", "AWS_ENDPOINT_URL": "http://any", "AWS_ENDPOINT_URL_DYNAMODB": "https://own"},
            "https://own",
        ),
    ],
)
def test_the_endpoint_is_that_of_the_sdks(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert aws.from_environment("dynamodb").endpoint == url


@pytest.mark.parametrize("service", ["dynamodb", "sqs"])
@pytest.mark.parametrize("partition", create_loader().load_data("partitions")["partitions"], ids=lambda p: p["id"])
def test_the_endpoint_of_each_partitions_regions_is_the_one_botocore_knows(
    monkeypatch: pytest.MonkeyPatch, service: str, partition: dict[str, Any]
) -> None:
    regions = [region for region in partition["regions"] if not region.endswith("global")]
    assert regions
    for region in regions:
        monkeypatch.setenv("AWS_REGION", region)
        suffix = partition["outputs"]["dnsSuffix"]
        assert aws.from_environment(service).endpoint == f"https://{service}.{region}.{suffix}"


def test_a_missing_region_is_said() -> None:
    with pytest.raises(aws.ConfigurationError, match=r"^AWS_REGION must be set to the region of the function$"):
        aws.from_environment("dynamodb")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "https://"])
def test_an_endpoint_that_is_no_url_is_said(url: str) -> None:
    with pytest.raises(aws.ConfigurationError, match="must be an http or https URL"):
        aws.Client("dynamodb", url, "eu-west-1")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority that vouches for nothing here."""
    return make_certificates(tmp_path_factory.mktemp("others"))


@pytest.fixture
def secure_endpoint(
    dynamodb: Any, certificates: Certificates, serving: Callable[..., AbstractContextManager[int]]
) -> Iterator[str]:
    """The fake endpoint over TLS, with a certificate that only its own authority vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    with serving(dynamodb, context) as port:
        yield f"https://localhost:{port}"


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_authority_that_is_given_or_the_runtimes_own_is_trusted(  # noqa: PLR0917 - fixtures
    secure_endpoint: str,
    certificates: Certificates,
    longest_waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    dynamodb: Any,
) -> None:
    monkeypatch.setenv(variable, str(certificates.authority))
    client = aws.Client("dynamodb", secure_endpoint, "eu-west-1")
    client.connect()
    dynamodb.spoilt = ["last"]  # it is closed while it is idle
    assert client.call("PutItem", PUT) == {}
    dynamodb.items.clear()
    assert client.call("PutItem", PUT) == {}
    client.close()
    assert (longest_waits, len(dynamodb.requests)) == ([0], 2)


def test_an_unknown_authority_is_not_trusted(secure_endpoint: str, dynamodb: Any, no_waiting: Any) -> None:
    with pytest.raises(aws.ServiceError, match=r"^SSLCertVerificationError: "):
        aws.Client("dynamodb", secure_endpoint, "eu-west-1").call("PutItem", PUT)
    assert dynamodb.requests == []


@pytest.fixture
def bundle(
    certificates: Certificates, others: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Make a bundle of both authorities, of which that of the given certificates counts as Amazon's."""

    def make(amazons: Certificates) -> Path:
        pem = amazons.authority.read_text()
        der = ssl.PEM_cert_to_DER_cert(pem)
        monkeypatch.setattr(aws, "_AMAZON", der[-20:])
        bundle = tmp_path / "bundle.pem"
        bundle.write_text(f"# Autorità\n{others.authority.read_text()}\n{certificates.authority.read_text()}")
        return bundle

    return make


def trusted(context: ssl.SSLContext) -> int:
    return context.cert_store_stats()["x509_ca"]


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_amazons_authorities_are_trusted_before_the_others_are_read(
    certificates: Certificates, bundle: Any, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")
    monkeypatch.setenv(variable, str(bundle(certificates)))
    assert trusted(aws._trust(everybody=False)) == 1
    assert trusted(aws._trust(everybody=True)) == 2


def test_where_another_authority_vouches_for_the_endpoint_all_are_trusted(
    secure_endpoint: str, others: Certificates, bundle: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle(others)))
    client = aws.Client("dynamodb", secure_endpoint, "eu-west-1")
    client.connect()
    before = dynamodb.connections
    assert client.call("PutItem", PUT) == {}
    client.close()
    assert client.call("PutItem", PUT | {"Item": PUT["Item"] | {"id": {"S": "b"}}}) == {}
    client.close()
    assert dynamodb.connections - before == 1


def test_without_any_authority_the_places_looked_at_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    own = ssl.get_default_verify_paths()
    expected = (
        "TLS needs authorities to trust (looked for in AWS_CA_BUNDLE,"
        f" {own.openssl_cafile} and {own.openssl_capath}, SSL_CERT_FILE and SSL_CERT_DIR)"
    )
    for folder in (tmp_path / "missing", tmp_path):
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))
        with pytest.raises(aws.ConfigurationError) as raised:
            aws.Client("dynamodb", "https://localhost", "eu-west-1")
        assert str(raised.value) == expected


def test_a_folder_of_authorities_of_the_runtimes_own_is_enough(
    secure_endpoint: str, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hash = tmp_path / "named-by-its-hash.0"
    by_hash.write_bytes(certificates.authority.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert trusted(aws._trust(everybody=False)) == 0


@pytest.mark.parametrize("content", [None, "", "no certificate", f"{aws._BEGIN}\nAAAAA\n{aws._END}"])
def test_an_unreadable_bundle_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with pytest.raises(aws.ConfigurationError, match=f"^AWS_CA_BUNDLE must name a file of certificates .*{bundle}"):
        aws.Client("dynamodb", "https://localhost", "eu-west-1")
