"""AWS's prices, which prices.json holds with their date: the one file to change when they do."""

import json
from math import ceil
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("prices.json")
MILLION = 1_000_000
TRACED = 0.05  # the share of the events that X-Ray samples beyond the first of each second


class Prices(NamedTuple):
    """Prices of one region in USD, without the free tiers and without volume discounts."""

    date: str
    region: str
    currency: str
    source: str
    lambda_request: float
    lambda_gb_second_arm64: float
    lambda_gb_second_x86: float
    lambda_provisioned_gb_second_arm64: float
    lambda_durable_operation: float
    lambda_durable_gb_written: float
    lambda_durable_gb_month: float
    dynamodb_write_unit: float
    logs_ingested_gb: float
    alarm_month: float
    dashboard_month: float
    sqs_request: float
    step_functions_transition: float
    step_functions_express_request: float
    step_functions_express_gb_second: float
    xray_trace: float

    @property
    def remark(self) -> str:
        """Say which prices they are, and what they don't cover."""
        return (
            f"Prices of {self.region}, {self.date}, without free tiers: bench/prices.json. Not counted: what is paid "
            "without records (provisioned concurrency, alarms), storage, data transfer."
        )


def load(file: Path = FILE) -> Prices:
    """Read the prices."""
    return Prices(**json.loads(file.read_text(encoding="utf-8")))


def runs(
    prices: Prices, memory: int, duration: float, logged: float, *, size: float = 0, arm: bool = True
) -> dict[str, float]:
    """Return the price of a million asynchronous runs of so many MB, ms, bytes of log and bytes of event.

    Each run is billed by whole ms. An event of up to 256 KB is one request, each further 64 KB are one more
    (https://aws.amazon.com/lambda/pricing/).
    """
    further = ceil(max(0, size - 256 * 1024) / (64 * 1024))
    per_gb_second = prices.lambda_gb_second_arm64 if arm else prices.lambda_gb_second_x86
    return {
        "requests": MILLION * (1 + further) * prices.lambda_request,
        "compute": MILLION * memory / 1024 * ceil(duration) / 1000 * per_gb_second,
        "log": MILLION * logged / 1e9 * prices.logs_ingested_gb,
    }


def traces(prices: Prices, *, share: float = TRACED) -> float:
    """Return the price of the traces of a million events, of which X-Ray samples a share."""
    return MILLION * share * prices.xray_trace
