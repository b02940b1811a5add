"""The time to produce the template: this project, the libraries it can't be faster than, and AWS's CDK."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from bench.benches.large_model import Resources, counted, described, repeated
from bench.harness import installed
from bench.harness.installed import ROOT, NotInstalled
from bench.harness.rounds import Variant, interleave
from bench.harness.setup import Setup
from bench.results.figures import Goal, Plot, Sample, Table
from model import build

MANY = 150
LIMIT = "importing the libraries"
GENERATE = "generate.py"
LARGE = f"the model with {MANY} functions"
LINTED = "generate.py and cfn-lint"
CDK_OFF = "CDK, validation off"
CDK_OFF_LARGE = f"CDK, validation off, {MANY} functions"
CDK = "CDK as it comes"

# Where it is set, every run would compile the model anew, as nobody's second run does.
NO_BYTE_CODE = "PYTHONDONTWRITEBYTECODE"

Command = tuple[str, ...]


class UnlikeResources(Exception):  # noqa: N818 - it is what is wrong with the comparison
    """The peer's template has other resources than ours, so that their times can't be compared."""


def generation(setup: Setup) -> list[Table]:
    """Measure how long the template takes, validated and not: each only beside what does the same."""
    output = setup.folder("output")
    few, many = (template.to_dict()["Resources"] for template in (build(), repeated(MANY)))
    generate = (sys.executable, str(ROOT / "generate.py"), "--output", str(output / "template.yaml"))
    cdk_few = _cdk(setup, CDK_OFF, output / "few", few, validation=False)
    cdk_many = _cdk(setup, CDK_OFF_LARGE, output / "many", many, validation=False)
    if cdk_few.measure and cdk_many.measure:
        cdk_few.measure()
        cdk_many.measure()
        check_alike(_more(many, few), _more(_written(output / "many"), _written(output / "few")))
    variants = [
        _variant("python -c pass", (sys.executable, "-c", "pass")),
        _variant(LIMIT, (sys.executable, "-c", f"import {', '.join(_libraries())}")),
        _variant(GENERATE, generate),
        _variant(LARGE, (sys.executable, "-m", "bench.benches.large_model", str(MANY))),
        _variant(LINTED, generate, (str(Path(sys.executable).with_name("cfn-lint")), str(output / "template.yaml"))),
        cdk_few,
        cdk_many,
        _cdk(setup, CDK, output / "validated", few, validation=True),
    ]
    rows = {row.name: row for row in interleave(variants, setup.rounds, setup.advance)}
    validated = [rows.pop(LINTED), rows.pop(CDK)]
    return [
        Table(
            name="generate",
            title="The template, not validated",
            peer=CDK_OFF,
            rows=list(rows.values()),
            goals=[
                Goal(variant=GENERATE, metric="time (ms)", against=LIMIT, at_most=1.25),
                Goal(variant=LARGE, metric="time (ms)", against=CDK_OFF_LARGE, at_most=0.35),
            ],
            notes=["The libraries are all modules that generate.py loads and that are not the project's own."],
            plot=Plot(("time (ms)",), "ms", (GENERATE, LARGE)),
        ),
        Table(name="generate-validated", title="The template, validated", peer=CDK, rows=validated),
    ]


def check_alike(ours: Mapping[str, int], theirs: Mapping[str, int]) -> None:
    """Raise UnlikeResources where two templates have not as many resources of each type."""
    unlike = [f"{ours.get(kind, 0)} {kind}, not {theirs.get(kind, 0)}" for kind in sorted({*ours, *theirs})
              if ours.get(kind, 0) != theirs.get(kind, 0)]  # fmt: skip
    if unlike:
        raise UnlikeResources(f"the CDK's app must write what the model has: {'; '.join(unlike)}")


def _more(many: Resources, few: Resources) -> Counter[str]:
    return counted(many) - counted(few)


def _written(output: Path) -> Resources:
    """Read the resources that the CDK wrote."""
    template: Resources = json.loads((output / "DataProcessing.template.json").read_text(encoding="utf-8"))
    return template["Resources"]


def _libraries() -> list[str]:
    """Return every module that generate.py loads from elsewhere, and that a bare interpreter has not loaded."""
    code = "import sys; bare = [*sys.modules]; import generate, json; print(json.dumps([*sys.modules][len(bare):]))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout
    ours = {"model", "generate"}
    return [name for name in json.loads(loaded) if name.split(".")[0] not in ours and _importable(name)]


def _importable(name: str) -> bool:
    return name.isascii() and name.replace(".", "_").isidentifier()


def _variant(name: str, *commands: Command, environment: Mapping[str, str] | None = None) -> Variant:
    return Variant(name=name, measure=partial(_run, commands, dict(environment or {})))


def _cdk(setup: Setup, name: str, output: Path, resources: Resources, *, validation: bool) -> Variant:
    try:
        folder = installed.cdk(setup.console)
    except NotInstalled as reason:
        return Variant(name=name, missing=str(reason))
    description = output.with_suffix(".json")
    description.write_text(json.dumps(described(resources)), encoding="utf-8")
    command = ("node", str(folder / "app.js"), str(output), str(description))
    return _variant(name, command, environment={"CDK_VALIDATION": str(validation).lower()})


def _run(commands: tuple[Command, ...], environment: Mapping[str, str]) -> Sample:
    usual = {name: value for name, value in os.environ.items() if name != NO_BYTE_CODE}
    before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    for command in commands:
        subprocess.run(command, cwd=ROOT, env={**usual, **environment}, stdout=subprocess.DEVNULL, check=True)
    took, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"time (ms)": took * 1000, "CPU (ms)": used * 1000}
