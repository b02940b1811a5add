"""What a rule sends to a function goes by the queue, and only where the function's policy allows it."""

from __future__ import annotations

import inspect
import json
import time

from pipeline.local.embedded.ministack import ministack
from tests.deployed import DeployedStack


def test_a_rule_that_may_not_invoke_the_function_does_not(stack_with_files: DeployedStack) -> None:
    client, alias = stack_with_files.client("lambda"), stack_with_files.outputs.aliases["reader"]
    name, _, qualifier = alias.rpartition(":")
    (statement,) = json.loads(client.get_policy(FunctionName=name, Qualifier=qualifier)["Policy"])["Statement"]
    client.remove_permission(FunctionName=name, Qualifier=qualifier, StatementId=statement["Sid"])
    try:
        s3 = stack_with_files.client("s3")
        s3.put_object(Bucket=stack_with_files.outputs.bucket, Key="a.jsonl", Body=b"{}")
        deadline = time.monotonic() + 10
        while not (errors := stack_with_files.aws.queue_state()["errors"]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert f"may not invoke {alias}" in errors[0]
    finally:
        client.add_permission(
            FunctionName=name,
            Qualifier=qualifier,
            StatementId=statement["Sid"],
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=next(iter(statement["Condition"].values()))["AWS:SourceArn"],
        )
    assert stack_with_files.items() == []


def test_ministack_still_runs_the_functions_of_rules_at_once() -> None:

    source = inspect.getsource(ministack("services.eventbridge"))
    assert "target=lambda_svc._execute_function_with_config_scope" in source, "drop local/gaps/rule_targets.py"
