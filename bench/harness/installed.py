"""What the peers need, in pinned versions: installed under .bench/ in the project's folder (or $BENCH_HOME)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from rich.console import Console

from bench.harness.configured import stages

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "bench" / "peers"


class NotInstalled(Exception):  # noqa: N818 - it is a state, which a row of the table says
    """A peer can't be installed here; the message says what is missing."""


def home() -> Path:
    """Return the folder of everything that is installed for the bench, and that may be deleted at any time."""
    return Path(os.environ.get("BENCH_HOME", ROOT / ".bench")).resolve()


def lambda_python(console: Console) -> Path:
    """Return an interpreter with what Lambda's Python runtime has; of the deployed version where there is one."""
    return _once("python", console, _install_python) / "bin" / "python"


def node_handlers(console: Console) -> Path:
    """Return the folder with the Node.js handlers, their SDK and their runtime client."""
    return _once("node", console, _install_node)


def cdk(console: Console) -> Path:
    """Return the folder with the CDK app and its library."""
    return _once("cdk", console, _install_cdk)


def _once(name: str, console: Console, install: Callable[[Path], None]) -> Path:
    """Install in a folder of its own, unless that went well before and the peer is still the same."""
    folder, ready, digest = home() / name, home() / name / ".ready", _digest(PEERS / name)
    if not ready.exists() or ready.read_text(encoding="ascii") != digest:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with console.status(f"Installing {name} for the bench in {folder} ..."):
            install(folder)
        ready.write_text(digest, encoding="ascii")
    return folder


def _digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _install_python(folder: Path) -> None:
    interpreter = next(filter(_works, _candidates()), sys.executable)
    _run([interpreter, "-m", "venv", str(folder)], folder)
    requirements = PEERS / "python" / "requirements.txt"
    _run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)], folder
    )


def _candidates() -> list[str]:
    (name,) = {stage.runtime for stage in stages().values()}  # python3.13
    version = name.removeprefix("python")
    return [name, *map(str, sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/{name}")))]


def _works(interpreter: str) -> bool:
    """Say whether a command is there and runs: version managers put commands on PATH that do not."""
    if not shutil.which(interpreter):
        return False
    return subprocess.run([interpreter, "-c", ""], capture_output=True, check=False).returncode == 0


def _install_node(folder: Path) -> None:
    _need("node", "npm", "cmake", "make", "c++")
    shutil.copytree(PEERS / "node", folder, dirs_exist_ok=True)
    # The runtime client's own script builds its native part by autotools; ours builds the same by CMake alone.
    _run(["npm", "install", "--silent", "--ignore-scripts"], folder)
    _run(["sh", str(PEERS / "build-runtime-client.sh")], folder)


def _install_cdk(folder: Path) -> None:
    _need("node", "npm")
    shutil.copytree(PEERS / "cdk", folder, dirs_exist_ok=True)
    _run(["npm", "install", "--silent", "--ignore-scripts"], folder)


def _need(*commands: str) -> None:
    if missing := [command for command in commands if not shutil.which(command)]:
        raise NotInstalled(f"{', '.join(missing)} not found")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise NotInstalled(f"{Path(command[0]).name} failed: {last}")
