"""AWS's prices, which prices.json holds with their date: the one file to change when they do."""

from __future__ import annotations

import json
from math import ceil
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("prices.json")
MILLION = 1_000_000


class Prices(NamedTuple):
    """Prices of one region in USD, without the free tiers and without volume discounts."""

    date: str
    region: str
    currency: str
    source: str
    lambda_request: float
    lambda_gb_second_arm64: float
    lambda_gb_second_x86: float
    dynamodb_write_unit: float
    dynamodb_provisioned_write_unit_hour: float
    logs_ingested_gb: float
    xray_trace: float

    @property
    def remark(self) -> str:
        """Say which prices they are, and what they don't cover."""
        return (
            f"Prices of {self.region}, {self.date}, without free tiers: bench/prices.json. Not counted: what runs "
            "whether or not records come (provisioned concurrency, alarms), storage, data transfer."
        )


def load(file: Path = FILE) -> Prices:
    """Read the prices."""
    return Prices(**json.loads(file.read_text(encoding="utf-8")))


def compute(prices: Prices, *, memory: int, duration: float, arm: bool = True) -> float:
    """Return the price of a million runs of so many MB and ms, each billed by whole ms."""
    per_gb_second = prices.lambda_gb_second_arm64 if arm else prices.lambda_gb_second_x86
    return MILLION * memory / 1024 * ceil(duration) / 1000 * per_gb_second


def requests(prices: Prices, *, size: int = 0) -> float:
    """Return the price of a million asynchronous invocations with events of so many bytes.

    Up to 256 KB are one request, each further 64 KB are one more (https://aws.amazon.com/lambda/pricing/).
    """
    further = ceil(max(0, size - 256 * 1024) / (64 * 1024))
    return MILLION * (1 + further) * prices.lambda_request


def logs(prices: Prices, *, size: float) -> float:
    """Return the price of a million times so many bytes of log."""
    return MILLION * size / 1e9 * prices.logs_ingested_gb


def writes(prices: Prices) -> float:
    """Return the price of a million items of up to 1 KB, written on demand."""
    return MILLION * prices.dynamodb_write_unit


def provisioned_writes(prices: Prices) -> float:
    """Return the price of a million items of up to 1 KB in a provisioned table that is always used in full."""
    return MILLION / 3600 * prices.dynamodb_provisioned_write_unit_hour


def traces(prices: Prices, *, share: float) -> float:
    """Return the price of the traces of a million records, of which X-Ray samples a share."""
    return MILLION * share * prices.xray_trace
