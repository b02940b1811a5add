"""The metrics that AWS documents, each with the sets of dimensions that it comes with.

Lambda: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and monitoring-metrics-view.html
SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
Logs: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
"""

ACCOUNT = frozenset[str]()
FUNCTION = frozenset({"FunctionName"})
ALIAS = frozenset({"FunctionName", "Resource"})
EITHER = frozenset({FUNCTION, ALIAS})
QUEUE = frozenset({frozenset({"QueueName"})})
RULE = frozenset({frozenset({"RuleName"})})
TABLE = frozenset({"TableName"})
OPERATION = frozenset({"TableName", "Operation"})

DOCUMENTED = {
    "AWS/Lambda": {
        **dict.fromkeys(["Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"], EITHER),
        **dict.fromkeys(
            ["DeadLetterErrors", "DestinationDeliveryFailures", "AsyncEventsDropped", "AsyncEventAge"], EITHER
        ),
        **dict.fromkeys(["ProvisionedConcurrentExecutions", "ProvisionedConcurrencySpilloverInvocations"], EITHER),
        "ProvisionedConcurrencyUtilization": {ALIAS},
        "ClaimedAccountConcurrency": {ACCOUNT},
    },
    "AWS/SQS": {
        **{f"ApproximateNumberOfMessages{state}": QUEUE for state in ("Visible", "NotVisible", "Delayed")},
        "NumberOfMessagesSent": QUEUE,
    },
    "AWS/DynamoDB": {
        **dict.fromkeys(["WriteThrottleEvents", "ConsumedWriteCapacityUnits"], frozenset({TABLE})),
        **dict.fromkeys(["SystemErrors", "SuccessfulRequestLatency"], frozenset({OPERATION})),
    },
    "AWS/Events": dict.fromkeys(
        ["Invocations", "FailedInvocations", "InvocationsSentToDlq", "InvocationsFailedToBeSentToDlq"], RULE
    ),
    "AWS/Logs": {"IncomingBytes": {frozenset({"LogGroupName"})}},
}
