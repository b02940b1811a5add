"""Records to measure with: of the size that is said, no two alike, in Lambda's envelope."""

from __future__ import annotations

import json

import pytest

from bench.harness.records import enveloped, sized
from record import unwrap


@pytest.mark.parametrize("index", [0, 999, 19_999])
def test_a_record_has_250_bytes(index: int) -> None:
    assert len(json.dumps(sized(index))) == pytest.approx(250, abs=3)


def test_no_two_records_have_one_key() -> None:
    assert len({(record["id"], record["timestamp"]) for record in map(sized, range(1000))}) == 1000


def test_an_envelope_is_what_a_stage_takes_for_lambdas() -> None:
    assert unwrap(enveloped(sized(0), {"id": "the answer"})) == {"id": "the answer"}
