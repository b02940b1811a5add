"""The time to produce the template: this project, the libraries it can't be faster than, and AWS's CDK."""

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
from bench.harness.setup import Setup, Variant
from bench.results.figures import Goal, Sample, Table
from model import build

MANY = 150
LIMIT, GENERATE, LARGE = "importing the libraries", "generate.py", f"the model with {MANY} functions"
LINTED = "generate.py and cfn-lint"
CDK, CDK_OFF, CDK_OFF_LARGE = "CDK as it comes", "CDK, validation off", f"CDK, validation off, {MANY} functions"
NO_BYTE_CODE = "PYTHONDONTWRITEBYTECODE"  # with it every run would compile the model anew, as nobody's second run does
LIBRARIES = """
import sys; bare = [*sys.modules]; import generate, json
ours = lambda name: name.split(".")[0] in ("model", "generate", "pipeline") or not name.replace(".", "_").isidentifier()
print(json.dumps([name for name in [*sys.modules][len(bare):] if not ours(name)]))
"""


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
        check_alike(counted(many) - counted(few), _written(output / "many") - _written(output / "few"))
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
    rows = {row.name: row for row in setup.interleave(variants)}
    validated = [rows.pop(LINTED), rows.pop(CDK)]
    goals = [
        Goal(variant=GENERATE, metric="time (ms)", against=LIMIT, at_most=1.25),
        Goal(variant=LARGE, metric="time (ms)", against=CDK_OFF_LARGE, at_most=0.35),
    ]
    plain, title = list(rows.values()), "The template, not validated"
    return [
        Table(name="generate", title=title, peer=CDK_OFF, rows=plain, goals=goals),
        Table(name="generate-validated", title="The template, validated", peer=CDK, rows=validated),
    ]


def check_alike(ours: Counter[str], theirs: Counter[str]) -> None:
    """Raise UnlikeResources if two templates have not as many resources of each type."""
    if ours != theirs:
        unlike = f"{dict(ours - theirs)} more, {dict(theirs - ours)} less"
        raise UnlikeResources(f"the CDK's app must write what the model has (the model has {unlike})")


def _written(output: Path) -> Counter[str]:
    """Count the resources that the CDK wrote."""
    return counted(json.loads((output / "DataProcessing.template.json").read_text(encoding="utf-8"))["Resources"])


def _libraries() -> list[str]:
    """Return every module that generate.py loads from elsewhere, and that a bare interpreter has not loaded."""
    loaded = subprocess.run([sys.executable, "-c", LIBRARIES], cwd=ROOT, capture_output=True, check=True).stdout
    names: list[str] = json.loads(loaded)
    return names


def _variant(name: str, *commands: tuple[str, ...], environment: Mapping[str, str] | None = None) -> Variant:
    return Variant(name=name, measure=partial(_run, commands, environment or {}))


def _cdk(setup: Setup, name: str, output: Path, resources: Resources, *, validation: bool) -> Variant:
    try:
        folder = installed.peer("cdk", setup.console)
    except NotInstalled as reason:
        return Variant(name=name, missing=str(reason))
    description = output.with_suffix(".json")
    description.write_text(json.dumps(described(resources)), encoding="utf-8")
    command = ("node", str(folder / "app.js"), str(output), str(description))
    return _variant(name, command, environment={"CDK_VALIDATION": str(validation).lower()})


def _run(commands: tuple[tuple[str, ...], ...], environment: Mapping[str, str]) -> Sample:
    usual = {name: value for name, value in os.environ.items() if name != NO_BYTE_CODE}
    before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    for command in commands:
        subprocess.run(command, cwd=ROOT, env={**usual, **environment}, stdout=subprocess.DEVNULL, check=True)
    took, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"time (ms)": took * 1000, "CPU (ms)": used * 1000}
