"""The workflows: valid, pinned, with no right too many."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .own.pipeline import build

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
BIN = Path(sys.executable).parent


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(request.param.read_text())
    return loaded


def jobs(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows" / name).read_text())["jobs"]
    return found


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_there_are_workflows_for_ci_and_deployment() -> None:
    assert {"ci.yml", "deploy.yml"} <= {path.name for path in WORKFLOWS}


def test_each_is_valid_by_githubs_schema() -> None:
    checked = run(f"{BIN}/check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    assert checked.returncode == 0, checked.stdout


def test_a_workflow_that_is_not_valid_is_caught(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("runs-on:", "run-on:"))
    assert run(f"{BIN}/check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(broken)).returncode == 1


def test_the_security_audit_finds_nothing() -> None:
    audit = run(f"{BIN}/zizmor", "--offline", "--min-severity", "medium", ".github/workflows")
    assert audit.returncode == 0, audit.stdout


def test_an_action_that_is_not_pinned_is_caught(tmp_path: Path) -> None:
    loose = tmp_path / ".github" / "workflows" / "loose.yml"
    loose.parent.mkdir(parents=True)
    loose.write_text(re.sub(r"@[0-9a-f]{40} # \S+", "@v4", WORKFLOWS[0].read_text()))
    audit = run(f"{BIN}/zizmor", "--offline", "--min-severity", "medium", str(loose))
    assert audit.returncode != 0
    assert "unpinned-uses" in audit.stdout


def test_every_action_is_pinned_by_digest(workflow: dict[str, Any]) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert [use for use in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", use)] == []


def test_no_workflow_has_a_right_by_default_nor_stores_a_key(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {}
    assert "secrets." not in yaml.dump(workflow)
    rights = [job["permissions"] for job in workflow["jobs"].values()]
    allowed = {("contents", "write" if workflow["name"] == "Release" else "read"), ("id-token", "write")}
    assert all(set(right.items()) <= allowed for right in rights)


def test_ci_runs_what_everybody_runs() -> None:
    test = jobs("ci.yml")["test"]
    assert ".ci/run" in [step.get("run") for step in test["steps"]]
    assert test["strategy"]["matrix"]["python"] == ["3.11", "3.13"]


def test_production_follows_staging_and_both_follow_the_tests() -> None:
    staging, prod = (jobs("ci.yml")[name] for name in ("staging", "prod"))
    assert (staging["needs"], prod["needs"]) == ("test", "staging")
    assert staging["if"] == "github.event_name == 'push'"
    assert (staging["with"]["environment"], prod["with"]["environment"]) == ("staging", "prod")


def test_a_push_is_tested_while_an_earlier_ones_deployment_waits() -> None:
    group = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["concurrency"]["group"]
    assert group.endswith("|| github.run_id }}")  # a push shares its group with no other run
    deploy = jobs("deploy.yml")["deploy"]
    assert deploy["concurrency"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}


def test_a_deployment_outlasts_the_longest_shift_of_every_alias_in_turn() -> None:
    deploy = jobs("deploy.yml")["deploy"]
    template = build().to_dict()
    stages = [r for r in template["Resources"].values() if "DeploymentPreference" in r.get("Properties", {})]
    assert len(stages) >= 3
    longest = max(minutes(kind) for kind in template["Parameters"]["DeploymentType"]["AllowedValues"])
    assert longest == 100
    assert deploy["timeout-minutes"] >= len(stages) * longest + 60
    assert deploy["timeout-minutes"] <= 360  # no job on GitHub's own runners takes longer
    assume = next(step for step in deploy["steps"] if "configure-aws-credentials" in step.get("uses", ""))
    assert assume["with"]["role-duration-seconds"] == deploy["timeout-minutes"] * 60


def test_a_deployment_is_planned_before_and_tried_after() -> None:
    deploy = jobs("deploy.yml")["deploy"]
    ran = "\n".join(step.get("run", "") for step in deploy["steps"])
    commands = re.findall(r"pipeline \w+|sam deploy", ran)
    assert commands == ["pipeline plan", "sam deploy", "pipeline smoke"]


def run_step(folder: Path, workflow: str, job: str, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step of a workflow in a folder with a command `pipeline` that says its arguments and ends with CODE."""
    step = next(step for step in jobs(workflow)[job]["steps"] if name in step.get("run", ""))
    command = folder / ".venv/bin/pipeline"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\necho "$@"\nexit "$CODE"\n')
    command.chmod(0o755)
    return subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=folder,
        env={"PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("allowed", "options"), [("", ""), ("alarm-on key-added", " --allow alarm-on --allow key-added")]
)
def test_what_an_environment_allows_is_no_finding(tmp_path: Path, allowed: str, options: str) -> None:
    done = run_step(tmp_path, "deploy.yml", "deploy", "pipeline plan", ENVIRONMENT="prod", ALLOWED=allowed, CODE="1")
    assert (done.returncode, done.stdout) == (1, f"plan --config-env prod{options}\n")


@pytest.mark.parametrize(("git", "code", "done"), [(0, 0, 0), (0, 1, 0), (0, 2, 1), (1, 2, 0)])
def test_a_rehearsal_is_printed_and_stops_nothing_if_it_is_held(tmp_path: Path, git: int, code: int, done: int) -> None:
    (tmp_path / "git").write_text(f"#!/bin/sh\nexit {git}\n")  # whether there is a commit before
    (tmp_path / "git").chmod(0o755)
    ran = run_step(tmp_path, "ci.yml", "test", "pipeline rehearse", CODE=str(code))
    assert ran.returncode == done
    assert ("rehearse events/records.jsonl --against HEAD^1 --markdown" in ran.stdout) == (git == 0)


def minutes(deployment_type: str) -> int:
    """How long CodeDeploy shifts traffic in a configuration of its own."""
    canary, linear = (re.fullmatch(p, deployment_type) for p in (r"Canary10Percent(\d+)M.*", r"Linear10\D+(\d+)M.*"))
    return int(canary[1]) if canary else 10 * int(linear[1]) if linear else 0


def test_the_hooks_before_a_commit_are_commands_of_ci() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    makefile = (ROOT / "Makefile").read_text()
    entries = "\n".join(hook["entry"] for hook in hooks)
    commands = re.findall(r"\.venv/bin/([\w -]+[\w.-]+(?: --[\w-]+)*)", entries)
    assert len(commands) >= 6
    for command in commands:
        assert re.search(rf"\$\(BIN\)/{re.escape(command)}", makefile) or "ruff" in command, command
