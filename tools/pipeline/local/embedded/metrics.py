"""Publishes the queue's counts where users look for them: as CloudWatch's AWS/Lambda metrics.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.local.asynchronous import Count, Counts, Queue, Target
from pipeline.local.asynchronous.aws_api import AwsApi

RECEIVED, DROPPED, AGE = "AsyncEventsReceived", "AsyncEventsDropped", "AsyncEventAge"
PUBLISHED = (RECEIVED, DROPPED, "DeadLetterErrors", "DestinationDeliveryFailures")
"""Lambda's own asynchronous metrics; what else is counted has no name in AWS."""
PERIOD = 1.0
"""Seconds between two publications."""
MOST = 20
"""Data points in one request."""
Point = dict[str, str]


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
        points: defaultdict[str, list[Point]] = defaultdict(list)
        for count, number in self._grown(counts):
            points[count.target.region] += _points(count, {"Value": str(number), "Unit": "Count"})
        for target, ages in counts.take_ages().items():
            points[target.region] += _points(Count(AGE, target), _statistics(ages))
        for region, of_region in points.items():
            for start in range(0, len(of_region), MOST):
                await self._put(of_region[start : start + MOST], region)

    def _grown(self, counts: Counts) -> Iterator[tuple[Count, int]]:
        """Yield what has grown; where events came and none was dropped, AsyncEventsDropped has samples of zero."""
        now = Counter({count: number for count, number in counts.metrics.items() if count.metric in PUBLISHED})
        grown, self._published = now - self._published, now
        yield from grown.items()
        for count in grown:
            dropped = Count(DROPPED, count.target)
            if count.metric == RECEIVED and dropped not in grown:
                yield dropped, 0

    async def _put(self, points: list[Point], region: str) -> None:
        parameters = {"Namespace": "AWS/Lambda"}
        for number, point in enumerate(points, 1):
            parameters |= {f"MetricData.member.{number}.{name}": value for name, value in point.items()}
        await self.aws.query("monitoring", region, "PutMetricData", parameters)


async def publish_forever(metrics: Metrics, queue: Queue) -> None:
    """Publish a queue's counts from time to time."""
    while True:
        await asyncio.sleep(PERIOD)
        await metrics.publish(queue.counts)


def _points(count: Count, value: Point) -> list[Point]:
    name = count.target.name
    return [_point(count, value, {"FunctionName": name}), _point(count, value, _resource(count.target))]


def _resource(target: Target) -> Point:
    """Return the dimensions of a qualifier; of an event without one, its resource is the function."""
    resource = f"{target.name}:{target.qualifier}" if target.qualifier else target.name
    return {"FunctionName": target.name, "Resource": resource}


def _point(count: Count, value: Point, dimensions: Point) -> Point:
    point = {"MetricName": count.metric, **value}
    for place, (name, text) in enumerate(dimensions.items(), 1):
        point |= {f"Dimensions.member.{place}.Name": name, f"Dimensions.member.{place}.Value": text}
    return point


def _statistics(ages: list[float]) -> Point:
    """Describe ages, in seconds, as one set of statistics in ms."""
    found = {
        "SampleCount": len(ages),
        "Sum": sum(ages) * 1000,
        "Minimum": min(ages) * 1000,
        "Maximum": max(ages) * 1000,
    }
    return {f"StatisticValues.{name}": str(value) for name, value in found.items()} | {"Unit": "Milliseconds"}
