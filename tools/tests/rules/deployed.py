"""The template as an environment of samconfig.toml deploys it: translated, and its conditions decided.

`python -m tools.tests.rules.deployed prod` prints it for scanners, which see through neither.
"""

import json
import sys
import tomllib
from typing import Any

from tests.model.resolution import resolve
from tests.model.translation import translate

from .linting import ROOT, read


def deployed(environment: str) -> dict[str, Any]:
    """Give the template as `sam deploy --config-env` deploys it."""
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = settings[environment]["deploy"]["parameters"]["parameter_overrides"]
    pairs = overrides.split() if isinstance(overrides, str) else overrides
    parameters = dict(pair.split("=", 1) for pair in pairs)
    return resolve(translate(read(ROOT / "template.yaml"), **parameters), parameters)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(deployed(sys.argv[1]), indent=1))
