"""What AWS refuses as a dead-letter target or a destination when it is set, in AWS's words.

Recorded by others: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html says which kinds
there are, and that the execution role needs the permission.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.local.asynchronous import Target, service_of, unsupported
from pipeline.local.embedded.ministack import ministack

Arns = Mapping[str, Any]
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


def refusal_of_function(properties: Arns) -> str | None:
    """Say what is wrong with the dead-letter target of a function, by its properties in the API or in a template."""
    arn = (properties.get("DeadLetterConfig") or {}).get("TargetArn")
    if not arn:
        return None
    if arn.endswith(".fifo"):
        kind = "topic" if service_of(arn) == "sns" else "queue"
        return f"Invalid dead letter queue ARN: FIFO {kind} is not supported for dead letter configuration"
    if sentence := unsupported(arn):
        return sentence
    if service_of(arn) != "sqs" or not _exists(arn):
        return f"Invalid dead letter queue ARN: {arn}"
    if not _may_send(properties.get("Role", ""), arn):
        return "The provided execution role does not have permissions to call SendMessage on SQS"
    return None


def refusal_of_destinations(function: str, config: Arns) -> str | None:
    """Say what is wrong with the destinations of a function, given by its name, in its settings."""
    found = ministack("services.lambda_svc")._functions.get(function)
    role = found["config"]["Role"] if found else ""
    for arn in destinations(config):
        if service_of(arn) == "sns" and arn.endswith(".fifo"):
            return "FIFO-type Amazon SNS topics aren't supported as a destination."
        if service_of(arn) == "lambda" and Target.of_arn(arn).name == function:
            return "You can't specify the function as a destination for itself."
        if sentence := unsupported(arn):
            return sentence
        if arn.endswith(".fifo") or not _exists(arn):
            return f"The destination ARN {arn} is invalid."
        if not _may_send(role, arn):
            call = "InvokeFunction" if service_of(arn) == "lambda" else "SendMessage"
            return f"The function's execution role does not have permissions to call {call} on {arn}"
    return None


def refusal_of_mapping(properties: Arns) -> str | None:
    """Say what is wrong with the mapping of a queue to a function, by its properties in the API or in a template."""
    lambda_svc = ministack("services.lambda_svc")
    queue, named = properties.get("EventSourceArn", ""), properties.get("FunctionName", "")
    name, qualifier = lambda_svc._resolve_name_and_qualifier(named)
    if service_of(queue) != "sqs" or name not in lambda_svc._functions:
        return None
    if not _exists(queue):
        return f"Error occurred while ReceiveMessage. SQS Error Code: {NO_QUEUE}."
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    for call in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        if not _may(config["Role"], f"sqs:{call}", queue):
            return f"The provided execution role does not have permissions to call {call} on SQS"
    hidden = int(ministack("services.sqs")._queue_by_arn(queue)["attributes"].get("VisibilityTimeout", 30))
    if hidden < config["Timeout"]:
        return f"Queue visibility timeout: {hidden} seconds is less than Function timeout: {config['Timeout']} seconds"
    return None


def destinations(config: Arns) -> Iterator[str]:
    """Yield the ARNs of the destinations in settings."""
    found = config.get("DestinationConfig") or {}
    for kind in ("OnSuccess", "OnFailure"):
        if arn := (found.get(kind) or {}).get("Destination"):
            yield arn


def _exists(arn: str) -> bool:
    lambda_svc = ministack("services.lambda_svc")
    sqs = ministack("services.sqs")
    if service_of(arn) == "sqs":
        return sqs._queue_by_arn(arn) is not None
    target = Target.of_arn(arn)
    function = lambda_svc._functions.get(target.name)
    return function is not None and lambda_svc._function_qualifier_exists(function, target.qualifier)


def _may_send(role: str, arn: str) -> bool:
    """Tell whether a role's own policies let it send to a queue, or invoke a function."""
    return _may(role, "lambda:InvokeFunction" if service_of(arn) == "lambda" else "sqs:SendMessage", arn)


def _may(role: str, action: str, arn: str) -> bool:
    iam = ministack("core.iam_evaluator")
    _, _, _, region, account = arn.split(":")[:5]
    principal = {"principal_arn": role, "principal_type": "AssumedRole", "principal_account": account}
    context = iam.EvalContext(**principal, action=action, resource_arn=arn, region=region, secure_transport=True)
    policies = iam._gather_role_policies(role.rpartition("/")[2], account)
    return bool(iam.evaluate(context, policies).decision == "Allow")
