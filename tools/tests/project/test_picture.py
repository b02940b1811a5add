"""The committed picture of a run, which is of the sample's records."""

from __future__ import annotations

import html
import json
import re

from tools.tests.copies import ROOT


def test_the_committed_picture_is_of_the_samples() -> None:
    svg = (ROOT / "docs/run.svg").read_text("utf-8")
    shown = html.unescape(re.sub(r"<[^>]+>", "\n", svg)).replace("\xa0", " ")
    samples = [json.loads(line) for line in (ROOT / "events/records.jsonl").read_text("utf-8").splitlines()]
    ids = [sample["id"] for sample in samples if isinstance(sample, dict) and isinstance(sample.get("id"), str)]
    assert [found for found in ids if found not in shown] == []
    assert f"{len(samples)} submitted: " in shown
    assert ", 0 lost; 0 refused." in shown
