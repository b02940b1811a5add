"""Event source mappings of queues: refused where Lambda refuses them, with the alias and the messages' senders told.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.local.embedded.ministack import ministack

from .inside import refuse
from .rules import refusal_of_mapping


def map_queues() -> None:
    """Wrap MiniStack's own functions; once in a process."""
    lambda_svc = ministack("services.lambda_svc")

    mappings = ministack("services.cloudformation.provisioners")._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    mappings["create"] = _deployed(mappings["create"], properties=1)
    mappings["update"] = _deployed(mappings["update"], properties=2)
    create, run = lambda_svc._create_esm, lambda_svc._run_sqs_batch

    def checked(wanted: dict[str, Any]) -> Any:
        if sentence := refusal_of_mapping(wanted):
            return lambda_svc.error_response_json("InvalidParameterValueException", sentence, 400)
        return create(wanted)

    def run_whole(mapping: Any, function: Any, event: Any, messages: Any, *rest: Any) -> None:
        for record, message in zip(event["Records"], messages, strict=False):
            record["attributes"]["SenderId"] = message["sys"]["SenderId"]
        config = {**function["config"], "FunctionArn": mapping["FunctionArn"]}
        run(mapping, {**function, "config": config}, event, messages, *rest)

    lambda_svc._create_esm, lambda_svc._run_sqs_batch = checked, run_whole


def _deployed(original: Callable[..., Any], properties: int) -> Callable[..., Any]:
    lambda_svc = ministack("services.lambda_svc")

    def provision(*arguments: Any, **more: Any) -> Any:
        refuse(refusal_of_mapping(arguments[properties]))
        made = original(*arguments, **more)
        mapping = lambda_svc._esms[made[0]]
        mapping["Enabled"] = str(mapping["Enabled"]).lower() == "true"  # of a parameter it is text
        mapping["State"] = "Enabled" if mapping["Enabled"] else "Disabled"
        return made

    return provision
