"""What Lambda says of a stage's function: the versions behind its alias, those before, and its concurrency."""

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from pipeline.stack.aws import code_of


class Traffic(NamedTuple):
    """A version behind the alias, with its part of the traffic."""

    number: str
    weight: float


class Version(NamedTuple):
    """A published version."""

    number: str
    published: str  # in UTC
    description: str = ""
    code_size: int = 0  # bytes


class Concurrency(NamedTuple):
    """Provisioned concurrency; nothing is wanted if none is configured."""

    wanted: int = 0
    ready: int = 0
    state: str = ""


class Account(NamedTuple):
    """The account's concurrency in a region, and the part that no function has reserved."""

    limit: int
    unreserved: int


def traffic(client: Any, alias: str) -> tuple[Traffic, ...]:
    """Return the versions behind an alias, the main one first; none if the alias was deleted.

    The aliases are listed, since MiniStack takes the right to do so for the right to ask for one of them, too.
    """
    pages = client.get_paginator("list_aliases").paginate(FunctionName=_unqualified(alias))
    found = next((one for page in pages for one in page["Aliases"] if one["AliasArn"] == alias), None)
    if found is None:
        return ()
    others = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    rest = 1 - sum(others.values())
    return (Traffic(found["FunctionVersion"], rest), *(Traffic(*item) for item in sorted(others.items())))


def versions(client: Any, alias: str) -> tuple[Version, ...]:
    """Return the published versions of an alias' function, the newest first."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=_unqualified(alias))
    found = [one for page in pages for one in page["Versions"] if one["Version"].isdecimal()]
    found.sort(key=lambda one: int(one["Version"]), reverse=True)
    dated = ((one, f"{one['LastModified'][:19]}Z") for one in found)
    return tuple(Version(one["Version"], at, one.get("Description", ""), one.get("CodeSize", 0)) for one, at in dated)


def provisioned(client: Any, alias: str) -> Concurrency:
    """Return an alias' provisioned concurrency."""
    function, _, qualifier = alias.rpartition(":")
    try:
        answer = client.get_provisioned_concurrency_config(FunctionName=function, Qualifier=qualifier)
    except ClientError as error:
        if code_of(error) == "ProvisionedConcurrencyConfigNotFoundException":
            return Concurrency()
        raise
    wanted, ready = (answer.get(f"{kind}ProvisionedConcurrentExecutions", 0) for kind in ("Requested", "Available"))
    return Concurrency(wanted, ready, answer.get("Status", ""))


def reserved(client: Any, alias: str) -> int | None:
    """Return how many runs at once are a function's own; None if it shares the account's."""
    answer = client.get_function_concurrency(FunctionName=_unqualified(alias))
    own: int | None = answer.get("ReservedConcurrentExecutions")
    return own


def account(client: Any) -> Account:
    """Return the account's quota."""
    limits = client.get_account_settings()["AccountLimit"]
    return Account(limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"])


def _unqualified(alias: str) -> str:
    return alias.rpartition(":")[0]
