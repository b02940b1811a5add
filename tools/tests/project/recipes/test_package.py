"""A package of PyPI in the functions: packed by any Python, for the runtime or for this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.local.deploy import build
from pipeline.local.embedded.workspace import Workspace
from pipeline.stack.yaml_text import parse
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
    template = parse((copied / "template.yaml").read_text())
    built_so = [name for name, one in template["Resources"].items() if "BuildMethod" in one.get("Metadata", {})]
    assert len(built_so) == 4
    for name in built_so[1:]:  # each is built by the same lines
        assert template["Resources"].pop(name)["Metadata"] == {"BuildMethod": "makefile"}
    (copied / "template.yaml").write_text(json.dumps(template))  # which is YAML, too

    environment = {**os.environ, "PATH": f"{BIN}:/usr/bin:/bin"}  # without a Python of the runtime's version
    done = subprocess.run(
        [BIN / "sam", "build"], cwd=copied, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built = copied / ".aws-sam/build" / built_so[0]
    assert "lambda" in (built / "greeting.py").read_text()
    assert (built / "validator.py").exists()

    with Workspace() as workspace:
        template_built = build(workspace, root=copied)
        assert "here" in (template_built.parent / built_so[0] / "greeting.py").read_text()
