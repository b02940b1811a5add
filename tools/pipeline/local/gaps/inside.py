"""The gaps that MiniStack's public API can't reach: its own functions, wrapped."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import lru_cache
from threading import local
from time import monotonic
from typing import Any
from uuid import uuid4

from pipeline.local.embedded.ministack import REST, ministack

from . import statements
from .rules import refusal_of_destinations, refusal_of_function

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")  # the request id that the next invocation is to have
RENAMED = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
"""Actions that IAM doesn't have, and what their requests need:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
"""
UNNAMED = {"/2016-08-19/account-settings": "lambda:GetAccountSettings"}
"""Actions that MiniStack has no name for, by their paths."""
EXITED = "Runtime.ExitError"  # in the error of a handler that exited
CBOR = re.compile(r"/service/\w+/operation/(\w+)")  # how CloudWatch's newer protocol names an action


def wrap() -> None:
    """Wrap them all; once in a process."""
    # No signature is checked again: the door did, and names the caller.
    ministack("core.iam_evaluator").authenticate = lambda *_: None
    # The text of a statement is cut into its tokens once, however often it comes: it is the same for each item.
    keywords = ministack("services._dynamodb_keywords")
    keywords._tokenize = lru_cache(1000)(keywords._tokenize)
    # Metrics are kept for good: to look for old ones at each request takes a second for a million of them.
    ministack("services.cloudwatch")._evict_old_metrics = lambda: None
    _name_roles()
    _name_actions()
    _complete_messages_once()
    _number_requests()
    _keep_threads()
    _keep_environments()
    _reserve_for_all_versions()
    _require_versions()
    _deploy_whole_functions()
    _keep_alarms_on_expressions()


def _name_roles() -> None:
    """Let `aws:PrincipalArn` of a role's session be the role's ARN, and not the session's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    evaluator = ministack("core.iam_evaluator")
    resolve = evaluator._resolve_condition_key

    def resolved(key: str, context: Any) -> Any:
        value = resolve(key, context)
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(value):
            return value
        role = ministack("services.iam")._roles.get(value.split("/")[1])
        return role["Arn"] if role else value

    evaluator._resolve_condition_key = resolved


def _name_actions() -> None:
    """Ask IAM for the actions that it has: one for a batch of messages, PartiQL's for each statement's table.

    A request whose action isn't known needs one that nobody grants but by a wildcard; MiniStack asks for none.
    """
    iam_actions = ministack("core.iam_actions")
    action_of, checks_of = iam_actions.extract_iam_action, iam_actions.dynamodb_transaction_checks

    def renamed(service: str, method: str, path: str, *rest: Any) -> str:
        if service in REST:
            rest = {}, b"", {name: value for name, value in rest[-1].items() if name != "Action"}
        action: str | None = action_of(service, method, path, *rest)
        if action is None and (operation := CBOR.fullmatch(path)):
            action = f"{iam_actions.SERVICE_TO_IAM_NAMESPACE.get(service)}:{operation[1]}"
        action = action or UNNAMED.get(path.rstrip("/"), f"{service}:UnknownAction")
        return RENAMED.get(action, action)

    def checks(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        if action in statements.EXECUTING:
            found = statements.checks(body)
            return [(kind, iam_actions._dynamodb_table_arn(table, region, account)) for kind, table in found]
        of_items: list[tuple[str, str]] = checks_of(action, body, region, account)
        return of_items

    iam_actions.extract_iam_action, iam_actions.dynamodb_transaction_checks = renamed, checks


def _complete_messages_once() -> None:
    """Complete a message once, and not each time that its queue is read, which takes a minute for 10,000 letters."""
    sqs = ministack("services.sqs")
    complete = sqs._ensure_msg_fields

    def once(message: dict[str, Any]) -> None:
        if "complete" not in message:
            complete(message)
            message["complete"] = True

    sqs._ensure_msg_fields = once


def _number_requests() -> None:
    """Give an invocation the id that is asked for: the same in the context, in the log and in every attempt."""
    lambda_svc = ministack("services.lambda_svc")

    def new_uuid() -> str:
        wanted = REQUEST_ID.get()
        REQUEST_ID.set("")
        return wanted or str(uuid4())

    lambda_svc.new_uuid = new_uuid


def _keep_threads() -> None:
    """Run functions in threads that are kept: the event loop waits for the start of one, longer than a call takes."""
    pool = ThreadPoolExecutor(10_000)  # so many that none waits for another

    async def run(function: Callable[..., Any], *arguments: Any, **_: Any) -> Any:
        call = asyncio.get_running_loop().run_in_executor(pool, copy_context().run, function, *arguments)
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            await asyncio.wait({call})  # until then it counts as running
            raise

    ministack("services.lambda_svc").run_reentrant = run


def _keep_environments() -> None:
    """Let an interpreter live on after an error of its handler, as Lambda's do: a new one takes a third of a second.

    It ends, as in Lambda, if the handler exits, takes too long, or could not be loaded.
    """
    runtime, thread = ministack("core.lambda_runtime"), local()
    invoke, signal, collect = runtime.Worker.invoke, runtime._signal, runtime._collect

    def invoked(worker: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
        thread.ending, thread.inside = None, True
        try:
            result: dict[str, Any] = invoke(worker, *arguments, **more)
        finally:
            thread.inside = False
            process, thread.ending = thread.ending, None
        if process and "trace" in result and EXITED not in result["error"]:
            worker._proc = process
        else:
            signal(process)
            collect(process, monotonic() + runtime._REAP_GRACE)
        return result

    def signalled(process: Any) -> None:
        if getattr(thread, "inside", False):
            thread.ending = process
        else:
            signal(process)

    def collected(process: Any, deadline: float) -> None:
        if not getattr(thread, "inside", False):
            collect(process, deadline)

    runtime.Worker.invoke, runtime._signal, runtime._collect = invoked, signalled, collected


def _reserve_for_all_versions() -> None:
    """Let reserved concurrency cap a function, whichever version of it runs."""
    lambda_svc = ministack("services.lambda_svc")

    def reserved(_: dict[str, Any], config: dict[str, Any]) -> int | None:
        function = lambda_svc._functions.get(config.get("FunctionName"))
        concurrency = function["concurrency"] if function else None
        return None if concurrency is None else int(concurrency)

    lambda_svc._reserved_concurrency = reserved


def _require_versions() -> None:
    lambda_svc = ministack("services.lambda_svc")

    def checked(original: Callable[..., Any]) -> Callable[..., Any]:
        def answer(name: str, *rest: Any) -> Any:
            function, wanted = lambda_svc._functions.get(name), rest[-1]
            weights = (wanted.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            for version in {wanted.get("FunctionVersion") or "$LATEST", *weights} if function else ():
                if version not in {"$LATEST", *function["versions"]}:
                    message = f"Function not found: {lambda_svc._func_arn(name)}:{version}"
                    return lambda_svc.error_response_json("ResourceNotFoundException", message, 404)
            return original(name, *rest)

        return answer

    for call in ("_create_alias", "_update_alias"):
        setattr(lambda_svc, call, checked(getattr(lambda_svc, call)))


def _deploy_whole_functions() -> None:
    """Let CloudFormation refuse what Lambda refuses, and set what it leaves out of functions."""
    functions = ministack("services.lambda_svc")._functions

    def complete(name: str, wanted: dict[str, Any]) -> None:
        function, reserved = functions[name], wanted.get("ReservedConcurrentExecutions")
        function["config"]["DeadLetterConfig"] = wanted.get("DeadLetterConfig") or {}
        function["concurrency"] = None if reserved is None else int(reserved)

    def refusal(wanted: dict[str, Any]) -> str | None:
        return refusal_of_destinations(wanted.get("FunctionName", "").split(":")[-1], wanted)

    provide("Function", refusal_of_function, complete)
    provide("EventInvokeConfig", refusal)


def _keep_alarms_on_expressions() -> None:
    """Let CloudFormation make an alarm on metric math; nothing is calculated, so it stays without data."""
    provisioners = ministack("services.cloudformation.provisioners")
    record = provisioners._cw_metric_alarm_record

    def kept(name: str, properties: dict[str, Any]) -> Any:
        if not properties.get("Metrics"):
            return record(name, properties)
        return record(name, {**properties, "Metrics": None, "MetricName": "expression", "Namespace": "expression"})

    provisioners._cw_metric_alarm_record = kept


def provide(
    kind: str,
    refusal: Callable[[dict[str, Any]], str | None],
    complete: Callable[[str, dict[str, Any]], None] = lambda *_: None,
) -> None:
    """Let CloudFormation refuse a resource of Lambda's by its properties, and complete it once it is made."""
    handlers = ministack("services.cloudformation.provisioners")._RESOURCE_HANDLERS[f"AWS::Lambda::{kind}"]
    for call, place in (("create", 1), ("update", 2)):
        handlers[call] = _provision(handlers[call], place, refusal, complete)


def _provision(original: Callable[..., Any], place: int, refusal: Any, complete: Any) -> Callable[..., Any]:
    def provision(*arguments: Any, **more: Any) -> Any:
        if sentence := refusal(arguments[place]):
            service = f"(Service: Lambda, Status Code: 400, Request ID: {uuid4()})"
            handler = f"(RequestToken: {uuid4()}, HandlerErrorCode: InvalidRequest)"
            raise ValueError(f'Resource handler returned message: "{sentence} {service}" {handler}')
        made = original(*arguments, **more)
        complete(made[0], arguments[place])
        return made

    return provision
