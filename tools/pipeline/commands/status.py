"""The command `status`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from pipeline.commands.context import EXIT_CODES, Context, of_stack
from pipeline.errors import LEFT, AwsError
from pipeline.letters.queue import Depth
from pipeline.questions.status import (
    Account,
    Alarm,
    Concurrency,
    FunctionHealth,
    Health,
    Oldest,
    Unknown,
    Version,
    ask,
    describe_failures,
)
from pipeline.records.bucket import FilesInWork

DAY = 24 * 60 * 60

T = TypeVar("T")


@click.command("status", epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--check", is_flag=True, help="Exit with 1 if anything needs attention, or is not known.")
@of_stack
def status(context: Context, as_json: bool, check: bool) -> None:
    """Show the stack's health: alarms, dead letters, versions behind the aliases, concurrency, failures, items.

    What AWS does not tell is shown as unknown. The oldest dead letter is that of a thousand that are looked at as by
    dead-letters. Failures are timeouts, runs out of memory and failed starts of the last hour, which Lambda ends
    without a line of the function's own. DynamoDB counts a table's items every six hours or so.
    """
    health = ask(context.access, context.stack)
    if as_json:
        context.screen.say(json.dumps(describe(health)))
    else:
        _print(context, health)
    if denied := [unknown for unknown in health.unknown if unknown.denied]:
        raise AwsError(denied[0].reason)
    if check and (health.troubles or health.unknown):
        raise click.exceptions.Exit(LEFT)


def _print(context: Context, health: Health) -> None:
    screen = context.screen
    screen.table(f"Stack {health.stack.name}", ("What", "State"), rows(health))
    screen.say("")
    if not isinstance(health.alarms, Unknown):
        on_first = sorted(health.alarms, key=lambda alarm: alarm.state != "ALARM")
        screen.table("Alarms", ("State", "Alarm"), [(alarm.state, alarm.name) for alarm in on_first])
    if "amazonaws" not in context.access.client("cloudwatch").meta.endpoint_url:
        screen.note("Alarms are not evaluated here: this is not Amazon's AWS.")
    for unknown in dict.fromkeys(health.unknown):
        screen.note(f"Unknown: {unknown.reason}")
    for trouble in health.troubles:
        screen.note(f"Needs attention: {trouble}.")


def rows(health: Health) -> list[tuple[str, str]]:
    """Return the health as the table has it."""
    at_once = health.at_once
    found = [
        ("stack", f"{health.stack.status} in {health.region}"),
        ("alarms", _told(health.alarms, _alarms)),
        ("dead letters", _told(health.queue, _depth)),
        ("oldest dead letter", _told(health.oldest, _age)),
    ]
    for stage, function in health.functions.items():
        used = at_once if isinstance(at_once, Unknown) else at_once[stage]
        found += [(f"{stage} {what}", text) for what, text in _function(function, used)]
    used = at_once if isinstance(at_once, Unknown) else at_once[""]
    return [
        *found,
        ("account's concurrency", f"{_told(used, _at_once)}, {_told(health.account, _account)}"),
        *([("files in work", _told(health.files, _files))] if health.files else []),
        ("items", _told(health.items, lambda items: f"{items}, as counted up to six hours ago")),
    ]


def _told(value: T | Unknown, text: Callable[[T], str]) -> str:
    return "unknown" if isinstance(value, Unknown) else text(value)


def _function(health: FunctionHealth, used: int | Unknown) -> list[tuple[str, str]]:
    return [
        ("version", _told(health.versions, _versions)),
        ("provisioned", _told(health.concurrency, _concurrency)),
        ("concurrency", f"{_told(used, _at_once)}, {_told(health.reserved, _reserved)}"),
        ("failures", _told(health.failures, describe_failures)),
    ]


def _alarms(alarms: tuple[Alarm, ...]) -> str:
    return f"{sum(alarm.state == 'ALARM' for alarm in alarms)} of {len(alarms)} are on"


def _files(files: FilesInWork) -> str:
    least = "" if files.whole else "at least "
    oldest = f", the oldest is {files.files[0][0]} of {files.files[0][1]:%Y-%m-%d %H:%M} UTC" if files.files else ""
    return f"{least}{len(files.files)}{oldest}"


def _depth(queue: Depth) -> str:
    return f"{queue.visible}, {queue.in_flight} in a reader's hands"


def _age(oldest: Oldest | None) -> str:
    if oldest is None:
        return "none"
    days, rest = divmod(oldest.seconds, DAY)
    age = f"{days} d {rest // 3600} h" if days else f"{rest // 3600} h {rest % 3600 // 60} min"
    return f"{age}, of {oldest.looked_at} looked at"


def _versions(versions: tuple[Version, ...]) -> str:
    if len(versions) == 1:
        return versions[0].number
    return ", ".join(f"{version.number} ({version.weight:.0%})" for version in versions)


def _concurrency(concurrency: Concurrency) -> str:
    if not concurrency.wanted:
        return "none"
    return f"{concurrency.wanted} wanted, {concurrency.ready} ready ({concurrency.state})"


def _at_once(used: int) -> str:
    return f"at most {used} at once in the last hour"


def _reserved(reserved: int | None) -> str:
    return "of the account's" if reserved is None else f"of {reserved} reserved"


def _account(account: Account) -> str:
    return f"of {account.limit}, {account.unreserved} of them unreserved"


def describe(health: Health) -> dict[str, Any]:
    """Return the health as JSON has it; what is unknown is null, and why."""
    return {
        "stack": health.stack.name,
        "status": health.stack.status,
        "region": health.region,
        "alarms": _known(health.alarms, lambda alarms: [alarm._asdict() for alarm in alarms]),
        "deadLetters": _known(health.queue, lambda depth: {"visible": depth.visible, "inFlight": depth.in_flight}),
        "oldestDeadLetterSeconds": _known(health.oldest, lambda oldest: oldest and oldest.seconds),
        "functions": {
            stage: {
                "versions": _known(function.versions, lambda versions: [version._asdict() for version in versions]),
                "provisionedConcurrency": _known(function.concurrency, Concurrency._asdict),
                "reservedConcurrency": _known(function.reserved, lambda reserved: reserved),
                "failures": _known(function.failures, dict),
            }
            for stage, function in health.functions.items()
        },
        "account": _known(health.account, Account._asdict),
        "atOnce": _known(health.at_once, lambda used: {stage or "account": most for stage, most in used.items()}),
        "items": _known(health.items, lambda items: items),
        "filesInWork": _known(health.files, lambda files: files and [key for key, _ in files.files]),
        "unknown": [unknown.reason for unknown in health.unknown],
        "troubles": health.troubles,
    }


def _known(value: T | Unknown, document: Callable[[T], Any]) -> Any:
    return None if isinstance(value, Unknown) else document(value)
