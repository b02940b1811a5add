"""The peers' needs, in pinned versions: installed under .bench/ in the project's folder (or $BENCH_HOME)."""

import os
import shutil
import subprocess
import sys
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


def peer(name: str, console: Console) -> Path:
    """Return the folder of a peer (`python`, `node` or `cdk`), installed anew if the peer has changed."""
    files = sorted(path for path in (PEERS / name).rglob("*") if path.is_file() and path.suffix != ".pyc")
    digest = sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()
    folder, ready = home() / name, home() / name / ".ready"
    if not ready.exists() or ready.read_text(encoding="ascii") != digest:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with console.status(f"Installing {name} for the bench in {folder} ..."):
            _install_python(folder) if name == "python" else _install_packages(name, folder)
        ready.write_text(digest, encoding="ascii")
    return folder


def _install_python(folder: Path) -> None:
    (name,) = {stage.runtime for stage in stages().values()}  # python3.13
    managed = sorted(Path.home().glob(f".pyenv/versions/{name.removeprefix('python')}*/bin/{name}"))
    found = [one for one in (name, *map(str, managed)) if shutil.which(one)]
    # Version managers put commands on PATH that don't run.
    works = (one for one in found if not subprocess.run([one, "-c", ""], capture_output=True, check=False).returncode)
    _run([next(works, sys.executable), "-m", "venv", str(folder)], folder)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--requirement"]
    _run([*pip, str(PEERS / "python" / "requirements.txt")], folder)


def _install_packages(name: str, folder: Path) -> None:
    commands = ("node", "npm", *(("cmake", "make", "c++") if name == "node" else ()))
    if missing := [command for command in commands if not shutil.which(command)]:
        raise NotInstalled(f"{', '.join(missing)} not found")
    shutil.copytree(PEERS / name, folder, dirs_exist_ok=True)
    _run(["npm", "install", "--silent", "--ignore-scripts"], folder)
    if name == "node":  # the runtime client's own script builds its native part by autotools; ours by CMake alone
        _run(["sh", str(PEERS / "build-runtime-client.sh")], folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise NotInstalled(f"{Path(command[0]).name} failed: {last}")
