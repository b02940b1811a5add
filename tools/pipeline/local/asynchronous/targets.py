"""Whom events are for, and what their records and dead letters may be sent to."""

import re
from typing import NamedTuple, Self

UNQUALIFIED = "$LATEST"
NAME = re.compile(
    r"(?:arn:aws[\w-]*:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):function:|(?P<partial>\d{12}):function:)?"
    r"(?P<name>[\w-]+)(?::(?P<qualifier>[\w$-]+))?"
)
"""How callers may name a function."""
PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)"
    r"(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
"""How Lambda says that."""
SUPPORTED = ("lambda", "sqs")  # the services whose resources can be a destination or a dead-letter target here


class NameRefusedError(Exception):
    """Lambda refuses how a function is named: the error's name, and its sentence."""


class Target(NamedTuple):
    """The function that an event is for, as its caller named it."""

    account: str
    region: str
    name: str
    qualifier: str | None = None

    @classmethod
    def of_arn(cls, arn: str) -> Self:
        """Split a function's ARN, qualified or not."""
        _, _, _, region, account, _, name, *qualifier = arn.split(":")
        return cls(account, region, name, qualifier[0] if qualifier else None)

    @classmethod
    def named(cls, name: str, qualifier: str | None, region: str, account: str) -> Self:
        """Read how a caller named a function; NameRefusedError if in none of Lambda's ways, or with two qualifiers."""
        match = NAME.fullmatch(name)
        if match is None:
            raise NameRefusedError(
                "ValidationException",
                f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {PATTERN}",
            )
        if match["qualifier"] and qualifier and match["qualifier"] != qualifier:
            raise NameRefusedError(
                "InvalidParameterValueException",
                "The derived qualifier from the function name does not match the specified qualifier.",
            )
        account, region = match["account"] or match["partial"] or account, match["region"] or region
        return cls(account, region, match["name"], match["qualifier"] or qualifier)

    @property
    def caller_arn(self) -> str:
        """The function's ARN, with a qualifier if the caller named one."""
        arn = f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"
        return f"{arn}:{self.qualifier}" if self.qualifier else arn

    @property
    def arn(self) -> str:
        """The function's ARN, always with a qualifier, as an invocation record has it."""
        return self._replace(qualifier=self.qualifier or UNQUALIFIED).caller_arn


def service_of(arn: str) -> str:
    """Return the service part of an ARN; empty where it is none."""
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""


def unsupported(arn: str) -> str | None:
    """Say that nothing is delivered to a target, if it is neither a function nor a queue."""
    if service_of(arn) in SUPPORTED:
        return None
    return f"The embedded AWS delivers to Lambda functions and SQS queues only (got {arn or 'an empty ARN'})."
