"""Which folder may import which: arrows go one way, so that each can be read without those that use it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("model", "functions", "deployed", "local", "operate", "guardrails", "bench")
ALLOWED = {
    "model": {"model"},
    "functions": {"functions"},
    "functions/core": {"functions.core", "functions.record"},
    "deployed": {"deployed"},
    "local": {"local", "deployed"},
    "local/asynchronous": {"local.asynchronous", "deployed"},
    "operate": {"operate", "deployed"},
    "guardrails": {"guardrails"},
    "bench": {"bench", "local", "operate", "deployed", "model"},
}
MOST_MODULES = 15


def modules(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, folder
    return [path for path in found if "peers" not in path.parts]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def exists(module: str) -> bool:
    place = ROOT / module.replace(".", "/")
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def imported(path: Path) -> Iterator[str]:
    """Give the modules that a module names, from the root on: in Lambda functions/ is the root, and names are bare."""
    inside = path.relative_to(ROOT).parts[0] == "functions"
    for module in named(path):
        bare = f"functions.{module}"
        yield bare if inside and exists(f"functions.{module.split('.')[0]}") else module


def named(path: Path) -> Iterator[str]:
    package = dotted(path).split(".") if path.name == "__init__.py" else dotted(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:  # a module of a package, or what a module holds
                module = f"{origin}.{alias.name}"
                yield module if exists(module) or exists(f"functions.{module}") else origin


def within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_what_it_may(folder: str) -> None:
    ours = {module for path in modules(folder) for module in imported(path) if module.split(".")[0] in FOLDERS}
    assert sorted(module for module in ours if not within(module, ALLOWED[folder])) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    paths = {dotted(path): path for folder in FOLDERS for path in modules(folder)}
    arrows = {name: {module for module in imported(path) if module in paths} - {name} for name, path in paths.items()}
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
