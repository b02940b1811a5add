import pytest

from pipeline.letters.history import History
from pipeline.letters.selection import Finding, examine

from ..stack.samples import STAGES, envelope, letter, record, stack

VALIDATED = {"valid": True, **record(1)}
ENRICHED = {**record(1), "enriched": True, "enrichedAt": 1, "version": "1.0"}


@pytest.fixture
def history(tmp_path: object) -> History:
    return History(tmp_path / "history")  # type: ignore[operator]


def found(event: object, history: History, *, of: str = "validator", error: str = "it failed") -> Finding:
    return examine(letter(event, of=of, error=error), stack(), history)


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
def test_the_record_is_named_where_it_has_an_id(
    history: History, stage: str, event: object, expected: str | None
) -> None:
    assert found(event, history, of=stage).record_id == expected


@pytest.mark.parametrize("stage", STAGES)
def test_a_letter_of_no_stage_says_why(history: History, stage: str) -> None:
    finding = found("{broken", history, of=stage, error="some error")
    assert (finding.stage_name, finding.reason) == ("unknown", "its body is not JSON")


def test_what_differs_between_letters_of_one_reason_is_left_out(history: History) -> None:
    error = "2026-01-01T00:00:00.123Z 6a3b2f0e-7f5c-4c1d-9a52-0d3e6b1f8c11 Task timed out\nmore"
    assert found(record(1), history, error=error).reason == "... ... Task timed out"


def test_a_letter_is_known_to_be_redriven_by_all_the_invocations_that_led_to_it(history: History) -> None:
    history.add(["before"], "second")
    later = letter(envelope(record(1), VALIDATED, request_id="second"), of="enricher", request_id="third")
    assert examine(later, stack(), history).redriven == 1


def test_a_file_that_could_not_be_read_is_named_by_its_key(history: History) -> None:
    known = stack("validator", "enricher", "processor", "reader", pipeline=STAGES)
    event = {"id": "of S3's event", "detail": {"bucket": {"name": "files"}, "object": {"key": "in/a.jsonl"}}}
    assert examine(letter(event, of="reader"), known, history).record_id == "in/a.jsonl"
    assert examine(letter(event, of="validator"), known, history).record_id == "of S3's event"
