"""`python generate.py`, as its users run it where that matters."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from troposphere import Template

from model import build
from model.project import NAME, checked
from pipeline.generated.command import Project, main
from tools.tests.conftest import Ran
from tools.tests.copies import LEFT_OUT, ROOT, copy_project

Generate = Callable[..., Ran]

OTHER = "parcels" if NAME != "parcels" else "orders"


def generate(*arguments: str, python: str = sys.executable, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(root / "generate.py"), *arguments], cwd=root, capture_output=True, text=True, check=False
    )


@pytest.fixture
def generated(capsys: pytest.CaptureFixture[str]) -> Generate:
    """Run the command in this process."""

    def run(*arguments: str, root: Path = ROOT, build: Callable[[], Template] = build) -> Ran:
        try:
            code = main(Project(root, NAME, checked, build), list(arguments))
        except SystemExit as ended:
            if isinstance(ended.code, str):
                sys.stderr.write(f"{ended.code}\n")
            code = ended.code if isinstance(ended.code, int) else 1
        return Ran(code, *capsys.readouterr())

    return run


def test_it_says_what_it_wrote(tmp_path: Path) -> None:
    run = generate("--output", str(tmp_path / "out.yaml"))
    lines = (ROOT / "template.yaml").read_text().count("\n")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"Wrote {tmp_path}/out.yaml: {lines} lines\n"
    assert (tmp_path / "out.yaml").read_bytes() == (ROOT / "template.yaml").read_bytes()


def test_a_clone_generates_with_what_the_model_is_built_with_alone() -> None:
    installed = [entry for entry in sys.path if entry.endswith("site-packages")]
    run = subprocess.run(  # without site, no file there adds the tools to the path
        [sys.executable, "-S", "generate.py", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": os.pathsep.join(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "template.yaml is up to date\n", "")


def test_what_is_up_to_date_is_not_written(generated: Generate, tmp_path: Path) -> None:
    written = tmp_path / "out.yaml"
    written.write_bytes((ROOT / "template.yaml").read_bytes())
    written.chmod(0o400)
    before = written.stat().st_mtime_ns
    assert generated("--output", str(written)) == (0, f"{written} is up to date\n", "")
    assert written.stat().st_mtime_ns == before


def test_a_stale_template_is_shown_as_a_diff_and_left_alone(generated: Generate, tmp_path: Path) -> None:
    stale = tmp_path / "template.yaml"
    text, places = re.subn(r"MemorySize: (\d+)", "MemorySize: 3008", (ROOT / "template.yaml").read_text(), count=1)
    stale.write_text(text)
    run = generated("--check", "--output", str(stale))
    assert (run.code, places) == (1, 1)
    assert re.search(r"\n-      MemorySize: 3008\n\+      MemorySize: \d+\n", run.out)
    assert "is stale: run `python generate.py`" in run.err
    assert stale.read_text() == text


def test_the_same_model_gives_the_committed_bytes_in_every_process() -> None:
    command = [sys.executable, str(ROOT / "generate.py"), "--output", "-"]
    for seed in ("0", "4242"):
        run = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True)
        assert (run.stdout, run.stderr) == ((ROOT / "template.yaml").read_bytes(), b"")


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_a_path_that_cannot_be_used_is_one_sentence(
    generated: Generate, tmp_path: Path, options: tuple[str, ...]
) -> None:
    sentence = f"generate.py: cannot use {tmp_path}: Is a directory\n"
    assert generated("--output", str(tmp_path), *options) == (1, "", sentence)


def test_a_python_without_the_packages_is_told_in_one_line_what_to_run(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    run = generate(python=str(tmp_path / "bare" / "bin" / "python"))
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("generate.py: this Python lacks ")
    assert line.endswith("; run `make setup`, then .venv/bin/python generate.py")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return copy_project(tmp_path)


def test_another_name_is_that_of_everything_deployed_and_the_old_one_brings_all_back(copied: Path) -> None:
    (copied / "mine.md").write_text(f"One line.\nThe stack {NAME}-dev, not my-{NAME} nor {NAME}es.\n")
    names = ["template.yaml", "model/project.py", "samconfig.toml", "pyproject.toml", ".github/deployment-role.yaml"]
    before = [(copied / name).read_bytes() for name in names]
    run = generate("--name", OTHER, root=copied)
    assert (run.returncode, run.stderr) == (0, "")
    files = "model/project.py, samconfig.toml, pyproject.toml, .github/deployment-role.yaml"
    assert run.stdout.startswith(f"Renamed {NAME} to {OTHER} in {files}\nWrote ")
    left = run.stdout.partition("Left to do by hand:\n")[2]
    assert f"- A stack that is deployed as {NAME}-... stays as it is: " in left
    assert f"- mine.md still says {NAME}: line 2\n" in left
    assert "- samconfig.toml " not in left
    template = (copied / "template.yaml").read_text()
    assert f"FunctionName: !Sub {OTHER}-validator-${{EnvironmentSuffix}}" in template
    assert f"{{Key: Project, Value: {OTHER.capitalize()}}}" in template
    assert f"{NAME}-" not in template  # a stage's description may say the name
    assert f'stack_name = "{OTHER}-prod"' in (copied / "samconfig.toml").read_text()
    assert generate("--check", root=copied).returncode == 0
    assert generate("--name", NAME, root=copied).returncode == 0
    assert [(copied / name).read_bytes() for name in names] == before


@pytest.mark.parametrize("name", ["Orders", "", "orders_eu"])
def test_a_name_that_does_not_fit_is_refused_and_nothing_changed(generated: Generate, name: str) -> None:
    before = (ROOT / "model/project.py").read_text()
    run = generated("--name", name)
    assert run.code == 2
    assert f"(got '{name}')" in run.err
    assert (ROOT / "model/project.py").read_text() == before


def test_the_name_that_the_project_has_changes_nothing(generated: Generate) -> None:
    assert generated("--name", NAME) == (0, f"The project is called {NAME} already\n", "")


def test_a_file_that_no_longer_says_the_name_is_named_before_anything_is_written(
    generated: Generate, copied: Path
) -> None:
    (copied / "samconfig.toml").write_text("version = 0.1\n")
    before = (copied / "model/project.py").read_text()
    run = generated("--name", OTHER, root=copied)
    assert run.code == 1
    assert run.err.startswith("generate.py: samconfig.toml must say the project's name")
    assert (copied / "model/project.py").read_text() == before


@pytest.mark.parametrize("options", [["--output", "-"], ["--check", "--output", "none.yaml"], ["--name", OTHER]])
def test_a_reader_that_stops_reading_is_no_error_to_speak_of(copied: Path, options: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run(
        [sys.executable, "generate.py", *options], cwd=copied, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (run.returncode, run.stderr) == (1, b"")
    assert (OTHER in (copied / "template.yaml").read_text()) == ("--name" in options)


SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"amount": {"type": "number", "exclusiveMinimum": 0}},
    "required": ["amount"],
}
HANDLED = """
import json, sys
sys.path[:0] = sys.argv[1:]
import validator
for data in ({"amount": 1}, {"amount": -1}, {"amount": "secret"}, {}):
    try:
        print(validator.handler({"id": "a", "timestamp": 1, "data": data}, None)["valid"])
    except ValueError as error:
        print(error)
others = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names
print(sorted(others), "core.data_schema" in sys.modules)
"""


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of functions alone."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "functions", tmp_path / "functions", ignore=LEFT_OUT)
    return tmp_path


def written(functions: Path, schema: object) -> Path:
    """Write a project's schema."""
    path = functions / "functions/data.schema.json"
    path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return path


def handled(functions: Path) -> list[str]:
    command = [sys.executable, "-I", "-S", "-c", HANDLED, str(functions / "functions")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_schema_becomes_a_check_of_the_standard_library_alone(generated: Generate, functions: Path) -> None:
    written(functions, SCHEMA)
    assert "Wrote functions/core/data_schema.py: " in generated(root=functions, build=Template).out
    assert handled(functions) == [
        "True",
        "Invalid data: data.amount must be bigger than 0",
        "Invalid data: data.amount must be number",
        "Invalid data: data must contain ['amount'] properties",
        "['__main__', 'core', 'record', 'validator'] True",
    ]
    first = (functions / "functions/core/data_schema.py").read_text().splitlines()[0]
    assert first == "# Written by generate.py from functions/data.schema.json: change that, and run it again."


def test_a_check_is_stale_when_its_schema_has_changed_or_gone(generated: Generate, functions: Path) -> None:
    schema = written(functions, SCHEMA)
    assert generated("--check", root=functions, build=Template).code == 1
    generated(root=functions, build=Template)
    assert generated("--check", root=functions, build=Template).code == 0
    written(functions, {**SCHEMA, "maxProperties": 3})
    run = generated("--check", root=functions, build=Template)
    assert run.code == 1
    assert "functions/core/data_schema.py is stale: run `python generate.py`" in run.err
    schema.unlink()
    run = generated("--check", root=functions, build=Template)
    assert (run.code, "has no schema any more" in run.err) == (1, True)
    assert generated(root=functions, build=Template).code == 0
    assert handled(functions) == ["True"] * 4 + ["['__main__', 'core', 'record', 'validator'] False"]


def test_a_schema_that_cannot_be_used_is_one_sentence(generated: Generate, functions: Path) -> None:
    written(functions, {"properties": {"a": {"minLenght": 1}}})
    run = generated(root=functions, build=Template)
    assert (run.code, run.err) == (
        1,
        "generate.py: functions/data.schema.json can't be used: the keyword minLenght is not supported at "
        "#/properties/a/minLenght\n",
    )
