"""Write what is generated: template.yaml and the picture in the README, from the model, and the check of data."""

import atexit
import gc
import sys
from pathlib import Path

if __name__ == "__main__":
    # All that is imported and built is needed to the end: looking for garbage until then takes an eighth of the time.
    gc.disable()
    atexit.register(gc.freeze)

ROOT = Path(__file__).resolve().parent
sys.path.append(str(ROOT / "tools"))  # a clone holds the tools; they need not be installed to generate

try:
    from model import build, project
    from pipeline.generated.command import Project, main
except ModuleNotFoundError as missing:
    if str(missing.name).partition(".")[0] == "model":  # a mistake in the model, not in the set-up
        raise
    sys.exit(f"generate.py: this Python lacks {missing.name}; run `make setup`, then .venv/bin/python generate.py")

if __name__ == "__main__":
    sys.exit(main(Project(ROOT, project.NAME, project.checked, build)))
