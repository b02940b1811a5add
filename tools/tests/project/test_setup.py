"""The Makefile on machines that lack something, and what it says of itself."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A folder with the Makefile and the lock, and no virtual environment."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "tools").mkdir()
    for name in ("template.yaml", "tools/pyproject.toml"):
        (tmp_path / name).touch()
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def python(folder: Path, script: str) -> str:
    """Put a stand-in for an interpreter into the folder, and return its path."""
    path = folder / "python3"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("target", ["run", "test"])
def test_an_old_python_is_named_with_what_is_needed(fresh: Path, target: str) -> None:
    old = python(fresh, 'case "$1" in --version) echo Python 3.10.13;; *) exit 1;; esac')
    run = make(fresh, target, f"PYTHON={old}")
    assert run.returncode == 2
    assert f"Python 3.11 or newer is needed: '{old}' is Python 3.10.13." in run.stderr
    assert f"make PYTHON=python3.13 {target}" in run.stderr
    assert not (fresh / ".venv").exists()


def test_a_missing_python_is_named(fresh: Path) -> None:
    run = make(fresh, "run", "PYTHON=python-that-is-not-there")
    assert run.returncode == 2
    assert "Python 3.11 or newer is needed: 'python-that-is-not-there' is" in run.stderr
    assert "missing." in run.stderr


def test_a_missing_venv_module_is_named_with_how_to_install_it(fresh: Path) -> None:
    bare = python(fresh, 'case "$2" in *ensurepip*) exit 1;; esac')
    run = make(fresh, "run", f"PYTHON={bare}")
    assert run.returncode == 2
    assert f"The venv module of '{bare}' is missing" in run.stderr
    assert "apt-get install python3-venv" in run.stderr


@pytest.fixture
def installing(fresh: Path) -> str:
    """A stand-in with a pip that may be missing, and whose environments note what pip and uv were asked."""
    note = 'echo "NAME $@" >> "FOLDER/installed"; [ ! -e "FOLDER/no-NAME" ]'.replace("FOLDER", str(fresh))
    return python(
        fresh,
        f"""case "$1 $2" in
        "-m venv")
            sleep 0.3
            mkdir -p "$5/bin"
            for name in python uv; do
                printf '%s\\n' '#!/bin/sh' '{note}' | sed "s/NAME/$name/g" > "$5/bin/$name"
                chmod +x "$5/bin/$name"
            done;;
        "-m pip") {note.replace("NAME", "pip")};;
        *) exec "{sys.executable}" "$@";;
        esac""",
    )


def installed(folder: Path) -> list[str]:
    """Return by which command the locked packages were installed."""
    lines = (folder / "installed").read_text().splitlines()
    return [line for line in lines if line.endswith(" requirements.txt")]


def test_what_is_installed_is_as_locked_and_runs_no_build(fresh: Path, installing: str) -> None:
    assert make(fresh, "setup", f"PYTHON={installing}").returncode == 0
    (asked,) = installed(fresh)
    assert asked.startswith("uv pip install ")
    assert {"--no-deps", "--require-hashes"} <= set(asked.split())
    assert "--only-binary :all:" in asked
    uv = (fresh / ".venv/uv.txt").read_text()
    assert uv.startswith("uv==")
    assert uv.count("==") == 1
    assert "--hash=sha256:" in uv


@pytest.mark.parametrize(("missing", "by"), [("pip", "python -m pip"), ("", "pip -m pip --python .venv/bin/python")])
def test_pip_installs_the_same_if_uv_can_not(fresh: Path, installing: str, missing: str, by: str) -> None:
    (fresh / "no-uv").touch()
    (fresh / f"no-{missing}").touch()
    run = make(fresh, "setup", f"PYTHON={installing}")
    assert (run.returncode, run.stderr) == (0, "uv can't install here, so pip does: that takes about a minute.\n")
    _, asked = installed(fresh)
    assert asked.startswith(f"{by} install ")
    assert {"--no-deps", "--require-hashes"} <= set(asked.split())
    made = "python -m ensurepip" in (fresh / "installed").read_text()
    assert made == bool(missing)


def test_an_environment_is_made_once(fresh: Path, installing: str) -> None:
    for _ in range(2):
        assert make(fresh, "setup", f"PYTHON={installing}").returncode == 0
    assert len(installed(fresh)) == 1


def test_two_makes_in_one_clone_install_once(fresh: Path, installing: str) -> None:
    makes = [subprocess.Popen(["make", "setup", f"PYTHON={installing}"], cwd=fresh) for _ in range(2)]
    assert [running.wait(20) for running in makes] == [0, 0]
    assert len(installed(fresh)) == 1


def test_an_environment_that_is_half_made_or_was_moved_is_made_anew(fresh: Path, installing: str) -> None:
    (fresh / ".venv/bin").mkdir(parents=True)
    assert make(fresh, "setup", f"PYTHON={installing}").returncode == 0
    moved = shutil.copytree(fresh, fresh.with_name("moved"))  # with the files' times
    assert make(moved, "setup", f"PYTHON={installing}").returncode == 0
    assert len(installed(fresh)) == 2


@pytest.mark.parametrize("name", ["x;touch PWNED;", "$(touch PWNED)", "it's here", 'a" `touch PWNED` b'])
def test_no_part_of_a_folders_name_reaches_the_shell(fresh: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    (folder / ".venv").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    (folder / ".venv/.ready").write_text("elsewhere\n")
    assert make(folder, "help").returncode == 0
    assert not (folder / ".venv/.ready").exists()
    assert [path for path in tmp_path.rglob("*") if path.name.startswith("PWNED")] == []


CHECKS = {
    *("mypy", "ruff check --quiet", "ruff format --check --quiet"),
    *("python generate.py --check", "python generate.py --check --diagram"),
    *("cfn-lint", "sam validate"),
}


def note_checks(fresh: Path, broken: str | None = None) -> None:
    """Put stand-ins for the checks' programs into the environment, which note what they are asked; one check fails."""
    tools = fresh / ".venv/bin"
    tools.mkdir(parents=True)
    for name in {check.split()[0] for check in CHECKS}:
        tool = tools / name
        tool.write_text(f'#!/bin/sh\necho "{name} $*" >> ran\n[ "$(echo {name} $*)" != "{broken}" ]\n')
        tool.chmod(0o755)
    (fresh / ".venv/.ready").write_text(f"{fresh}\n")


@pytest.mark.parametrize("broken", [None, *sorted(CHECKS)])
def test_lint_runs_every_check_and_fails_where_one_does(fresh: Path, broken: str | None) -> None:
    note_checks(fresh, broken)
    run = make(fresh, "lint")
    assert {line.strip() for line in (fresh / "ran").read_text().splitlines()} == CHECKS
    assert run.returncode == (2 if broken else 0), run.stderr


@pytest.mark.parametrize(("tests", "time"), [([], "about a minute"), (["tools/tests"], "some minutes")])
def test_the_tests_begin_with_how_long_they_take(fresh: Path, tests: list[str], time: str) -> None:
    note_checks(fresh)
    for folder in tests:
        (fresh / folder).mkdir()
    assert f"which takes {time} ..." in make(fresh, "test").stdout
    assert "python -m pytest" in (fresh / "ran").read_text()


def test_help_lists_every_command(fresh: Path) -> None:
    run = make(fresh)
    assert run.returncode == 0
    listed = re.findall(r"(?m)^make (\w+) +\S", run.stdout)
    phony = re.search(r"(?m)^\.PHONY: (.+)$", (ROOT / "Makefile").read_text())
    assert phony
    assert sorted(listed) == sorted(phony[1].split())


def test_the_lock_holds_hashes_and_names_no_host() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    pinned = re.findall(r"(?m)^[a-z0-9._-]+==\S+", lock)
    assert len(pinned) > 100
    assert "://" not in lock
    for requirement in re.split(r"(?m)^(?=[a-z0-9])", lock)[1:]:
        assert "--hash=sha256:" in requirement, requirement.splitlines()[0]


def test_every_requirement_is_in_the_lock() -> None:
    lock = (ROOT / "requirements.txt").read_text().lower()
    wanted = re.findall(r"(?m)^([A-Za-z][\w-]*)", (ROOT / "requirements.in").read_text())
    assert len(wanted) > 10
    assert [name for name in wanted if not re.search(rf"(?m)^{name.lower()}==", lock)] == []


def test_ci_runs_the_readmes_command() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text().splitlines()
