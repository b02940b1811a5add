"""The command that puts figures into the documentation: `python -m bench.results FIGURES.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import click

from bench.results import lines, plots
from bench.results.figures import Table
from bench.results.tables import as_markdown

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT, SCALE = DOCS / "performance.md", DOCS / "scale.md"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("figures", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--into", "document", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="One for all.")
def main(figures: Sequence[Path], document: Path | None) -> None:
    """Put the tables of FIGURES, which `python -m bench --json` wrote, and their pictures into the documentation.

    Those of the simulation go into docs/scale.md, the others into docs/performance.md. Each replaces what stands
    between <!-- bench: NAME --> and the next <!-- end -->; the pictures go into a folder beside the document that has
    its name.
    """
    for file in figures:
        for bench in json.loads(file.read_text(encoding="utf-8"))["benches"]:
            table = Table.from_json(bench)
            insert(table, document or (SCALE if table.name.startswith("scale-") else DOCUMENT))


def insert(table: Table, document: Path) -> None:
    """Put one table, and its picture if it has one, into its place.

    Raises:
        click.ClickException: the document has no such place, or several.
    """
    text = as_markdown(table)
    if table.plot:
        picture = document.with_suffix("") / f"{table.name}.svg"
        picture.parent.mkdir(exist_ok=True)
        draw = lines.draw if table.plot.lines else plots.draw
        picture.write_text(draw(table, table.plot), encoding="utf-8")
        text = f"![{table.title}]({picture.parent.name}/{picture.name})\n\n{text}"
    place = re.compile(rf"(?<=<!-- bench: {re.escape(table.name)} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    whole, places = place.subn(lambda _: f"\n{text}\n", document.read_text(encoding="utf-8"))
    if places != 1:
        raise click.ClickException(f"{document} must have one place for {table.name!r} (got {places})")
    document.write_text(whole, encoding="utf-8")


if __name__ == "__main__":
    main()
