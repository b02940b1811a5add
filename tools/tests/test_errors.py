import pytest

from pipeline.errors import AwsError, StoppedError, standing


def stop(error: BaseException) -> None:
    with standing(lambda: "3 letters were sent"):
        raise error


def test_what_aws_refuses_is_told_with_where_it_stands() -> None:
    with pytest.raises(AwsError, match=r"^AWS denies it\. 3 letters were sent\.$"):
        stop(AwsError("AWS denies it."))


def test_what_it_says_keeps_its_letters() -> None:
    with (
        pytest.raises(AwsError, match=r"^AWS denies it\. Rejected lines are in /tmp/MyData/R\.rejected\.$"),
        standing(lambda: "rejected lines are in /tmp/MyData/R.rejected"),
    ):
        raise AwsError("AWS denies it.")


def test_an_interruption_is_told_with_where_it_stands() -> None:
    with pytest.raises(StoppedError, match=r"^Interrupted: 3 letters were sent\.$"):
        stop(KeyboardInterrupt())


def test_a_fault_of_the_program_stays_one() -> None:
    with pytest.raises(KeyError):
        stop(KeyError("fault"))
