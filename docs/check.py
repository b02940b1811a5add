"""Check the documents: links, names of files, commands with their options, figures, and how long they are.

`make lint` runs it as `python -m docs.check`. It prints a line for each fault, and exits with 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import click

from bench.__main__ import BENCHES
from bench.results import document
from pipeline.commands import cli

ROOT = Path(__file__).resolve().parents[1]
OTHERS = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "tools/pipeline/rules/README.md")
MEASURED = ("README.md", "docs/performance.md", "docs/scale.md", "docs/why.md")
"""The documents whose figures are those of bench/RESULTS.md."""
LENGTHS = {"README.md": 900, "SECURITY.md": 550, "docs/why.md": 850}
MOST_DOCUMENTS, MOST_WORDS = 10, 15_000

FENCE = re.compile(r"(?ms)^( *)```.*?^\1```$")
INLINE = re.compile(r"`([^`]+)`")
FOLDERS = "|".join(("docs", "functions", "model", "events", "tests", "tools", "bench", r"\.github"))
Tables = Mapping[str, Mapping[str, Mapping[str, float]]]
WRITTEN = ("functions/data.schema.json", "functions/core/data_schema.py", "functions/requirements.txt")
"""Files that a reader writes."""
COMMAND = re.compile(r"(?:^ *|(?<=\| )|(?<=&& ))(pipeline|make|python) ([^\n|&;#>]+)", re.MULTILINE)
DERIVED: dict[str, Callable[[Tables], float]] = {
    "6.40": lambda figures: figures["batch-cost"]["100 records"]["total"] * 10,
    "0.70": lambda figures: figures["batch-cost"]["100 records"]["total"] + DERIVED["0.0625"](figures),
    "70": lambda figures: DERIVED["0.70"](figures) * 100,
    "0.01": lambda figures: figures["batch-cost"]["100 records"]["total"] / 100,
    "0.0625": lambda figures: figures["batch-cost"]["100 records"]["table"] / 10,
    "170,000": lambda figures: figures["scale"]["10,000/s"]["a day (USD)"] * 100,
}
"""Prices that follow from a figure of RESULTS.md; they are rounded to the digits that are shown."""


class Text:
    """A document."""

    def __init__(self, path: Path) -> None:
        """Read a document."""
        self.path, self.content = path, path.read_text(encoding="utf-8")
        self.name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        self.prose = FENCE.sub("", self.content)
        self.code = "\n".join([*(found[0] for found in FENCE.finditer(self.content)), *INLINE.findall(self.prose)])
        self.words = len(re.findall(r"\S*\w\S*", re.sub(r"\]\([^)]*\)", "]", self.prose)))

    @property
    def anchors(self) -> set[str]:
        """What a link may name after #, as GitHub makes it of the headings."""
        headings = re.findall(r"(?m)^#+ (.+)$", self.prose)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def main(names: Iterable[str] = ()) -> int:
    """Check the documents that are named, or all of them."""
    paths = [ROOT / name for name in names] or documents()
    texts = [Text(path) for path in paths]
    faults = [f"{text.name}: {fault}" for text in texts for check in CHECKS for fault in check(text)]
    faults += [] if names else list(lengths(texts))
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


def documents() -> list[Path]:
    """Return the documents that users read."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in OTHERS)]


def links(text: Text) -> Iterator[str]:
    """Find links to files or headings that are not there."""
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text.prose):
        name, _, anchor = target.partition("#")
        path = text.path.parent / name if name else text.path
        if not path.exists():
            yield f"there is no {name}"
        elif anchor and anchor not in Text(path).anchors:
            yield f"{name or text.name} has no heading for #{anchor}"


def files(text: Text) -> Iterator[str]:
    """Find names of files that are not there."""
    shown = set(re.findall(r"<!-- example: (\S+?):? ", text.content))  # what a recipe has its reader write
    for name in sorted(set(re.findall(rf"`((?:{FOLDERS})/[\w./-]*)`", text.prose)) - shown - set(WRITTEN)):
        if not (ROOT / name).exists():
            yield f"there is no {name}"


def commands(text: Text) -> Iterator[str]:
    """Find commands and options that the programs don't have."""
    for program, rest in COMMAND.findall(text.code):
        yield from {"pipeline": _pipeline, "make": _make, "python": _python}[program](rest.split())


def _pipeline(words: list[str]) -> Iterator[str]:
    command = cli.get_command(click.Context(cli), words[0])
    if words[0].islower() and words[0].isascii() and not command:
        yield f"pipeline has no command {words[0]}"
    elif command:
        options = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        yield from (f"pipeline {words[0]} has no option {option}" for option in sorted(given - options))


def _make(words: list[str]) -> Iterator[str]:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    yield from (f"make has no target {word}" for word in words[:1] if word.isalpha() and word not in targets)
    arguments = re.match(r'ARGS="?(.*)', " ".join(words[1:]))
    if words[0] in ("run", "up") and arguments:
        yield from _pipeline([words[0], *arguments[1].replace('"', "").split()])


def _python(words: list[str]) -> Iterator[str]:
    if words[0].endswith(".py") and words[0] != "seed.py" and not (ROOT / words[0]).exists():
        yield f"there is no {words[0]}"
    if words[:2] == ["-m", "bench"] and not set(words[2:3]) <= set(BENCHES):
        yield f"the bench has nothing named {words[2]}"


def figures(text: Text) -> Iterator[str]:
    """Find prices, and figures of the measured documents, that are not in RESULTS.md."""
    results = document.FILE.read_text(encoding="utf-8")
    known = set(re.findall(r"\d[\d,]*(?:\.\d+)?", results))
    prices = set(re.findall(r"(\d[\d.,]*) USD", text.prose)) - known
    tables = {name: document.figures(results, name) for name in ("batch-cost", "scale")}
    for shown in sorted(prices):
        derived = DERIVED[shown](tables) if shown in DERIVED else -1.0
        if f"{derived:.2g}" != f"{float(shown.replace(',', '')):.2g}":
            yield f"no table of RESULTS.md has {shown} USD"
    if text.name in MEASURED:
        decimals = re.findall(r"(?<![\w.-])\d[\d,]*\.\d+(?![\w.])", re.sub(r"\]\([^)]*\)", "]", text.prose))
        yield from (f"no table of RESULTS.md has {shown}" for shown in sorted(set(decimals) - known - prices))


def lengths(texts: Iterable[Text]) -> Iterator[str]:
    """Find what is longer than somebody reads."""
    counts = {text.name: text.words for text in texts}
    yield from (
        f"{name}: at most {most} words (got {counts[name]})" for name, most in LENGTHS.items() if counts[name] > most
    )
    pages = [name for name in counts if name.startswith("docs/")]
    if len(pages) > MOST_DOCUMENTS:
        yield f"docs: at most {MOST_DOCUMENTS} documents (got {len(pages)})"
    if (words := sum(counts[name] for name in ["README.md", *pages])) > MOST_WORDS:
        yield f"README and docs: at most {MOST_WORDS} words (got {words})"


CHECKS: tuple[Callable[[Text], Iterator[str]], ...] = (links, files, commands, figures)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
