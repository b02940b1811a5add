"""Event source mappings of queues: refused where Lambda refuses them, with the alias and the messages' senders told.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

from typing import Any

from pipeline.local.embedded.ministack import ministack

from .inside import provide
from .rules import refusal_of_mapping


def map_queues() -> None:
    """Wrap MiniStack's own functions; once in a process."""
    lambda_svc = ministack("services.lambda_svc")
    create, run = lambda_svc._create_esm, lambda_svc._run_sqs_batch

    def complete(made: str, _: dict[str, Any]) -> None:
        mapping = lambda_svc._esms[made]
        mapping["Enabled"] = str(mapping["Enabled"]).lower() == "true"  # of a parameter it is text
        mapping["State"] = "Enabled" if mapping["Enabled"] else "Disabled"

    def checked(wanted: dict[str, Any]) -> Any:
        if sentence := refusal_of_mapping(wanted):
            return lambda_svc.error_response_json("InvalidParameterValueException", sentence, 400)
        return create(wanted)

    def run_whole(mapping: Any, function: Any, event: Any, messages: Any, *rest: Any) -> None:
        for record, message in zip(event["Records"], messages, strict=False):
            record["attributes"]["SenderId"] = message["sys"]["SenderId"]
        config = {**function["config"], "FunctionArn": mapping["FunctionArn"]}
        run(mapping, {**function, "config": config}, event, messages, *rest)

    provide("EventSourceMapping", refusal_of_mapping, complete)
    lambda_svc._create_esm, lambda_svc._run_sqs_batch = checked, run_whole
