"""The command `plan`."""

import json

import click

from pipeline import project
from pipeline.commands.shared.context import Context, of_stack
from pipeline.errors import EXIT_CODES, LEFT, AwsError
from pipeline.questions import functions, template
from pipeline.questions.plan import Code, ask, findings
from pipeline.stack import StackError

NAMES = (
    *("data-left-behind", "stage-goes", "letters-wait", "alarm-on", "alias-split", "equal-version", "quota"),
    *("key-added", "key-removed", "not-live", "stack-stuck"),
)


@click.command("plan", epilog=EXIT_CODES)
@click.option("--config-env", "environment", default="default", help="Deploy by this section of samconfig.toml.")
@click.option("--allow", type=click.Choice(NAMES), multiple=True, help="Leave this finding out. May be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of the findings.")
@of_stack
def plan(context: Context, environment: str, allow: tuple[str, ...], as_json: bool) -> None:
    """Say what a deployment would do to the stack.

    The command compares template.yaml with the stack that samconfig.toml names for the environment, as it is deployed
    and as it is live. It says what would happen to records, waiting events and aliases, as far as CloudFormation and
    SAM don't say it. The exit code is 0 if it finds nothing, else 1.
    """
    folder = project.root()
    settings = project.deployment(folder, environment)
    access = context.access
    try:
        old = ask(access, settings.stack)
    except StackError as error:
        raise AwsError(str(error)) from error
    given = {**(old.template.parameters if old else {}), **settings.parameters}
    path = folder / "template.yaml"
    new = template.read(path.read_text("utf-8"), given, origin=str(path))
    account = functions.account(access.client("lambda"))
    found = [one for one in findings(new, old, account, Code.of(folder / "functions")) if one.finding not in allow]
    if as_json:
        context.screen.say(json.dumps([one._asdict() for one in found]))
    else:
        for one in found:
            context.screen.say(f"{one.finding}: {one.what}.")
            context.screen.say(f"    {one.do}")
        if not found:
            context.screen.say(f"Deploying to {settings.stack} leaves everything where it is.")
    if found:
        raise click.exceptions.Exit(LEFT)
