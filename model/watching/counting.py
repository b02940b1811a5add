"""Metrics from the logs: failures, whose fault they were, and the outcomes of records."""

from troposphere import Ref, StackName
from troposphere.logs import LogGroup, MetricFilter, MetricTransformation

from ..conditions import IS_WATCHED
from ..stages.stage import Stage

# What Lambda gives as the error of a run that it ended, or that ended itself: such a run wrote no line of its own.
ENDED = ("Runtime.OutOfMemory", "Runtime.ExitError")
# The lines of a log that tell of failures, and not of refused records:
FAILURES = (
    # functions/core/stage.py writes this for a failure, and other lines for a refusal and for a service's fault.
    '($.message = "stage failed")',
    # Lambda's Python runtime has such types for code that it can't load and for results that it can't encode. An event
    # that it can't decode is the producer's: https://github.com/aws/aws-lambda-python-runtime-interface-client
    '(($.errorType = "Runtime.*") && ($.errorType != "Runtime.UnmarshalError"))',
    # Lambda itself. It writes a second line about the same run, platform.runtimeDone:
    # https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
    '(($.type = "platform.report") && ('
    + " || ".join(['($.record.status = "timeout")', *(f'($.record.errorType = "{error}")' for error in ENDED)])
    + "))",
    '(($.type = "platform.initReport") && ($.record.status != "success"))',
)
DEPENDENCY = "DependencyFailures"  # one metric for all functions, since a service is there for all of them

REFUSED, ALREADY_STORED = '$.message = "record refused"', '$.message = "record already stored"'
# Every other line of a record, whatever the stage calls what it did; a batch has one line, with counts.
DONE = '($.message = "record *") && ($.message != "record refused") && ($.message != "record already stored")'
BATCH = '$.message = "batch *"'


def failures(stage: Stage, log_group: LogGroup) -> MetricFilter:
    """Count the failures of a stage: `Errors`, Lambda's own count, has a producer's bad records too.

    All versions write to the one log group, and Lambda's lines do not name theirs. That is enough: while traffic
    shifts, the version before is one that had no failures, or the alarm had kept the deployment from starting.
    """
    return _count(f"{stage.title}Failures", log_group, " || ".join(FAILURES))


def dependency_failures(stage: Stage, log_group: LogGroup) -> MetricFilter:
    """Count the events that a stage failed on since a service throttled it, or did not answer, for too long."""
    return _count(f"{stage.title}{DEPENDENCY}", log_group, '$.message = "dependency failed"', metric=DEPENDENCY)


def records(stage: Stage, log_group: LogGroup, *, stores: bool) -> tuple[MetricFilter, ...]:
    """Count what became of the records of a stage, which stores them or hands them on."""
    kinds = {"Stored": DONE, "AlreadyStored": ALREADY_STORED} if stores else {"Accepted": DONE}
    name = stage.title
    return (
        _count(f"{name}Refused", log_group, REFUSED, zero=True),
        *(_count(f"{name}{kind}", log_group, pattern, zero=True) for kind, pattern in kinds.items()),
        *(
            _count(
                f"{name}{kind}InBatches", log_group, BATCH, metric=name + kind, value=f"$.{kind[0].lower()}{kind[1:]}"
            )
            for kind in kinds
        ),
    )


def _count(
    title: str, log_group: LogGroup, pattern: str, *, metric: str = "", value: str = "1", zero: bool = False
) -> MetricFilter:
    """Count the lines of a log that match, or sum a field of them; with a zero for a line that does not match."""
    counted = MetricTransformation(MetricNamespace=StackName, MetricName=metric or title, MetricValue=value)
    if zero:
        counted.DefaultValue = 0
    return MetricFilter(
        f"{title}Filter",
        Condition=IS_WATCHED,
        LogGroupName=Ref(log_group),
        FilterPattern=f"{{ {pattern} }}",
        MetricTransformations=[counted],
    )
