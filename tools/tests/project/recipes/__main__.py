"""Makes changes in the current folder: `python -m tools.tests.project.recipes take_the_enricher_out ...`."""

import sys
from pathlib import Path

from . import changes

KNOWN = {change.__name__: change for change in (*changes.SMALL, *changes.RECIPES)}

if __name__ == "__main__":
    names = sys.argv[1:]
    if not names or set(names) - set(KNOWN):
        sys.exit(f"Error: each argument must be one of {', '.join(KNOWN)} (got {', '.join(names) or 'none'})")
    changes.make(Path.cwd(), [KNOWN[name] for name in names])
