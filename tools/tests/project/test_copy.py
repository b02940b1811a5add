"""A copy of the project, as `copier copy` makes it: what is in it, its name, and later versions."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployed import ROOT

BIN = Path(sys.executable).parent
NAME = "claims"
MOST_FILES, MOST_LINES = 150, 5200
"""What somebody who takes the copy over has to look through; lines of Python without its tests."""
UPDATED = ("*", "model/*.py", "functions/*.py", "events/*")
UNCOPIED = re.compile(r"tools/tests/|(tools/pipeline|bench)/.+/")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def copier(*arguments: object) -> str:
    command = [str(BIN / "copier"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, path
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is now, committed with a tag in a repository of its own, with little of what no copy gets."""
    folder = tmp_path_factory.mktemp("origin") / "project"
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in tracked.stdout.splitlines():
        if (ROOT / name).exists() and not UNCOPIED.match(name):  # the name of each file is rendered
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    commit(folder, "First")
    git(folder, "tag", "v1.0.0")
    return folder


@pytest.fixture(scope="module")
def copied(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copied") / NAME
    copier("copy", "--quiet", "--data", f"name={NAME}", origin, folder)
    return folder


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts]


def test_it_is_small_and_holds_no_tools(copied: Path) -> None:
    found = files(copied)
    lines = sum(
        len(path.read_text().splitlines()) for path in found if path.suffix == ".py" and not within_tests(path, copied)
    )
    assert len(found) <= MOST_FILES
    assert 3000 < lines <= MOST_LINES
    assert {path.name for path in copied.iterdir()} & {"tools", "bench", "docs", "copier.yml"} == set()


def within_tests(path: Path, folder: Path) -> bool:
    return path.relative_to(folder).parts[0] in ("tests", "conftest.py")


def test_nothing_in_it_names_the_project_that_it_came_from(copied: Path) -> None:
    old = re.compile(r"(?i)data-?processing(?! (stack|pipeline|\())")
    answers = {"tools.txt", ".copier-answers.yml"}  # which say where it came from
    named = {path.relative_to(copied) for path in files(copied) if old.search(path.read_text(errors="ignore"))}
    assert {str(path) for path in named} - answers == set()
    assert f'NAME = checked("{NAME}")' in (copied / "model/project.py").read_text()
    assert f'stack_name = "{NAME}-prod"' in (copied / "samconfig.toml").read_text()


def test_its_tools_are_those_of_the_folder_that_it_was_copied_from(copied: Path, origin: Path) -> None:
    assert (copied / "tools.txt").read_text().splitlines()[-1] == f"{origin.resolve()}/tools"


@pytest.mark.parametrize(
    ("source", "pin"),
    [
        ("gh:acme/pipeline", "git+https://github.com/acme/pipeline@abc#subdirectory=tools"),
        ("gl:acme/pipeline", "git+https://gitlab.com/acme/pipeline@abc#subdirectory=tools"),
        ("https://git.example.com/pipeline.git", "git+https://git.example.com/pipeline.git@abc#subdirectory=tools"),
        ("git+https://git.example.com/pipeline", "git+https://git.example.com/pipeline@abc#subdirectory=tools"),
        ("git@git.example.com:acme/p.git", "git+ssh://git@git.example.com/acme/p.git@abc#subdirectory=tools"),
        ("/srv/pipeline", "/srv/pipeline/tools"),
    ],
)
def test_its_tools_are_pinned_to_the_repository_and_the_commit(source: str, pin: str) -> None:
    jinja2 = pytest.importorskip("jinja2")
    marks = {"variable": ("[=", "=]"), "block": ("[%", "%]"), "comment": ("[#%", "%#]")}
    options = {f"{mark}_start_string": pair[0] for mark, pair in marks.items()}
    options |= {f"{mark}_end_string": pair[1] for mark, pair in marks.items()}
    environment = jinja2.Environment(**options)
    environment.filters |= {"expanduser": str, "realpath": str}
    template = environment.from_string((ROOT / "tools.txt.jinja").read_text())
    answers = {"_src_path": source}
    written = template.render(_copier_answers=answers, _copier_conf={"vcs_ref_hash": "abc"})
    assert written.split("\n", 1)[1].strip() == pin


def test_its_template_is_generated_and_its_generated_files_are_up_to_date(copied: Path) -> None:
    for arguments in ([], ["--check"], ["--check", "--diagram"]):
        command = [sys.executable, "generate.py", *arguments]
        done = subprocess.run(command, cwd=copied, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert f"FunctionName: !Sub {NAME}-validator-${{EnvironmentSuffix}}" in (copied / "template.yaml").read_text()


def test_a_name_that_can_not_be_one_is_refused(origin: Path, tmp_path: Path) -> None:
    command = [str(BIN / "copier"), "copy", "--data", "name=My Claims", str(origin), str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "lower-case letters" in done.stderr
    assert not (tmp_path / "x/model").exists()


def test_an_update_brings_a_later_version_and_keeps_the_changes(origin: Path, tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / NAME
    for name in UPDATED:  # an update renders each file several times
        for path in filter(Path.is_file, origin.glob(name)):
            (source / path.relative_to(origin)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, source / path.relative_to(origin))
    git(source, "init", "--quiet")
    commit(source, "First")
    git(source, "tag", "v1.0.0")
    copier("copy", "--quiet", "--data", f"name={NAME}", source, folder)
    git(folder, "init", "--quiet")
    edit(folder / "functions/enricher.py", '"1.0"', '"7.0"')
    edit(folder / "events/records.jsonl", "order-2001", "claim-2001")
    commit(folder, "Mine")

    edit(source / "model/storage.py", '"""', '"""Later: ')
    edit(source / "functions/validator.py", '"""', '"""Later: ')
    edit(source / "functions/enricher.py", '"1.0"', '"2.0"')
    commit(source, "Second")
    git(source, "tag", "v1.1.0")
    copier("update", "--quiet", "--defaults", folder)
    assert "Later: " in (folder / "model/storage.py").read_text()
    assert "Later: " in (folder / "functions/validator.py").read_text()
    assert "claim-2001" in (folder / "events/records.jsonl").read_text()
    assert "_commit: v1.1.0" in (folder / ".copier-answers.yml").read_text()
    conflict = (folder / "functions/enricher.py").read_text()
    assert ('"7.0"' in conflict, '"2.0"' in conflict, "<<<<<<<" in conflict) == (True, True, True)
