"""A request means one thing: IAM judges the caller and the action of the request that is carried out."""

import json
import ssl
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.local.embedded.process import EmbeddedAws
from tools.tests.local.lambdas import allow, client_of, user

MAY = ["iam:GetUser", "sqs:ListQueues", "dynamodb:ListTables", "sns:ListTopics", "s3:ListAllMyBuckets", "lambda:List*"]
FORM = "application/x-www-form-urlencoded"
ACTIONS = {
    "iam": ("GetUser", "CreateUser"),
    "sqs": ("ListQueues", "CreateQueue"),
    "sns": ("ListTopics", "CreateTopic"),
    "dynamodb": ("ListTables", "CreateTable"),
    "s3": ("ListBuckets", "CreateBucket"),
    "lambda": ("ListFunctions", "DeleteFunction"),
    "monitoring": ("ListMetrics", "PutMetricData"),
}
"""By service, an action that the user may do, or that changes nothing, and one that he may not."""
TARGETS = {"iam": "IAMService", "sqs": "AmazonSQS", "dynamodb": "DynamoDB_20120810", "sns": "AmazonSNS",
           "monitoring": "GraniteServiceVersion20100801"}  # fmt: skip
NAME = "intruder"
TABLE = {
    "TableName": NAME,
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@dataclass(frozen=True)
class Attacker:
    """A user who may do a little, and sends what he likes."""

    aws: EmbeddedAws
    client: httpx.Client
    key: Credentials
    arn: str

    def sign(self, service: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        request = AWSRequest(method, self.aws.endpoint + path, headers, body)
        (S3SigV4Auth if service == "s3" else SigV4Auth)(self.key, service, "us-east-1").add_auth(request)
        return {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}

    def send(self, method: str, path: str, body: bytes, headers: Any) -> httpx.Response:
        return self.client.request(method, path, content=body, headers=headers)

    def call(self, service: str, method: str, path: str, body: bytes = b"", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(method, path, body, self.sign(service, method, path, body, named))


@pytest.fixture(scope="module")
def attacker(aws: EmbeddedAws) -> Iterator[Attacker]:
    made, key = user(aws.client("iam"), {"Effect": "Allow", "Action": MAY, "Resource": "*"})
    context = ssl.create_default_context(cafile=aws.environment["AWS_CA_BUNDLE"])
    with httpx.Client(base_url=aws.endpoint, verify=context, trust_env=False) as client:
        yield Attacker(aws, client, Credentials(key["AccessKeyId"], key["SecretAccessKey"]), made["Arn"])


def done(aws: EmbeddedAws) -> list[str]:
    """Return what was made that the attacker may not make."""
    metrics = aws.client("cloudwatch").list_metrics(Namespace=NAME)["Metrics"]
    made = [
        *(user["UserName"] for user in aws.client("iam").list_users()["Users"]),
        *aws.client("sqs").list_queues().get("QueueUrls", []),
        *(topic["TopicArn"] for topic in aws.client("sns").list_topics()["Topics"]),
        *aws.client("dynamodb").list_tables()["TableNames"],
        *(bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]),
        *(metric["Namespace"] for metric in metrics),
    ]
    return [name for name in made if NAME in name]


def parameters(action: str) -> list[tuple[str, str]]:
    names = ("UserName", "QueueName", "Name", "Namespace")
    metric = [("MetricData.member.1.MetricName", "m"), ("MetricData.member.1.Value", "1")]
    return [("Action", action), *((name, NAME) for name in names), *metric]


def document(action: str) -> bytes:
    metric = {"MetricData": [{"MetricName": "m", "Value": 1}]}
    return json.dumps({**dict(parameters(action)[:5]), **TABLE, **metric}).encode()


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, str, bytes, dict[str, str]]:
    """Make a request that names actions in some places: its service, method, path, body and headers."""
    service = draw(st.sampled_from(sorted(ACTIONS)))
    other = draw(st.sampled_from([service, service, service, *sorted(ACTIONS)]))
    action = st.sampled_from((*ACTIONS[service], *ACTIONS[other]))
    method = draw(st.sampled_from(["POST", "POST", "GET", "PUT"]))
    path = draw(st.sampled_from(["/", "/", f"/{NAME}", "/000000000000/q", "/2015-03-31/functions/",
                                 "/service/GraniteServiceVersion20100801/operation/PutMetricData"]))  # fmt: skip
    query = [pair for one in draw(st.lists(action, max_size=2)) for pair in parameters(one)]
    bodies = [b""] + [body for one in (draw(action), draw(action)) for body in (
        document(one), urlencode(parameters(one)).encode(), urlencode(parameters(one) * 2).encode())]  # fmt: skip
    headers = {}
    if draw(st.booleans()):
        headers["x-amz-target"] = f"{TARGETS.get(other, 'x')}.{draw(action)}"
    if kind := draw(st.sampled_from(["", FORM, FORM.upper(), "application/x-amz-json-1.0", f"text/plain; {FORM}"])):
        headers["content-type"] = kind
    return service, method, path + (f"?{urlencode(query)}" if query else ""), draw(st.sampled_from(bodies)), headers


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(requests())
def test_whatever_is_asked_nothing_is_done_that_iam_denies(attacker: Attacker, request_: Any) -> None:
    service, method, path, body, headers = request_
    answer = attacker.send(method, path, body, attacker.sign(service, method, path, body, headers))
    if answer.status_code < 300:
        assert done(attacker.aws) == []


IDENTITY = urlencode({"Action": "GetCallerIdentity", "Version": "2011-06-15"})
FIRST, LAST, TWICE, IN_QUERY, OLD_QUERY, TOKEN, HOST = range(7)


@given(
    st.lists(st.sampled_from([FIRST, LAST, TWICE, IN_QUERY, OLD_QUERY, TOKEN, HOST]), max_size=3),
    st.sampled_from(["owner", "test", "000000000000", "AKIAIOSFODNN7EXAMPLE"]),
    st.sampled_from(["Credential", "X=Credential", "credential", "X-Amz-Credential"]),
)
@settings(suppress_health_check=list(HealthCheck))
def test_whoever_is_named_the_caller_is_who_signed(attacker: Attacker, places: list[int], who: str, name: str) -> None:
    other = attacker.aws.environment["AWS_ACCESS_KEY_ID"] if who == "owner" else who
    headers = attacker.sign("sts", "POST", "/", IDENTITY.encode(), {"content-type": FORM})
    scope = f"{other}/20261201/us-east-1/sts/aws4_request"
    sent, query = list(headers.items()), {}
    algorithm, rest = headers["Authorization"].split(" ", 1)
    named = f"{name}={scope}"
    for place in places:
        if place == FIRST:
            rest = f"{named}, {rest}"
        elif place == LAST:
            rest = f"{rest}, {named}"
        elif place == TWICE:
            sent.append(("Authorization", f"{algorithm} {named}, SignedHeaders=host, Signature=0"))
        elif place == IN_QUERY:
            query |= {"X-Amz-Credential": scope}
        elif place == OLD_QUERY:
            query |= {"AWSAccessKeyId": other, "Signature": "x"}
        elif place == TOKEN:
            sent.append(("x-amz-security-token", "x"))
        else:
            sent.append(("x-forwarded-host", other))
    sent = [(key, f"{algorithm} {rest}" if value is headers["Authorization"] else value) for key, value in sent]
    answer = attacker.send("POST", "/" + (f"?{urlencode(query)}" if query else ""), IDENTITY.encode(), sent)
    assert answer.status_code == 403 or attacker.arn in answer.text


def test_two_credentials_in_one_header_are_none(attacker: Attacker) -> None:
    headers = attacker.sign("sts", "POST", "/", IDENTITY.encode(), {"content-type": FORM})
    algorithm, rest = headers["Authorization"].split(" ", 1)
    headers["Authorization"] = f"{algorithm} X=Credential=test/20261201/us-east-1/sts/aws4_request, {rest}"
    assert attacker.send("POST", "/", IDENTITY.encode(), headers).status_code == 403


USERS = urlencode({"Action": "CreateUser", "UserName": NAME}).encode()


@pytest.mark.parametrize(
    ("service", "method", "path", "body", "headers"),
    [
        ("dynamodb", "POST", "/?Action=ListTables", document("x"), {"x_amz_target": "DynamoDB_20120810.CreateTable"}),
        ("iam", "POST", "/?Action=GetUser", USERS, {"content_type": FORM}),
        ("iam", "POST", "/?Action=GetUser", USERS, {"content_type": "text/plain"}),
        ("iam", "POST", "/", document("CreateUser"), {"x_amz_target": "IAMService.GetUser",
                                                     "content_type": "application/x-amz-json-1.1"}),
        ("s3", "PUT", f"/{NAME}?Action=ListAllMyBuckets", b"", {}),
        ("s3", "PUT", f"/{NAME}", b"Action=ListAllMyBuckets", {"content_type": FORM}),
        ("monitoring", "POST", "/service/x/operation/PutMetricData", urlencode(parameters("x")).encode(), {}),
        ("lambda", "DELETE", "/2015-03-31/functions/f%252Fconcurrency", b"", {}),
        ("sns", "POST", "/?Action=ListTopics", urlencode(parameters("CreateTopic")).encode(), {"content_type": FORM}),
    ],
    ids=["target", "form", "text", "json", "bucket", "content", "cbor", "path", "sns"],
)  # fmt: skip
def test_an_action_beside_the_one_that_is_judged_is_not_done(  # noqa: PLR0917 - as above
    attacker: Attacker, service: str, method: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    assert attacker.call(service, method, path, body, **headers).status_code == 403
    assert done(attacker.aws) == []


@pytest.mark.parametrize(
    ("service", "hashed"), [("s3", "0" * 64), ("s3", ""), ("sqs", "UNSIGNED-PAYLOAD"), ("iam", "UNSIGNED-PAYLOAD")]
)
def test_a_body_is_the_one_that_was_signed(attacker: Attacker, service: str, hashed: str) -> None:
    body = urlencode({"Action": "GetUser"}).encode()
    signed = attacker.sign(service, "POST", "/", b"other" if not hashed else body, {
        "content-type": FORM, **({"x-amz-content-sha256": hashed} if hashed else {})})  # fmt: skip
    if service == "s3" and hashed:
        request = AWSRequest("POST", attacker.aws.endpoint + "/", {"x-amz-content-sha256": hashed}, body)
        SigV4Auth(attacker.key, "s3", "us-east-1").add_auth(request)
        signed = dict(request.headers.items())
    assert attacker.send("POST", "/", body, signed).status_code == 403


def test_a_link_to_a_file_opens_nothing_else(attacker: Attacker) -> None:
    aws = attacker.aws
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="links")
    owner = Credentials(aws.environment["AWS_ACCESS_KEY_ID"], aws.environment["AWS_SECRET_ACCESS_KEY"])
    request = AWSRequest("PUT", f"{aws.endpoint}/links/k")
    S3SigV4QueryAuth(owner, "s3", "us-east-1", expires=60).add_auth(request)
    parts = urlsplit(request.url)
    link = f"{parts.path}?{parts.query}"
    target = {"x-amz-target": "DynamoDB_20120810.CreateTable"}
    assert attacker.send("PUT", link, document("x"), target).status_code == 403
    assert attacker.send("PUT", link, USERS, {"content-type": FORM}).status_code == 200
    assert s3.get_object(Bucket="links", Key="k")["Body"].read() == USERS
    assert done(aws) == []


def test_a_message_tells_its_sender_whatever_its_request_looks_like(attacker: Attacker) -> None:
    sqs = attacker.aws.client("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4()}")["QueueUrl"]
    sender, key = user(attacker.aws.client("iam"), allow("sqs:*", "*"))
    client = client_of(attacker.aws, "sqs", key)
    client.send_message_batch(QueueUrl=url, Entries=[{"Id": "SenderId", "MessageBody": "batch"}])
    client.send_message(QueueUrl=url, MessageBody="<Name>SenderId</Name>")
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
    assert {one["Attributes"]["SenderId"] for one in messages["Messages"]} == {sender["UserId"]}
