"""cfn-lint in process, as .cfnlintrc sets it up: all of its rules, or the project's own, which are ten times faster."""

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cfnlint.config import ConfigMixIn
from cfnlint.decode.utils import convert_dict
from cfnlint.match import Match
from cfnlint.rules import Rules
from cfnlint.runner import Runner, run_template_by_data
from cfnlint.template import Template as Linted
from samtranslator.yaml_helper import yaml_parse

from pipeline.rules.reading import Template
from pipeline.rules.rule import Rule

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = ROOT / "tools/tests/fixtures"


# Rules about SAM's own type, which only a linter that does not expand SAM applies, and the same about Lambda's.
OF_SAM = {"W9002": "W9001"}


@functools.cache
def runner() -> Runner:
    """Set cfn-lint up once: its rules take half a second to load."""
    return Runner(ConfigMixIn(["--config-file", str(ROOT / ".cfnlintrc")]))


@functools.cache
def own_rules() -> Rules:
    """Pick the project's rules: those of the plugin and of the custom rules."""
    return Rules({name: rule for name, rule in runner().rules.items() if name[1] == "9"})


@functools.cache
def checking() -> Rules:
    """Pick the project's rules, and those that tell that a rule or the translation broke."""
    return Rules({name: runner().rules[name] for name in ("E0001", "E0002", *own_rules())})


def python_rules() -> dict[str, Rule]:
    """Pick the rules that are written in Python, configured as .cfnlintrc says."""
    rules = {name: rule for name, rule in own_rules().items() if isinstance(rule, Rule)}
    for name, rule in rules.items():
        rule.configure(runner().config.configure_rules.get(name))
    return rules


def lint(template: dict[str, Any], rules: Rules | None = None) -> list[Match]:
    """Lint a template by the project's rules, or by those given."""
    # As cfn-lint's decoder gives it, without the detour by YAML.
    decoded = convert_dict(copy.deepcopy(template))
    return list(run_template_by_data(decoded, runner().config, checking() if rules is None else rules))


def found(template: dict[str, Any], rules: Rules | None = None) -> set[str]:
    """Name the rules that report something; those about SAM's own type by the same about Lambda's."""
    return {OF_SAM.get(match.rule.id, match.rule.id) for match in lint(template, rules)}


def found_unexpanded(template: dict[str, Any], *rules: str) -> set[str]:
    """Name the Python rules, of all or those given, that report something where the linter leaves SAM as it is."""
    unexpanded = Linted(None, copy.deepcopy(template))
    return {name for name, rule in python_rules().items() if (not rules or name in rules) and rule.match(unexpanded)}


def messages(template: dict[str, Any], rule: str) -> list[str]:
    return [match.message for match in python_rules()[rule].match(Linted(None, copy.deepcopy(template)))]


def subjects(template: dict[str, Any]) -> dict[str, int]:
    read = Template(template)
    return {name: len(list(rule.subjects(read))) for name, rule in python_rules().items()}


def read(path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    return parsed


def edited(template: dict[str, Any], edit: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    copied = copy.deepcopy(template)
    edit(copied)
    assert copied != template, "the edit changed nothing"
    return copied
