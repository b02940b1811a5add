"""Whose fate changes: the stages of two trees run on the same records, each in a Python of its own."""

import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from pipeline.errors import CommandError, MisuseError
from pipeline.questions.template import read

CHILD = Path(__file__).with_name("stages.py")
TEMPLATE = "template.yaml"
NAMED = 5  # lines that are named of a change
DIFFER, REFUSED, ACCEPTED, FAILED = "differ", "newly_refused", "newly_accepted", "failed"
OWN = "data"  # what a path begins with if a stage changed the data


class Tree(NamedTuple):
    """A project's functions as one revision has them."""

    folder: Path
    handlers: tuple[str, ...]  # in the order in which records pass them

    @classmethod
    def of(cls, root: Path) -> Self:
        """Read the order of the stages from a tree's template; MisuseError if there is none."""
        path = root / TEMPLATE
        try:
            template = read(path.read_text("utf-8"), origin=str(path))
        except OSError as error:
            raise MisuseError(f"{path} can't be read: {error.strerror}.") from error
        functions = [template.functions[name] for name in template.stages]
        if not functions:
            raise MisuseError(f"{path} must have a ValidatorFunction, which records are given to.")
        return cls(root / str(functions[0].get("CodeUri", "functions")), tuple(one["Handler"] for one in functions))


def checked_out(root: Path, revision: str, folder: Path) -> Path:
    """Unpack a revision of a project's repository into a folder; MisuseError if there is none."""
    done = subprocess.run(["git", "archive", "--format=tar", revision], cwd=root, capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise MisuseError(f"The revision {revision} can't be read from git: {reason}.")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@dataclass
class Change:
    """A change of the fate of some records."""

    change: str
    what: str  # the path that is stored otherwise, or the sentence
    records: int = 0
    lines: list[int] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Rehearsal:
    """What was found so far."""

    records: int = 0
    same: int = 0
    conflicts: int = 0  # records whose own data is stored otherwise: once they are stored, each replay is a conflict
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((DIFFER, REFUSED, ACCEPTED, FAILED), 0))
    _changes: dict[tuple[str, str], Change] = field(default_factory=dict)

    @property
    def changes(self) -> list[Change]:
        """The changes, those of most records first."""
        return sorted(self._changes.values(), key=lambda one: (-one.records, one.change, one.what))

    def add(self, old: bytes, new: bytes) -> None:
        """Compare what two trees made of a record."""
        self.records += 1
        if old == new:
            self.same += 1
            return
        line, before, was = json.loads(old)
        _, after, is_now = json.loads(new)
        if (before, was) == (after, is_now):
            self.same += 1
            return
        kind, whats = _changed(before, was, after, is_now)
        self.counts[kind] += 1
        self.conflicts += any(what.partition(".")[0].partition("[")[0] == OWN for what in whats) and kind == DIFFER
        for what, values in whats.items():
            change = self._changes.setdefault((kind, what), Change(kind, what))
            change.records += 1
            if len(change.lines) < NAMED:
                change.lines.append(line)
                change.examples.append({"line": line, "old": values[0], "new": values[1]})

    def describe(self, *, values: bool) -> dict[str, Any]:
        """Return it as JSON has it; what records hold only if it is asked for."""
        changes = [asdict(one) for one in self.changes]
        for one in () if values else changes:
            del one["examples"]
        counts = {"records": self.records, "same": self.same, **self.counts, "replay_conflicts": self.conflicts}
        return counts | {"changes": changes}


def run(old: Tree, new: Tree, records: Path) -> Iterator[tuple[bytes, bytes]]:
    """Run both trees on the records, side by side, and yield what each made of a record."""
    now = time.time_ns() // 1_000_000
    with ExitStack() as opened:
        children = [_start(tree, records, now, opened) for tree in (old, new)]
        answers: list[IO[bytes]] = [child.stdout for child in children if child.stdout]
        for before, after in zip_longest(*answers):
            if before is None or after is None:
                raise _failure(children[after is None])
            yield before, after
        for child in children:
            if child.wait():
                raise _failure(child)


def _failure(child: subprocess.Popen[bytes]) -> CommandError:
    told = child.stderr.read().decode(errors="replace").strip() if child.stderr else ""
    reason = told.splitlines()[-1] if told else f"they ended with exit code {child.wait()}"
    return CommandError(f"The stages could not be run: {reason}.")


def _start(tree: Tree, records: Path, now: int, opened: ExitStack) -> subprocess.Popen[bytes]:
    asked = json.dumps([str(tree.folder), tree.handlers, str(records), now])
    command = [sys.executable, "-I", str(CHILD), asked]
    child = subprocess.Popen(command, env={}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    opened.enter_context(child)
    opened.callback(child.kill)
    return child


def _changed(before: str, was: Any, after: str, is_now: Any) -> tuple[str, Mapping[str, tuple[Any, Any]]]:
    """Return which change it is, and of what, with the values."""
    if after == before == "stored":
        return DIFFER, dict(_differences(_plain(was), _plain(is_now)))
    if after == before:
        return DIFFER if after == "refused" else FAILED, {f"{after}: {is_now}": (was, is_now)}
    if after == "failed":
        return FAILED, {str(is_now): (was, is_now)}
    if after == "refused":
        return REFUSED, {str(is_now): (was, is_now)}
    return ACCEPTED, {f"{before} before: {was}": (was, is_now)}


def _plain(item: Any) -> Any:
    """Return an item as JSON has it; another result is what it is."""
    if not isinstance(item, dict) or not all(isinstance(one, dict) and len(one) == 1 for one in item.values()):
        return item
    plain: dict[str, Any] = {}
    for name, attribute in item.items():
        ((kind, value),) = attribute.items()
        plain[name] = json.loads(value) if name == OWN and kind == "S" else value
    return plain


def _differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the paths at which two documents differ; the members of an array are not told apart."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from _differences(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _differences(one, other, f"{path}[]")
    elif json.dumps(old) != json.dumps(new):
        yield path, (old, new)
