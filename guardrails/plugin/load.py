"""What cfn-lint loads: it takes the rules that it finds in this file, and imports no package of the project."""

import sys
from pathlib import Path

PROJECT = str(Path(__file__).resolve().parents[2])

sys.path.insert(0, PROJECT)
try:
    from guardrails import *  # noqa: F403 - the classes that cfn-lint is to find here
finally:
    sys.path.remove(PROJECT)
