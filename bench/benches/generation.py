"""The time to produce the template: this project, the libraries it can't be faster than, and AWS's CDK."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bench.harness import installed
from bench.harness.installed import ROOT, NotInstalled
from bench.harness.rounds import Variant, interleave
from bench.harness.setup import Setup
from bench.results.figures import Sample, Table, Target

LIMIT = "importing the libraries"
GENERATE = "generate.py"
LARGE = "the model with 150 functions"
LINTED = "generate.py and cfn-lint"
CDK_OFF = "CDK, validation off"
CDK_OFF_LARGE = "CDK, validation off, 150 functions"
CDK = "CDK as it comes"

Command = tuple[str, ...]


def generation(setup: Setup) -> list[Table]:
    """Measure how long the template takes, validated and not: each only beside what does the same."""
    output = setup.folder("output")
    generate = (sys.executable, str(ROOT / "generate.py"), "--output", str(output / "template.yaml"))
    variants = [
        _variant("python -c pass", (sys.executable, "-c", "pass")),
        _variant(LIMIT, (sys.executable, "-c", f"import {', '.join(_libraries())}")),
        _variant(GENERATE, generate),
        _variant(LARGE, (sys.executable, "-m", "bench.benches.large_model", "150")),
        _variant(LINTED, generate, (str(Path(sys.executable).with_name("cfn-lint")), str(output / "template.yaml"))),
        _cdk(setup, CDK_OFF, output, functions=3, validation=False),
        _cdk(setup, CDK_OFF_LARGE, output, functions=150, validation=False),
        _cdk(setup, CDK, output, functions=3, validation=True),
    ]
    rows = {row.name: row for row in interleave(variants, setup.rounds, setup.advance)}
    targets = [
        Target(variant=GENERATE, metric="time (ms)", against=LIMIT, at_most=1.25),
        Target(variant=LARGE, metric="time (ms)", against=GENERATE, at_most=1.8),
    ]
    validated = [rows.pop(LINTED), rows.pop(CDK)]
    return [
        Table(
            name="generate",
            title="The template, not validated",
            peer=CDK_OFF,
            rows=list(rows.values()),
            targets=targets,
            notes=["The libraries are all modules that generate.py loads and that are not the project's own."],
        ),
        Table(name="generate-validated", title="The template, validated", peer=CDK, rows=validated),
    ]


def _libraries() -> list[str]:
    """Return every module that generate.py loads from elsewhere, and that a bare interpreter has not loaded."""
    code = (
        "import sys; bare = set(sys.modules); import generate; "
        "print(*(name for name in sys.modules if name not in bare and name.split('.')[0] not in ('model', 'generate')))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in loaded.stdout.split() if name.isascii() and name.replace(".", "_").isidentifier()]


def _variant(name: str, *commands: Command, environment: Mapping[str, str] | None = None) -> Variant:
    return Variant(name=name, measure=partial(_run, commands, dict(environment or {})))


def _cdk(setup: Setup, name: str, output: Path, *, functions: int, validation: bool) -> Variant:
    try:
        folder = installed.cdk(setup.console)
    except NotInstalled as reason:
        return Variant(name=name, missing=str(reason))
    command = ("node", str(folder / "app.js"), str(output / f"cdk-{functions}-{validation}"), str(functions))
    return _variant(name, command, environment={"CDK_VALIDATION": str(validation).lower()})


def _run(commands: tuple[Command, ...], environment: Mapping[str, str]) -> Sample:
    before, began = os.times(), time.perf_counter()
    for command in commands:
        subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=True)
    took, after = time.perf_counter() - began, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"time (ms)": took * 1000, "CPU (ms)": used * 1000}
