"""Publishes the queue's counts where users look for them: as CloudWatch's AWS/Lambda metrics."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from local.asynchronous import AwsApi, Count, Counts, Queue

PUBLISHED = ("AsyncEventsReceived", "AsyncEventsDropped", "DeadLetterErrors", "DestinationDeliveryFailures")
"""Lambda's own asynchronous metrics; what else is counted has no name in AWS."""
PERIOD = 1.0
"""Seconds between two publications."""
MOST = 20
"""Data points in one request."""


@dataclass
class Metrics:
    """Publishes what was counted since the last time."""

    aws: AwsApi
    _counts: Counts = field(default_factory=Counts)
    _published: Counter[Count] = field(default_factory=Counter)

    async def publish(self, counts: Counts) -> None:
        """Publish the counts that have grown, by function and by the function's qualifier, as Lambda does."""
        if counts is not self._counts:
            self._counts, self._published = counts, Counter()
        now = Counter({count: number for count, number in counts.metrics.items() if count.metric in PUBLISHED})
        grown = now - self._published
        self._published = now
        points: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        for count, number in grown.items():
            points[count.target.region] += _points(count, number)
        for region, of_region in points.items():
            for start in range(0, len(of_region), MOST):
                await self._put(of_region[start : start + MOST], region)

    async def _put(self, points: list[dict[str, str]], region: str) -> None:
        parameters = {"Namespace": "AWS/Lambda"}
        for number, point in enumerate(points, 1):
            parameters |= {f"MetricData.member.{number}.{name}": value for name, value in point.items()}
        await self.aws.query("monitoring", region, "PutMetricData", parameters)


async def publish_forever(metrics: Metrics, queue: Queue) -> None:
    """Publish a queue's counts from time to time."""
    while True:
        await asyncio.sleep(PERIOD)
        await metrics.publish(queue.counts)


def _points(count: Count, number: int) -> list[dict[str, str]]:
    dimensions = [{"FunctionName": count.target.name}]
    if count.target.qualifier:
        dimensions.append({**dimensions[0], "Resource": f"{count.target.name}:{count.target.qualifier}"})
    return [_point(count.metric, number, chosen) for chosen in dimensions]


def _point(metric: str, number: int, dimensions: dict[str, str]) -> dict[str, str]:
    point = {"MetricName": metric, "Value": str(number), "Unit": "Count"}
    for place, (name, value) in enumerate(dimensions.items(), 1):
        point |= {f"Dimensions.member.{place}.Name": name, f"Dimensions.member.{place}.Value": value}
    return point
