"""Watching a project: which changes are seen, and how they become live."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.local.deploy import PARAMETERS
from pipeline.local.watch import Change, Project, changes, saved
from tests.deployed import DeployedStack
from tests.own import pipeline


class Clock:
    """Lets something happen at each wait."""

    def __init__(self, *steps: Any) -> None:
        self._steps: Iterator[Any] = iter(steps)

    def __call__(self, _seconds: float) -> None:
        next(self._steps)()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("functions/core/stage.py", "model/stack.py", "template.yaml", "samconfig.toml", "tests/test_it.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    return tmp_path


def first(root: Path, *steps: Any) -> Change:
    return next(changes(root, saved(root), wait=Clock(*steps, lambda: None, lambda: None, lambda: None)))


def test_files_that_are_saved_together_are_one_change(root: Path) -> None:
    one, other, new = root / "functions/core/stage.py", root / "model/stack.py", root / "functions/new.py"
    change = first(
        root, lambda: None, lambda: one.write_text("22"), lambda: (other.write_text("22"), new.write_text(""))
    )
    assert [str(path) for path in change.files] == ["functions/core/stage.py", "functions/new.py", "model/stack.py"]
    assert not change.is_code


def test_what_is_saved_before_the_first_look_is_a_change(root: Path) -> None:
    before = saved(root)  # as `up` takes it: the deployment and the first records follow
    (root / "functions/core/stage.py").write_text("22")
    change = next(changes(root, before, wait=lambda _: None))
    assert change == Change((Path("functions/core/stage.py"),))


def test_a_removed_file_is_a_change_of_the_code(root: Path) -> None:
    change = first(root, (root / "functions/core/stage.py").unlink)
    assert change == Change((Path("functions/core/stage.py"),))
    assert change.is_code


@pytest.mark.parametrize("name", ["template.yaml", "tests/test_it.py", "functions/notes.md", "functions/__pycache__/x"])
def test_what_is_generated_or_never_deployed_is_no_change(root: Path, name: str) -> None:
    def save() -> None:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("other")

    change = first(root, save, lambda: None, (root / "samconfig.toml").unlink)
    assert change.files == (Path("samconfig.toml"),)


def test_saved_code_is_live_at_once_and_a_mistake_is_told(stack: DeployedStack, tmp_path: Path) -> None:
    root = pipeline.write(tmp_path)
    screen = Console(file=io.StringIO(), width=200)
    project = Project(root, stack.aws, stack.outputs, PARAMETERS, screen)
    code, change = root / "functions/enricher.py", Change((Path("functions/enricher.py"),))
    original = code.read_text()
    shutil.copytree(root / "functions", tmp_path / "before")
    try:
        code.write_text(original.replace("def handler(record: Record)", "def handler(record: Record"))
        assert not project.apply(change)
        assert "enricher.py, line " in screen.file.getvalue()  # type: ignore[attr-defined]
        code.write_text(original.replace('"version": ', '"version": "live" or '))
        assert code.read_text() != original
        assert project.apply(change)
        stack.submit({"id": "a", "timestamp": 1, "data": 1})
        stack.drain()
        (item,) = stack.items()
        assert item.enriched_by == "live"
    finally:
        code.write_text(original)
        assert project.apply(change)


def test_a_model_that_can_not_be_built_is_told(root: Path) -> None:
    (root / "generate.py").write_text("raise SystemExit('the model is wrong')")
    screen = Console(file=io.StringIO(), width=200)
    project = Project(root, None, None, {}, screen)  # type: ignore[arg-type] - it does not come so far
    assert not project.apply(Change((Path("model/stack.py"),)))
    assert "generate.py failed:\nthe model is wrong" in screen.file.getvalue()  # type: ignore[attr-defined]


def test_json_is_watched_too(root: Path) -> None:
    schema = root / "functions/data.schema.json"
    change = first(root, lambda: schema.write_text(json.dumps({})))
    assert not change.is_code  # it is compiled by generate.py
