"""What cfn-lint loads: it takes the rules that it finds in this file, and imports no package of the project.

The folder above is imported by its path, so that it can stand in any project, under any name, and beside a package
that is called so too.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).resolve().parents[1]
NAME = str(PACKAGE).replace(".", "_")  # a dot in the name of a package would part it


def _imported() -> ModuleType:
    """Import the package, unless somebody has: cfn-lint may load this file again."""
    file = PACKAGE / "__init__.py"
    for name in ("pipeline.rules", NAME):
        if getattr(sys.modules.get(name), "__file__", None) == str(file):
            return sys.modules[name]
    spec = importlib.util.spec_from_file_location(NAME, file)
    assert spec and spec.loader  # noqa: S101 - the file is there: this one is in its folder
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_rules = _imported()
globals().update({rule.__name__: rule for rule in _rules.RULES})
