"""`python generate.py` as its users run it."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def generate(*arguments: str, python: str = sys.executable, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(ROOT / "generate.py"), *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_the_committed_template_is_up_to_date() -> None:
    run = generate("--check")
    assert (run.returncode, run.stdout, run.stderr) == (0, "template.yaml is up to date\n", "")


def test_it_says_what_it_wrote(tmp_path: Path) -> None:
    run = generate("--output", str(tmp_path / "out.yaml"))
    lines = (ROOT / "template.yaml").read_text().count("\n")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"Wrote {tmp_path}/out.yaml: {lines} lines\n"
    assert (tmp_path / "out.yaml").read_bytes() == (ROOT / "template.yaml").read_bytes()


def test_it_writes_to_standard_output_and_nothing_else() -> None:
    run = generate("--output", "-")
    assert run.stdout == (ROOT / "template.yaml").read_text()
    assert run.stderr == ""


def test_a_stale_template_is_shown_as_a_diff_and_left_alone(tmp_path: Path) -> None:
    stale = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text().replace("MemorySize: 768", "MemorySize: 3008")
    stale.write_text(text)
    run = generate("--check", "--output", str(stale))
    assert run.returncode == 1
    assert "\n-      MemorySize: 3008\n+      MemorySize: 768\n" in run.stdout
    assert "is stale: run `python generate.py`" in run.stderr
    assert stale.read_text() == text


def test_a_missing_template_is_stale(tmp_path: Path) -> None:
    run = generate("--check", "--output", str(tmp_path / "none.yaml"))
    assert run.returncode == 1
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_a_path_that_cannot_be_used_is_one_sentence(tmp_path: Path, options: tuple[str, ...]) -> None:
    run = generate("--output", str(tmp_path), *options)
    assert run.returncode == 1
    assert run.stderr == f"generate.py: cannot use {tmp_path}: Is a directory\n"


def test_an_unknown_option_exits_with_2() -> None:
    assert generate("--chekc").returncode == 2


def test_a_python_without_the_packages_is_told_in_one_line_what_to_run(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    run = generate(python=str(tmp_path / "bare" / "bin" / "python"))
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("generate.py: this Python lacks ")
    assert line.endswith("; run `make setup`, then .venv/bin/python generate.py")
