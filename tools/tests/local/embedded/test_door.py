"""The door of the embedded AWS: without the secrets of this start, nothing but refusals."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.deployed import DeployedStack
from tools.tests.local.lambdas import client_of, user

FORM = {"content-type": "application/x-www-form-urlencoded"}
SEND = """
import http.client, json, ssl, sys
context = ssl._create_unverified_context()
port, requests = json.load(sys.stdin)
for method, path, headers, body in requests:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    print(json.dumps([answer.status, answer.read().decode("utf-8", "replace")[:200]]))
    connection.close()
"""
"""Sends requests that it is given; it has the port and nothing else."""


class Call(NamedTuple):
    service: str
    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


def form(**parameters: str) -> str:
    return urlencode(parameters)


def calls(stack: DeployedStack) -> list[Call]:
    invocation = f"/2015-03-31/functions/{stack.entry.replace(':', '%3A')}/invocations"
    tables = {"x-amz-target": "DynamoDB_20120810.ListTables", "content-type": "application/x-amz-json-1.0"}
    return [
        Call("lambda", "POST", invocation, "{}"),
        Call("lambda", "POST", invocation, "{}", {"x-amz-invocation-type": "Event"}),
        Call("lambda", "GET", "/2015-03-31/functions"),
        Call("sts", "POST", "/", form(Action="GetCallerIdentity", Version="2011-06-15"), FORM),
        Call("iam", "POST", "/", form(Action="ListUsers", Version="2010-05-08"), FORM),
        Call("sqs", "POST", "/", form(Action="ListQueues", Version="2012-11-05"), FORM),
        Call("dynamodb", "POST", "/", "{}", tables),
        Call("cognito-idp", "POST", "/", "{}", {"x-amz-target": "AWSCognitoIdentityProviderService.SignUp"}),
        Call("sts", "GET", "/?" + form(Action="GetCallerIdentity", Version="2011-06-15")),
        Call("s3", "GET", "/"),
        Call("s3", "PUT", "/a-bucket"),
        Call("s3", "GET", "/a-bucket/a-key"),
        Call("local", "GET", "/_local/queue"),
        Call("local", "PUT", "/_local/queue", "{}"),
        *(
            Call("s3", method, path)
            for method in ("GET", "POST", "OPTIONS", "HEAD")
            for path in (
                *("/_ministack/health", "/_ministack/reset", "/_ministack/config", "/_ministack/iot/ca.pem"),
                *("/_localstack/health", "/_aws/sqs/messages", "/_aws/ses", "/health", "/oauth2/token"),
                *("/.well-known/jwks.json", "/no/such/path", "/_ministack/rds/iam-auth", "/v2/"),
            )
        ),
    ]


def signed(call: Call, endpoint: str, credentials: Credentials, auth: Any = SigV4Auth) -> list[Any]:
    request = AWSRequest(call.method, endpoint + call.path, dict(call.headers), call.body)
    auth = S3SigV4Auth if call.service == "s3" and auth is SigV4Auth else auth
    auth(credentials, call.service, "us-east-1").add_auth(request)
    parts = urlsplit(request.url)
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    return [call.method, parts.path + (f"?{parts.query}" if parts.query else ""), headers, call.body]


def guessed(stack: DeployedStack) -> Credentials:
    """Make a function's credentials as MiniStack does, from names that anybody can know."""
    configuration = stack.client("lambda").get_function_configuration(FunctionName=stack.entry)
    arn = configuration["FunctionArn"]
    digest = hashlib.sha256(f"{arn}:{configuration['Role']}".encode()).hexdigest()
    secret, token = (hashlib.sha256(f"{kind}:{digest}".encode()).hexdigest() for kind in ("secret", "token"))
    return Credentials(f"ASIA{digest[:16].upper()}", secret, token)


def attempts(stack: DeployedStack) -> Iterator[list[Any]]:
    endpoint, owner = stack.aws.endpoint, stack.aws.environment["AWS_ACCESS_KEY_ID"]
    keys = [
        Credentials("test", "test"),
        Credentials("000000000000", "test"),
        Credentials("000000000000", ""),
        Credentials("123456789012", "secret"),
        Credentials("AKIAIOSFODNN7EXAMPLE", "secret"),
        Credentials(owner, "wrong"),
        Credentials(owner, "test", "token"),
        guessed(stack),
    ]
    for call in calls(stack):
        yield [call.method, call.path, call.headers, call.body]
        yield [call.method, call.path, {**call.headers, "authorization": f"AWS {owner}:c2ln"}, call.body]
        yield [call.method, call.path, {**call.headers, "authorization": "Bearer test"}, call.body]
        for key in keys:
            yield signed(call, endpoint, key)
            if not call.body:
                yield signed(call, endpoint, key, SigV4QueryAuth)


def test_another_user_of_the_machine_gets_nothing_but_refusals(
    stack: DeployedStack, as_nobody: Callable[..., str]
) -> None:
    stack.submit({"id": "a", "data": 1})  # so that a function has credentials to guess
    before = stack.drain()["accepted"]
    requests = list(attempts(stack))
    printed = as_nobody(SEND, [urlsplit(stack.aws.endpoint).port, requests])
    answers = [json.loads(line) for line in printed.splitlines()]
    assert len(answers) == len(requests)
    taken = [
        (request, answer) for request, answer in zip(requests, answers, strict=True) if answer[0] not in (403, 404)
    ]
    assert taken == []
    assert stack.aws.queue_state()["accepted"] == before


def owner(stack: DeployedStack) -> Credentials:
    return Credentials(stack.aws.environment["AWS_ACCESS_KEY_ID"], stack.aws.environment["AWS_SECRET_ACCESS_KEY"])


def send(stack: DeployedStack, *requests: list[Any]) -> list[int]:
    port = urlsplit(stack.aws.endpoint).port
    done = subprocess.run([sys.executable, "-c", SEND], input=json.dumps([port, requests]), capture_output=True,
                          text=True, check=True)  # fmt: skip
    return [json.loads(line)[0] for line in done.stdout.splitlines()]


def test_the_owners_signature_is_for_one_request_alone(stack: DeployedStack) -> None:
    call = Call("sts", "POST", "/", form(Action="GetCallerIdentity", Version="2011-06-15"), FORM)
    method, path, headers, body = signed(call, stack.aws.endpoint, owner(stack))
    other = form(Action="GetSessionToken", Version="2011-06-15")
    late = {**headers, "X-Amz-Date": "20200101T000000Z"}
    statuses = send(
        stack,
        [method, path, headers, body],
        [method, path, headers, other],
        [method, path + "?Action=ListUsers", headers, body],
        [method, path, {**headers, "content-type": "text/plain"}, body],
        [method, path, late, body],
    )
    assert statuses == [200, 403, 403, 403, 403]


def test_a_users_key_opens_no_path_of_the_owners(stack: DeployedStack) -> None:
    _, key = user(stack.client("iam"))
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    paths = [Call("local", "GET", "/_local/queue"), Call("s3", "GET", "/_ministack/health")]
    assert send(stack, *[signed(call, stack.aws.endpoint, credentials) for call in paths]) == [403, 403]
    assert send(stack, *[signed(call, stack.aws.endpoint, owner(stack)) for call in paths]) == [200, 200]


def client(stack: DeployedStack, service: str, secret: str, config: Config) -> Any:
    """Return a client with the owner's key and a secret."""
    return client_of(stack.aws, service, {"AccessKeyId": owner(stack).access_key, "SecretAccessKey": secret}, config)


@pytest.mark.parametrize(
    ("service", "operation"),
    [("sts", "get_caller_identity"), ("s3", "list_buckets"), ("lambda", "list_functions"), ("dynamodb", "list_tables")],
)
def test_the_sdk_understands_the_refusal(stack: DeployedStack, service: str, operation: str) -> None:
    wrong = client(stack, service, "wrong", Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError) as refused:
        getattr(wrong, operation)()
    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_files_go_to_s3_and_back_in_every_way_that_the_sdk_signs_them(stack: DeployedStack) -> None:
    s3 = stack.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a b/é", Body=b"whole")
    s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), "files", "parts")
    version_4 = client(stack, "s3", owner(stack).secret_key, Config(signature_version="s3v4"))
    link = version_4.generate_presigned_url("get_object", {"Bucket": "files", "Key": "a b/é"}, 60)
    assert s3.get_object(Bucket="files", Key="a b/é")["Body"].read() == b"whole"
    assert len(s3.get_object(Bucket="files", Key="parts")["Body"].read()) == 9_000_000
    parts = urlsplit(link)
    target = f"{parts.path}?{parts.query}"
    assert send(stack, ["GET", target, {}, ""], ["GET", target.replace("=60", "=600"), {}, ""]) == [200, 403]
