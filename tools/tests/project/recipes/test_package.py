"""A package of PyPI in the functions: packed by any Python, for the runtime or for this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.local.deploy import build
from pipeline.local.embedded.workspace import Workspace
from tools.tests.copies import copy_project

BIN = Path(sys.executable).parent
METADATA = "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with wheels of the package `greeting`, one for this machine and one for Lambda's."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for tag, where in (("py3-none-any", "here"), ("cp313-cp313-manylinux2014_aarch64", "lambda")):
        version = "1.0" if where == "here" else "1.0.post1"
        info = f"greeting-{version}.dist-info"
        with zipfile.ZipFile(folder / f"greeting-{version}-{tag}.whl", "w") as wheel:
            wheel.writestr("greeting.py", f"FOR = {where!r}\n")
            wheel.writestr(f"{info}/METADATA", METADATA.replace("1.0", version))
            wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            wheel.writestr(f"{info}/RECORD", "")
    return folder


def test_a_package_is_packed_for_the_runtime_and_locally_for_this_machine(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = copy_project(tmp_path)
    (copied / "functions/requirements.txt").write_text("greeting\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    subprocess.run([sys.executable, "generate.py"], cwd=copied, check=True, stdout=subprocess.DEVNULL)
    assert (copied / "template.yaml").read_text().count("BuildMethod: makefile") == 4

    environment = {**os.environ, "PATH": f"{BIN}:/usr/bin:/bin"}  # without a Python of the runtime's version
    done = subprocess.run(
        [BIN / "sam", "build"], cwd=copied, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built = copied / ".aws-sam/build/ValidatorFunction"
    assert "lambda" in (built / "greeting.py").read_text()
    assert (built / "validator.py").exists()

    with Workspace() as workspace:
        template = build(workspace, root=copied)
        assert "here" in (template.parent / "ValidatorFunction/greeting.py").read_text()
