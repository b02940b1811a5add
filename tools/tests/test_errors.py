import pytest

from pipeline.errors import AwsError, CommandError, StoppedError, standing


def stop(error: BaseException, *, at_a_lock: bool = False) -> None:
    with standing(lambda: "3 letters were sent"):
        try:
            raise error
        finally:
            if at_a_lock:
                raise RuntimeError("release unlocked lock")


def test_what_aws_refuses_is_told_with_where_it_stands() -> None:
    with pytest.raises(AwsError, match=r"^AWS denies it\. 3 letters were sent\.$"):
        stop(AwsError("AWS denies it."))


def test_what_it_says_keeps_its_letters() -> None:
    with (
        pytest.raises(AwsError, match=r"^AWS denies it\. Rejected lines are in /tmp/MyData/R\.rejected\.$"),
        standing(lambda: "rejected lines are in /tmp/MyData/R.rejected"),
    ):
        raise AwsError("AWS denies it.")


@pytest.mark.parametrize("at_a_lock", [False, True])
def test_an_interruption_is_told_with_where_it_stands_wherever_it_came(at_a_lock: bool) -> None:
    with pytest.raises(StoppedError, match=r"^Interrupted: 3 letters were sent\.$"):
        stop(KeyboardInterrupt(), at_a_lock=at_a_lock)


@pytest.mark.parametrize("at_a_lock", [False, True])
def test_a_fault_of_the_program_stays_one(at_a_lock: bool) -> None:
    with pytest.raises((KeyError, RuntimeError)) as raised:
        stop(KeyError("fault"), at_a_lock=at_a_lock)
    assert not isinstance(raised.value, CommandError)
