import pytest

from pipeline.letters.selection import Finding, examine

from ..stack.samples import STAGES, envelope, letter, record, stack

VALIDATED = {"valid": True, **record(1)}
ENRICHED = {**record(1), "enriched": True, "enrichedAt": 1, "version": "1.0"}


def found(event: object, *, of: str = "validator", error: str = "it failed") -> Finding:
    return examine(letter(event, of=of, error=error), stack())


@pytest.mark.parametrize(
    ("stage", "event", "expected"),
    [
        ("validator", record(1), "r-1"),
        ("enricher", envelope(record(1), VALIDATED), "r-1"),
        ("processor", envelope(envelope(record(1), VALIDATED), ENRICHED, stage="enricher"), "r-1"),
        ("enricher", envelope(record(1), None), "r-1"),
        ("enricher", record(1), "r-1"),
        ("processor", envelope(record(1), VALIDATED), "r-1"),
        ("validator", {"id": 7}, None),
        ("validator", "order", None),
    ],
)
def test_the_record_is_named_where_it_has_an_id(stage: str, event: object, expected: str | None) -> None:
    assert found(event, of=stage).record_id == expected


@pytest.mark.parametrize("stage", STAGES)
def test_a_letter_of_no_stage_says_why(stage: str) -> None:
    finding = found("{broken", of=stage, error="some error")
    assert (finding.stage_name, finding.reason) == ("unknown", "its body is not JSON")


def test_what_differs_between_letters_of_one_reason_is_left_out() -> None:
    error = "2026-01-01T00:00:00.123Z 6a3b2f0e-7f5c-4c1d-9a52-0d3e6b1f8c11 Task timed out\nmore"
    assert found(record(1), error=error).reason == "... ... Task timed out"


def test_a_file_that_could_not_be_read_is_named_by_its_key() -> None:
    known = stack("validator", "enricher", "processor", "reader", pipeline=STAGES)
    event = {"id": "of S3's event", "detail": {"bucket": {"name": "files"}, "object": {"key": "in/a.jsonl"}}}
    assert examine(letter(event, of="reader"), known).record_id == "in/a.jsonl"
    assert examine(letter(event, of="validator"), known).record_id == "of S3's event"
