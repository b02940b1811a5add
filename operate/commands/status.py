"""The command `status`."""

from __future__ import annotations

import json
from typing import Any

import click

from operate.commands.context import EXIT_CODES, Context, of_stack
from operate.dead_letters.queue import Depth
from operate.errors import LEFT, AwsError
from operate.status import Concurrency, Health, Unknown, Version, ask

TODAY = 24 * 60 * 60


@click.command("status", epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--check", is_flag=True, help="Exit with 1 if anything needs attention, or is not known.")
@of_stack
def status(context: Context, as_json: bool, check: bool) -> None:
    """Show the stack's health: alarms, dead letters, versions behind the aliases, warm instances, items.

    What AWS does not tell is shown as unknown. DynamoDB counts a table's items every six hours or so.
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
    screen.table(f"Stack {health.stack.name}", ("What", "State"), _rows(health))
    screen.say("")
    if not isinstance(health.alarms, Unknown):
        on_first = sorted(health.alarms, key=lambda alarm: alarm.state != "ALARM")
        screen.table("Alarms", ("State", "Alarm"), [(alarm.state, alarm.name) for alarm in on_first])
    for unknown in dict.fromkeys(health.unknown):
        screen.note(f"Unknown: {unknown.reason}")
    for trouble in health.troubles:
        screen.note(f"Needs attention: {trouble}.")


def _rows(health: Health) -> list[tuple[str, str]]:
    queue, items = health.queue, health.items
    rows = [
        ("stack", f"{health.stack.status} in {health.region}"),
        ("alarms", _alarms(health)),
        (
            "dead letters",
            f"{queue.visible}, {queue.in_flight} in a reader's hands" if isinstance(queue, Depth) else "unknown",
        ),
        ("oldest dead letter", _age(health.oldest)),
    ]
    for stage, function in health.functions.items():
        rows.append((f"{stage} version", _versions(function.versions)))
        rows.append((f"{stage} provisioned", _concurrency(function.concurrency)))
    rows.append(("items", "unknown" if isinstance(items, Unknown) else f"{items}, as counted up to six hours ago"))
    return rows


def _alarms(health: Health) -> str:
    if isinstance(health.alarms, Unknown):
        return "unknown"
    on = sum(alarm.state == "ALARM" for alarm in health.alarms)
    return f"{on} of {len(health.alarms)} are on"


def _age(seconds: int | Unknown | None) -> str:
    if isinstance(seconds, Unknown):
        return "unknown"
    if seconds is None:
        return "none"
    days, rest = divmod(seconds, TODAY)
    return f"{days} d {rest // 3600} h" if days else f"{rest // 3600} h {rest % 3600 // 60} min"


def _versions(versions: tuple[Version, ...] | Unknown) -> str:
    if isinstance(versions, Unknown):
        return "unknown"
    if len(versions) == 1:
        return versions[0].number
    return ", ".join(f"{version.number} ({version.weight:.0%})" for version in versions)


def _concurrency(concurrency: Concurrency | Unknown) -> str:
    if isinstance(concurrency, Unknown):
        return "unknown"
    if not concurrency.wanted:
        return "none"
    return f"{concurrency.wanted} wanted, {concurrency.ready} ready ({concurrency.state})"


def describe(health: Health) -> dict[str, Any]:
    """Return the health as JSON has it; what is unknown is null, and why."""
    return {
        "stack": health.stack.name,
        "status": health.stack.status,
        "region": health.region,
        "alarms": None if isinstance(health.alarms, Unknown) else [alarm._asdict() for alarm in health.alarms],
        "deadLetters": {"visible": health.queue.visible, "inFlight": health.queue.in_flight}
        if isinstance(health.queue, Depth)
        else None,
        "oldestDeadLetterSeconds": _known(health.oldest),
        "functions": {
            stage: {
                "versions": [v._asdict() for v in function.versions]
                if not isinstance(function.versions, Unknown)
                else None,
                "provisionedConcurrency": function.concurrency._asdict()
                if isinstance(function.concurrency, Concurrency)
                else None,
            }
            for stage, function in health.functions.items()
        },
        "items": _known(health.items),
        "unknown": [unknown.reason for unknown in health.unknown],
        "troubles": health.troubles,
    }


def _known(value: Any) -> Any:
    return None if isinstance(value, Unknown) else value
