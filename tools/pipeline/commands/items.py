"""The command `items`."""

import json
from itertools import islice

import click

from pipeline.commands.shared.context import Context, of_stack
from pipeline.errors import EXIT_CODES

PAGE = 100  # items in one request


@click.command("items", epilog=EXIT_CODES)
@click.option("--id", "record_id", help="Only the items of this id.")
@click.option("--limit", type=click.IntRange(1), default=100, help="Show at most so many items.")
@click.option("--json", "as_lines", is_flag=True, help="Print each item as a line of JSON.")
@of_stack
def items(context: Context, record_id: str | None, limit: int, *, as_lines: bool) -> None:
    """Show some items of the data table.

    The items come in any order; `export` writes all of them.
    """
    table = context.table()
    found = table.all(PAGE) if record_id is None else iter(table.of_id(record_id))
    shown = [item.document for item in islice(found, limit)]
    if as_lines:
        for item in shown:
            context.screen.say(json.dumps(item, ensure_ascii=False))
    elif shown:
        names = list(dict.fromkeys(name for item in shown for name in item))
        rows = [[_text(item.get(name, "")) for name in names] for item in shown]
        context.screen.table("", names, rows)
    if len(shown) == limit and next(found, None) is not None:
        context.screen.note(f"There are more than {limit} items: --limit shows more.")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
