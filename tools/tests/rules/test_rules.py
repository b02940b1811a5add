"""Each rule says what it is, where that is documented, and what it looked at in the committed template."""

import re
from typing import Any

import pytest

from pipeline.rules import RULES
from pipeline.rules.dead_letters import NoDeadLetters
from pipeline.rules.upkeep import MissingTags

from .linting import edited, found, lint, python_rules, runner, subjects

# What the committed template has nothing of: tested on mutants.
NOTHING_OF = {"W9111", "E9321"}


@pytest.fixture(scope="module")
def looked_at(committed: dict[str, Any]) -> dict[str, int]:
    return subjects(committed)


def test_cfn_lint_loads_every_rule_that_the_package_has() -> None:
    assert {rule.id for rule in RULES} == set(python_rules())
    assert len(RULES) == 46


def test_a_rule_says_in_one_sentence_what_it_is_and_links_to_its_reason() -> None:
    for rule in python_rules().values():
        assert re.fullmatch(r"[EW]9[0123]\d\d", rule.id)
        for sentence in (rule.shortdesc, rule.description):
            assert re.fullmatch(r"[A-Z][^\n]{20,150}[^.\s]", sentence), rule.id
        assert rule.source_url.startswith("https://docs.aws.amazon.com/")


def test_a_rule_finds_something_to_look_at(looked_at: dict[str, int]) -> None:
    assert {name for name, count in looked_at.items() if not count} == NOTHING_OF
    assert looked_at["E9201"] >= 500


def test_the_rules_find_as_much_once_translated(
    looked_at: dict[str, int], committed_translated: dict[str, Any]
) -> None:
    assert subjects(committed_translated) == looked_at


def test_the_translated_template_has_no_findings(committed_translated: dict[str, Any]) -> None:
    assert found(committed_translated) == set()


def test_the_thresholds_can_be_set_as_cfn_lint_sets_them() -> None:
    for rule in python_rules().values():
        assert set(rule.config) == set(rule.settings)
    rule = MissingTags()
    rule.configure({"required_tags": ["Team"], "exempt_types": []})
    assert rule.config["required_tags"] == ["Team"]


def test_the_configuration_names_only_rules_and_settings_that_there_are() -> None:
    configured = runner().config.configure_rules
    assert len(configured) == 4
    for name, settings in configured.items():
        assert set(settings) <= set(python_rules()[name].settings)


def test_a_rule_that_breaks_is_no_silence(committed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(NoDeadLetters, "subjects", broken)
    assert found(committed) == {"E0002"}


def test_a_finding_can_be_suppressed_on_one_resource(committed: dict[str, Any]) -> None:
    def without_dead_letters(template: dict[str, Any]) -> None:
        for stage in ("Validator", "Enricher"):
            del template["Resources"][f"{stage}Function"]["Properties"]["DeadLetterQueue"]

    def suppressed(template: dict[str, Any]) -> None:
        ignored = {"cfn-lint": {"config": {"ignore_checks": ["E9141"]}}}
        template["Resources"]["ValidatorFunction"]["Metadata"] = ignored

    messages = {match.message.split()[0] for match in lint(edited(committed, without_dead_letters))}
    assert messages == {"ValidatorFunction", "EnricherFunction"}
    left = lint(edited(edited(committed, without_dead_letters), suppressed))
    assert {match.message.split()[0] for match in left} == {"EnricherFunction"}
