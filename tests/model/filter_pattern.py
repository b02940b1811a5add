"""CloudWatch's filter patterns for JSON lines, as far as the model uses them."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

TERM = re.compile(r'\$\.([\w.]+) (!?=) "([^"]*)"')


def matches(pattern: str, line: str) -> bool:
    """Say whether a line is counted.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
    """
    fields = json.loads(line)
    terms = TERM.findall(pattern)

    def holds(number: int) -> bool:
        path, operator, wanted = terms[number]
        value = _field(fields, path)
        # AWS does not say what a field that is not there is unequal to, so nothing may hang on it.
        assert value is not None or operator == "=", f"{path} is compared where it may be absent"
        return value is not None and fnmatchcase(value, wanted) == (operator == "=")

    numbers = iter(range(len(terms)))
    expression = TERM.sub(lambda _: f"holds({next(numbers)})", pattern.strip("{} "))
    return bool(eval(expression.replace("&&", "and").replace("||", "or"), {"holds": holds}))


def _field(fields: Any, path: str) -> str | None:
    for name in path.split("."):
        if not isinstance(fields, dict) or name not in fields:
            return None
        fields = fields[name]
    return str(fields)
