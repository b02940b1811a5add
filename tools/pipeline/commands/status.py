"""The command `status`."""

import json
from typing import Any

import click

from pipeline.commands.shared.context import Context, of_stack
from pipeline.errors import EXIT_CODES, LEFT, AwsError
from pipeline.questions.functions import Concurrency, Traffic, Version
from pipeline.questions.status import FunctionHealth, Health, Waiting, ask, describe_failures
from pipeline.questions.unknown import Unknown, known, or_unknown
from pipeline.records.bucket import FilesInWork, Standing
from pipeline.terminal.printable import counted

DAY = 24 * 60 * 60


@click.command("status", epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--check", is_flag=True, help="Exit with 1 if anything needs attention or is unknown.")
@of_stack
def status(context: Context, as_json: bool, check: bool) -> None:
    """Show the stack's health.

    The command shows alarms, dead letters, versions, concurrency, failures and items; what AWS does not tell is
    unknown. It looks at up to a thousand dead letters, as dead-letters does. Failures are those of the last hour,
    without refused records. DynamoDB counts a table's items about every six hours.
    """
    stack = context.stack
    health = ask(context.access, stack, letters=or_unknown(lambda: context.pipeline))
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
        screen.note(f"Needs attention: {trouble.what}: {trouble.do}")


def rows(health: Health) -> list[tuple[str, str]]:
    """Return the health as the table has it; what is as usual has no row."""
    on = known(health.alarms, lambda all_: f"{sum(one.state == 'ALARM' for one in all_)} of {len(all_)} on", "unknown")
    state = f"{health.stack.status} in {health.region}"
    found = [("stack", state), ("alarms", on), ("dead letters", _letters(health))]
    for stage, function in health.functions.items():
        used = known(health.at_once, lambda used, stage=stage: used.get(stage, 0), 0)  # type: ignore[misc]
        found += [(f"{stage} {what}", text) for what, text in _function(function, used) if text]
    quota = known(health.account, lambda quota: f"{quota.limit}, {quota.unreserved} of them unreserved", "unknown")
    used = known(health.at_once, lambda used: used[""], 0)
    return [
        *found,
        ("account's concurrency", f"{_at_once(used)}{quota}"),
        *([("files in work", known(health.files, _files, "unknown"))] if health.files else []),
        ("items", known(health.items, lambda items: f"{items}, as counted up to six hours ago", "unknown")),
    ]


def _letters(health: Health) -> str:
    def told(waiting: Waiting) -> str:
        if not waiting.letters:
            return ""
        looked = "" if waiting.letters >= visible else f" in {waiting.letters} that were looked at"
        records = counted(waiting.records, "record", "records")
        return f" with {records}{looked}, the oldest waits for {_age(waiting.oldest_seconds)}"

    if isinstance(health.queue, Unknown):
        return "unknown"
    visible = health.queue.visible
    held = f", {health.queue.in_flight} more in a reader's hands" if health.queue.in_flight else ""
    return f"{visible}{known(health.waiting, told, ' with an unknown number of records')}{held}"


def _age(seconds: int) -> str:
    days, rest = divmod(seconds, DAY)
    return f"{days} d {rest // 3600} h" if days else f"{rest // 3600} h {rest % 3600 // 60} min"


def _function(health: FunctionHealth, used: int) -> list[tuple[str, str]]:
    own = known(health.reserved, lambda own: "" if own is None else f"of {own} reserved", "unknown")
    live, published = known(health.traffic, _traffic, "unknown"), known(health.versions, _versions, "unknown")
    return [
        ("version", f"{live}; {published}"),
        ("provisioned", known(health.concurrency, _concurrency, "unknown")),
        ("concurrency", f"{_at_once(used)}{own}".rstrip(", ")),
        ("failures", known(health.failures, describe_failures, "unknown")),
    ]


def _traffic(traffic: tuple[Traffic, ...]) -> str:
    if len(traffic) == 1:
        return traffic[0].number
    return ", ".join(f"{version.number} ({version.weight:.0%})" for version in traffic) or "none: the alias is gone"


def _versions(versions: tuple[Version, ...]) -> str:
    return "published: " + ", ".join(f"{one.number} at {one.published[:16].replace('T', ' ')}" for one in versions)


def _concurrency(concurrency: Concurrency) -> str:
    if not concurrency.wanted:
        return ""
    return f"{concurrency.wanted} wanted, {concurrency.ready} ready ({concurrency.state})"


def _at_once(used: int) -> str:
    return f"at most {used} at once in the last hour, " if used else ""


def _files(files: FilesInWork) -> str:
    least = "" if files.whole else "at least "
    told = [f"{len(found)} {standing.value}" for standing in Standing if (found := files.of(standing))]
    oldest = [f"the oldest is {files.files[0].key} of {files.files[0].uploaded:%Y-%m-%d %H:%M} UTC"] if told else []
    return least + (", ".join([*told, *oldest]) or "0")


def _by_standing(files: FilesInWork) -> dict[str, list[str]]:
    return {standing.value.replace(" ", "_"): [file.key for file in files.of(standing)] for standing in Standing}


def describe(health: Health) -> dict[str, Any]:
    """Return the health as JSON has it; what is unknown is null, and why."""
    waiting = known(health.waiting, Waiting._asdict, None)
    depth = known(health.queue, lambda depth: {"visible": depth.visible, "in_flight": depth.in_flight}, None)
    return {
        "stack": health.stack.name,
        "status": health.stack.status,
        "region": health.region,
        "alarms": known(health.alarms, lambda alarms: [alarm._asdict() for alarm in alarms], None),
        "dead_letters": depth and {**depth, "records": waiting and waiting["records"]},
        "oldest_dead_letter_seconds": waiting["oldest_seconds"] if waiting and waiting["letters"] else None,
        "functions": {stage: _described(function) for stage, function in health.functions.items()},
        "account": known(health.account, lambda quota: quota._asdict(), None),
        "at_once": known(health.at_once, lambda used: {stage or "account": most for stage, most in used.items()}, None),
        "items": known(health.items, lambda items: items, None),
        "files_in_work": known(health.files, lambda files: files and [file.key for file in files.files], None),
        "files_by_state": known(health.files, lambda files: files and _by_standing(files), None),
        "unknown": [unknown.reason for unknown in health.unknown],
        "troubles": [trouble._asdict() for trouble in health.troubles],
    }


def _described(function: FunctionHealth) -> dict[str, Any]:
    return {
        "versions": known(function.traffic, lambda traffic: [version._asdict() for version in traffic], None),
        "published": known(
            function.versions, lambda all_: [{"number": one.number, "time": one.published} for one in all_], None
        ),
        "provisioned_concurrency": known(function.concurrency, Concurrency._asdict, None),
        "reserved_concurrency": known(function.reserved, lambda own: own, None),
        "failures": known(function.failures, lambda failures: dict(failures.counts), None),
    }
