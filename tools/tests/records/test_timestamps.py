import json

import pytest

from pipeline.records.timestamps import lacks_timestamp, stamped


@pytest.mark.parametrize(
    "text", ['{"id": "a", "data": 1.10}', ' {\t"id":"ä"}', "{}", "{ }", '{"n": 12345678901234567890.50}']
)
def test_a_stamp_is_added_and_the_rest_stays_byte_for_byte(text: str) -> None:
    after = stamped(text, 1700)
    assert json.loads(after) == {"timestamp": 1700, **json.loads(text)}
    assert text.strip().removeprefix("{").lstrip() in after


def test_only_an_object_without_a_timestamp_lacks_one() -> None:
    assert lacks_timestamp({"id": "a"})
    assert not lacks_timestamp({"timestamp": None})
    assert not lacks_timestamp([])
    assert not lacks_timestamp("timestamp")


def test_what_is_no_object_can_not_be_stamped() -> None:
    with pytest.raises(ValueError, match="only a JSON object"):
        stamped("[]", 1)
