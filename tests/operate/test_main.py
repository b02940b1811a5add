import subprocess
import sys
from pathlib import Path

from .conftest import ROOT


def test_an_import_without_the_environment_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError('no click', name='click')")
    program = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import operate"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "There is no click in this Python: `make setup` makes the environment in .venv; run .venv/bin/python.\n"
    )
