"""The README: its files exist, and its commands run here, in a named test, or are marked as needing more."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent

BLOCKS = re.findall(r"(?m)^(?:<!-- (needs .*?) -->\n)?```sh\n(.*?)```", README, re.DOTALL)
# Left to other tests: what would run this one again, or takes too long twice.
ELSEWHERE = {
    "make run": "tools/tests/local/test_run.py",
    "make test": ".ci/run",
    ". .venv/bin/activate": "tools/tests/project/test_setup.py",
    "cfn-lint": "Makefile",  # by `make lint`, before the tests
    "sam validate --lint": "tools/tests/rules/test_commands.py",  # with the same configuration
}


def commands() -> list[str]:
    """Give the commands that need nothing but the project."""
    lines = [line for needs, block in BLOCKS if not needs for line in block.splitlines()]
    return [line.partition("#")[0].strip() for line in lines]


def test_there_are_commands_and_marked_ones() -> None:
    assert len(commands()) >= 6
    assert sum(1 for needs, _ in BLOCKS if needs) >= 3


def test_what_is_left_to_others_is_there() -> None:
    assert set(ELSEWHERE) <= set(commands())
    assert all((ROOT / where).exists() for where in ELSEWHERE.values())


@pytest.mark.parametrize("command", sorted(set(commands()) - set(ELSEWHERE)))
def test_a_command_runs(command: str) -> None:
    program, *arguments = command.split()
    done = subprocess.run(
        [BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout + done.stderr
