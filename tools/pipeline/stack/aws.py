"""The way to AWS: a session as the AWS tools make it, its clients, and its errors as sentences."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import boto3
from botocore import exceptions as failures
from botocore.config import Config

from pipeline.errors import AwsError, DeniedError, MisuseError, QueueGoneError
from pipeline.stack import settings

CONNECT_TIMEOUT = 5  # seconds
READ_TIMEOUT = 30  # seconds; beyond the longest poll of a queue, which is 20
ATTEMPTS = 5  # of each call, the first one included; the SDK waits between them, longer each time

EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
UNKNOWN_CREDENTIALS = (
    *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    *("InvalidSignatureException", "IncompleteSignature", "AuthFailure"),
    *("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
)
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "KMSAccessDeniedException")
NO_QUEUE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestThrottled", "SlowDown")

NOT_LOGGED_IN = (
    *(failures.NoCredentialsError, failures.PartialCredentialsError, failures.CredentialRetrievalError),
    *(failures.TokenRetrievalError, failures.SSOError),
)
UNREACHABLE = (failures.HTTPClientError, failures.ConnectionError)  # the request may or may not have arrived


class Access(NamedTuple):
    """A session in a region."""

    session: Any
    region: str

    @classmethod
    def of(cls, *, profile: str | None, region: str | None) -> Self:
        """Open a session as the AWS tools do, by their options, environment variables and files."""
        region = region or os.environ.get("AWS_REGION")  # which the other AWS tools read, and boto3 does not
        try:
            session = boto3.session.Session(profile_name=profile, region_name=region)
            credentials = session.get_credentials()
        except failures.ProfileNotFound as error:
            name = error.kwargs["profile"]
            source = next((one for one in settings.PROFILES if not profile and os.environ.get(one) == name), "")
            where = "the AWS configuration files" + (f": {source} names it" if source else "")
            raise MisuseError(f"There is no profile '{name}' in {where}.") from error
        except (failures.ConfigParseError, failures.ConfigNotFound, ValueError) as error:
            raise _misuse(error) from error
        if not session.region_name:
            raise MisuseError("No region is named: give --region, set AWS_REGION, or use a profile that names one.")
        settings.require_region(session.region_name)
        settings.require_certificates()
        if credentials:
            settings.require_credentials(credentials)
        return cls(session, session.region_name)

    def client(self, service: str, *, attempts: int | None = None, connections: int = 10) -> Any:
        """Return a client of a service, safe to use from several threads."""
        settings.require_endpoint(service)
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": attempts or ATTEMPTS},
            max_pool_connections=connections,
            tcp_keepalive=True,
        )
        try:
            return self.session.client(service, config=config)
        except NOT_LOGGED_IN:
            raise
        except (ValueError, failures.BotoCoreError) as error:
            raise _misuse(error) from error


def _misuse(error: Exception) -> MisuseError:
    text = sentence(error)
    in_file = " (endpoint_url in the AWS configuration file)" * text.startswith("Invalid endpoint")
    at_fault = settings.blamed(text) or in_file
    return MisuseError(f"AWS can't be called with these settings: {text}{at_fault}.")


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the SDK raises into an AwsError."""
    try:
        yield
    except (failures.ClientError, failures.BotoCoreError) as error:
        raise explain(error) from error


def explain(error: Exception) -> AwsError:
    """Say in one sentence what AWS, or the way to it, refused."""
    if isinstance(error, failures.ClientError):
        return _refusal(error)
    if isinstance(error, NOT_LOGGED_IN):
        return AwsError(f"AWS credentials are missing or can't be renewed ({sentence(error)}): log in, or set them.")
    text = settings.without_secrets(sentence(error))
    at_fault = settings.blamed(text)
    if isinstance(error, UNREACHABLE):
        return AwsError(f"AWS can't be reached ({text}){at_fault or ': check the network and the region'}.")
    return AwsError(f"AWS could not be called: {text}{at_fault}.")


def _refusal(error: failures.ClientError) -> AwsError:
    code, message, operation = code_of(error), sentence(error.response["Error"].get("Message")), error.operation_name
    if code in NO_QUEUE:
        return QueueGoneError("The dead-letter queue that the stack names does not exist: it was deleted since.")
    if code in DENIED:
        return DeniedError(f"AWS denies {operation}: {message}.")
    if code in EXPIRED:
        return AwsError("The AWS credentials have expired: renew them, for example by `aws sso login`, and try again.")
    if code in UNKNOWN_CREDENTIALS:
        return AwsError(f"AWS does not accept these credentials ({code}): {message}.")
    if code in THROTTLED:
        return AwsError(f"AWS still throttles {operation} after {ATTEMPTS} attempts: {message}.")
    return AwsError(f"AWS refused {operation} ({code}): {message}.")


def code_of(error: failures.ClientError) -> str:
    """Return the error's name."""
    return str(error.response["Error"].get("Code", "unknown"))


def status_of(error: failures.ClientError) -> int:
    """Return the HTTP status of the answer, 0 where there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def sentence(text: object) -> str:
    """Return a text as one line without a full stop at its end."""
    return " ".join(str(text or "no reason given").split()).rstrip(".")
