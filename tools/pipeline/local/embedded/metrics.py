"""Publishes the queue's counts where users look for them: as CloudWatch's AWS/Lambda metrics.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.local.asynchronous import Count, Counts, Queue
from pipeline.local.asynchronous.aws_api import AwsApi

RECEIVED, DROPPED, AGE = "AsyncEventsReceived", "AsyncEventsDropped", "AsyncEventAge"
PUBLISHED = (RECEIVED, DROPPED, "DeadLetterErrors", "DestinationDeliveryFailures")
"""Lambda's own asynchronous metrics; what else is counted has no name in AWS."""
PERIOD = 1.0  # seconds between two publications
MOST = 20  # data points in one request
TARGET = "GraniteServiceVersion20100801.PutMetricData"
Point = dict[str, Any]


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
            points[count.target.region] += _points(count, {"Value": number, "Unit": "Count"})
        for target, ages in counts.take_ages().items():
            points[target.region] += _points(Count(AGE, target), _statistics(ages))
        for region, of_region in points.items():
            for start in range(0, len(of_region), MOST):
                document = {"Namespace": "AWS/Lambda", "MetricData": of_region[start : start + MOST]}
                await self.aws.perform("monitoring", region, TARGET, document)

    def _grown(self, counts: Counts) -> Iterator[tuple[Count, int]]:
        """Yield what has grown; where events came and none was dropped, AsyncEventsDropped has samples of zero."""
        now = Counter({count: number for count, number in counts.metrics.items() if count.metric in PUBLISHED})
        grown, self._published = now - self._published, now
        yield from grown.items()
        for count in grown:
            dropped = Count(DROPPED, count.target)
            if count.metric == RECEIVED and dropped not in grown:
                yield dropped, 0


async def publish_forever(metrics: Metrics, queue: Queue) -> None:
    """Publish a queue's counts from time to time."""
    while True:
        await asyncio.sleep(PERIOD)
        await metrics.publish(queue.counts)


def _points(count: Count, value: Point) -> list[Point]:
    """Return the points of a function and of the qualifier; of an event without one, its resource is the function."""
    name, qualifier = count.target.name, count.target.qualifier
    function = {"Name": "FunctionName", "Value": name}
    resource = {"Name": "Resource", "Value": f"{name}:{qualifier}" if qualifier else name}
    return [{"MetricName": count.metric, "Dimensions": of, **value} for of in ([function], [function, resource])]


def _statistics(ages: list[float]) -> Point:
    """Describe ages, in seconds, as one set of statistics in ms."""
    found = {"Sum": sum(ages) * 1000, "Minimum": min(ages) * 1000, "Maximum": max(ages) * 1000}
    return {"StatisticValues": {"SampleCount": len(ages), **found}, "Unit": "Milliseconds"}
