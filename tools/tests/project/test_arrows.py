"""Which folder may import which: imports go one way, so that each folder can be read without those that use it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOTS = {"model": ROOT, "functions": ROOT / "functions", "tools/pipeline": ROOT / "tools", "bench": ROOT}
"""The folders with modules, each with the folder that its modules are named from: in Lambda functions/ is the root."""
FOLDERS = [folder for folder in ROOTS if (ROOT / folder).exists()]
SHARED = {"pipeline.errors", "pipeline.project", "pipeline.signals", "pipeline"}
STACK = SHARED | {"pipeline.stack"}
RECORDS = STACK | {"pipeline.records"}
LETTERS = RECORDS | {"pipeline.letters"}
ALLOWED = {
    "model": {"model"},
    "functions/core": {"core", "record"},
    "tools/pipeline": {"pipeline"},
    "tools/pipeline/terminal": SHARED | {"pipeline.terminal"},
    "tools/pipeline/stack": STACK,
    "tools/pipeline/records": RECORDS,
    "tools/pipeline/letters": LETTERS,
    "tools/pipeline/questions": LETTERS | {"pipeline.questions", "pipeline.terminal"},
    "tools/pipeline/local": STACK | {"pipeline.local"},
    "tools/pipeline/local/asynchronous": {"pipeline.local.asynchronous"},
    "tools/pipeline/rules": {"pipeline.rules"},
    "tools/pipeline/generated": {"pipeline.generated"},
    "bench": {"bench", "model", "pipeline.generated"},
}
MOST_MODULES = 15


def modules(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, folder
    return [path for path in found if not {"peers", "tests"} & set(path.relative_to(ROOT).parts)]


def root_of(path: Path) -> Path:
    return next(root for folder, root in ROOTS.items() if path.is_relative_to(ROOT / folder))


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(root_of(path)).with_suffix("").parts).removesuffix(".__init__")


PATHS = {dotted(path): path for folder in FOLDERS for path in modules(folder)}


def imported(path: Path) -> Iterator[str]:
    """Give the modules of the project that a module names, absolute; also inside its functions."""
    package = dotted(path).split(".") if path.name == "__init__.py" else dotted(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in PATHS)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:  # a module of a package, or what a module holds
                name = f"{origin}.{alias.name}"
                yield from (found for found in (name if name in PATHS else origin,) if found in PATHS)


def within(module: str, packages: set[str]) -> bool:
    return any(
        module == package or (module.startswith(f"{package}.") and package != "pipeline") for package in packages
    )


@pytest.mark.parametrize("folder", [folder for folder in ALLOWED if (ROOT / folder).exists()])
def test_a_folder_imports_what_it_may(folder: str) -> None:
    ours = {module for path in modules(folder) for module in imported(path)}
    allowed = (
        ALLOWED[folder]
        if folder != "tools/pipeline"
        else ALLOWED[folder] | {name for name in PATHS if name.startswith("pipeline.")}
    )
    assert sorted(module for module in ours if not within(module, allowed)) == []


def test_the_functions_import_nothing_else_of_the_project() -> None:
    names = {name for path in modules("functions") for name in imported(path)}
    assert {name for name in names if not PATHS[name].is_relative_to(ROOT / "functions")} == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    arrows = {name: set(imported(path)) - {name} for name, path in PATHS.items()}
    assert sum(map(len, arrows.values())) > len(arrows)
    left = dict(arrows)
    while ends := {name for name, targets in left.items() if not targets & left.keys()}:
        left = {name: targets for name, targets in left.items() if name not in ends}
    assert sorted(left) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_folder_has_more_modules_than_one_can_look_at(folder: str) -> None:
    rooms = Counter(path.parent for path in modules(folder) if path.name[0] != "_" and not is_handler(path))
    assert {room.name: count for room, count in rooms.items() if count > MOST_MODULES} == {}


def is_handler(path: Path) -> bool:
    """Return whether a module is a function's: who adds stages to a pipeline has as many as it needs."""
    return path.parent == ROOT / "functions" and "\ndef handler(" in path.read_text()
