"""The data table, read by keys: a hundred in a request, and of a record that the pipeline stamped all of its id."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple, Self

from pipeline.errors import AwsError
from pipeline.stack.aws import explained
from pipeline.stack.rate_limit import RateLimiter

KEYS = 100  # keys in one call, DynamoDB's limit
ATTEMPTS = 10
"""Calls in which DynamoDB may leave items out, as it does beyond 16 MB and if the table has no capacity left."""
FIRST_DELAY = 0.1  # seconds; doubled from attempt to attempt
LONGEST_DELAY = 5.0  # seconds


class Key(NamedTuple):
    """An item's key."""

    id: str
    timestamp: int

    @classmethod
    def of(cls, document: Any) -> Self | None:
        """Return the key that a record is stored under; None for what can't be stored or has no timestamp."""
        if not isinstance(document, dict):
            return None
        record_id: Any = document.get("id")
        timestamp = document.get("timestamp")
        if not is_storable_id(record_id) or type(timestamp) is not int or not 0 < timestamp < 10**38:
            return None
        return cls(record_id, timestamp)


class Item(NamedTuple):
    """What is stored under a key."""

    key: Key
    data: str  # in JSON
    enriched_by: str | None  # the enricher's version; None for an item that was never enriched
    attributes: Mapping[str, Mapping[str, Any]]  # the attributes that were read, as DynamoDB has them

    @classmethod
    def of(cls, attributes: Mapping[str, Mapping[str, Any]]) -> Self:
        """Read an item as DynamoDB returns it."""
        found = attributes.get
        key = Key(attributes["id"]["S"], _number(attributes["timestamp"]["N"]))
        version = found("version", {}).get("S") if found("enriched", {}).get("BOOL") else None
        return cls(key, found("data", {}).get("S", ""), version, attributes)

    @property
    def fields(self) -> dict[str, Any]:
        """The attributes that were read, as JSON has them."""
        names = dict.fromkeys(("id", "timestamp", "data", *sorted(self.attributes)))
        return {name: _plain(self.attributes[name]) for name in names if name in self.attributes}

    @property
    def document(self) -> dict[str, Any]:
        """The item as a JSON object, its data as the value that it is."""
        return {**self.fields, **({"data": json.loads(self.data)} if self.data else {})}


@dataclass(frozen=True)
class Table:
    """A data table; for any number of threads."""

    client: Any  # of DynamoDB
    name: str
    rate: RateLimiter  # keys a second

    def get(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """Return the items that there are under up to a hundred keys."""
        wanted: list[Any] = [{"id": {"S": key.id}, "timestamp": {"N": str(key.timestamp)}} for key in keys]
        found: dict[Key, Item] = {}
        attempt = 0
        while wanted:
            if attempt == ATTEMPTS:
                raise AwsError(f"DynamoDB left out some items {ATTEMPTS} times: try again later, or with a lower rate.")
            if attempt:
                self.rate.throttled()
                time.sleep(min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1)))
            self.rate.take_all(len(wanted))
            with explained():
                answer = self.client.batch_get_item(RequestItems={self.name: {"Keys": wanted, "ConsistentRead": True}})
            found.update((item.key, item) for item in map(Item.of, answer["Responses"].get(self.name, [])))
            wanted = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            attempt += 1
        return found

    def of_id(self, record_id: str) -> list[Item]:
        """Return the items of an id, oldest first."""
        self.rate.take_all(1)
        request = {
            "TableName": self.name,
            "KeyConditionExpression": "id = :id",
            "ExpressionAttributeValues": {":id": {"S": record_id}},
            "ConsistentRead": True,
        }
        with explained():
            pages = self.client.get_paginator("query").paginate(**request)
            return [Item.of(item) for page in pages for item in page["Items"]]

    def all(self, page: int) -> Iterator[Item]:
        """Yield the items of the table, so many a request, in no particular order."""
        pages = self.client.get_paginator("scan")
        for found in pages.paginate(TableName=self.name, PaginationConfig={"PageSize": page}):
            yield from map(Item.of, found["Items"])


def quick(client: Any) -> Any:
    """Let a client of DynamoDB send and return BatchGetItem's JSON as it is, and return the client.

    botocore's shapes take most of the time of a call with a hundred keys. Signatures, retries and errors stay its own.
    """

    def keep(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
        context["json"] = json.dumps(params).encode()
        tables = {name: {"Keys": asked["Keys"][:1]} for name, asked in params["RequestItems"].items()}
        return {"RequestItems": tables}

    def send(params: dict[str, Any], context: Mapping[str, Any], **_: Any) -> None:
        params["body"] = context["json"]

    def read(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] == HTTPStatus.OK:
            customized_response_dict.update(json.loads(response_dict["body"]))
            response_dict["body"] = b"{}"

    handlers: dict[str, Any] = {"provide-client-params": keep, "before-call": send, "before-parse": read}
    for event, handler in handlers.items():
        client.meta.events.register(f"{event}.dynamodb.BatchGetItem", handler)
    return client


def is_storable_id(record_id: Any) -> bool:
    """Return whether an item can have this id: a string of 1 to 2048 bytes of UTF-8."""
    try:
        return isinstance(record_id, str) and 0 < len(record_id.encode()) <= 2048
    except UnicodeEncodeError:
        return False


def _plain(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    if kind == "N":
        return _number(value)
    if kind == "M":
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if kind == "L" else None if kind == "NULL" else value


def _number(text: str) -> Any:
    return int(text) if text.isdecimal() else json.loads(text)
