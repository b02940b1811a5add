"""Metrics that sound like lost events or old letters, and count something else."""

from typing import Any

import pytest

from .linting import found, messages
from .templates import ASIDE, alarm, math, template

OTHERS = ASIDE | {"E9142"}
OLDEST = """
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      MessageRetentionPeriod: 1209600
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Letters.Arn, maxReceiveCount: 3}
  Letters: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}
"""


def oldest(queue: str) -> dict[str, Any]:
    return template(OLDEST + alarm(f"!GetAtt {queue}.QueueName", metric="ApproximateAgeOfOldestMessage"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (math("AsyncEventsDropped", "lost"), {"E9145"}),
        (math("AsyncEventsDropped", "lost - sent"), set()),
        (math("AsyncEventsDropped", "lost", letters=""), set()),
        (math("DeadLetterErrors", "lost"), set()),
    ],
)
def test_dropped_events_are_losses_only_beyond_the_letters_that_came(given: dict[str, Any], expected: set[str]) -> None:
    assert found(given) - OTHERS == expected


def test_the_oldest_message_may_be_watched_where_a_consumer_takes_it_but_not_among_dead_letters() -> None:
    assert found(oldest("Queue")) - OTHERS == set()
    assert found(oldest("Letters")) - OTHERS == {"E9145"}


def test_the_finding_names_the_metric_that_counts_what_was_meant() -> None:
    told = messages(math("AsyncEventsDropped", "lost"), "E9145") + messages(oldest("Letters"), "E9145")
    assert told == [
        "alarm Alarm should watch DeadLetterErrors, or what goes beyond NumberOfMessagesSent of the queue "
        "(got AsyncEventsDropped)",
        "alarm Alarm should watch ApproximateNumberOfMessagesVisible over days (got ApproximateAgeOfOldestMessage)",
    ]
