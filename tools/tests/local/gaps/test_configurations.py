"""Settings of asynchronous invocation, from outside: what is refused when it is set, and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deployed import DeployedStack
from tools.tests.local.lambdas import Lab, package

DENIED = "The provided execution role does not have permissions to call SendMessage on SQS"


@pytest.fixture
def lab(stack: DeployedStack) -> Lab:
    return Lab(stack)


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """Return the code and the message with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def destination(arn: str, kind: str = "OnSuccess") -> dict[str, Any]:
    return {"DestinationConfig": {kind: {"Destination": arn}}}


# Dead-letter targets


def create(lab: Lab, target: str, *actions: str) -> dict[str, Any]:
    return {
        "FunctionName": "refused",
        "Runtime": "python3.13",
        "Handler": "f.handler",
        "Code": {"ZipFile": package("")},
        "Role": lab.role(*actions),
        "DeadLetterConfig": {"TargetArn": target},
    }


def test_a_role_that_may_not_send_to_the_dead_letter_queue_is_refused(lab: Lab) -> None:
    _, target = lab.queue()
    expected = "InvalidParameterValueException", DENIED
    assert refusal(lab.client().create_function, **create(lab, target)) == expected
    name = lab.function()
    update = lab.client().update_function_configuration
    assert refusal(update, FunctionName=name, DeadLetterConfig={"TargetArn": target}) == expected
    assert "DeadLetterConfig" not in lab.client().get_function_configuration(FunctionName=name)


@pytest.mark.parametrize(
    ("suffix", "sentence"),
    [
        (".fifo", "Invalid dead letter queue ARN: FIFO queue is not supported for dead letter configuration"),
        ("-gone", "Invalid dead letter queue ARN: "),
    ],
)
def test_a_fifo_queue_and_one_that_is_not_there_are_refused(lab: Lab, suffix: str, sentence: str) -> None:
    _, target = lab.queue(".fifo", FifoQueue="true") if suffix == ".fifo" else lab.queue()
    target = target if suffix == ".fifo" else target + suffix
    code, message = refusal(lab.client().create_function, **create(lab, target, "sqs:SendMessage"))
    assert (code, message.startswith(sentence)) == ("InvalidParameterValueException", True)


def test_a_topic_is_refused_where_it_is_set(lab: Lab) -> None:
    topic = lab.client("sns").create_topic(Name="letters")["TopicArn"]
    name = lab.function()
    update = lab.client().update_function_configuration
    for code, message in (
        refusal(lab.client().create_function, **create(lab, topic, "sns:Publish")),
        refusal(update, FunctionName=name, DeadLetterConfig={"TargetArn": topic}),
        refusal(lab.client().put_function_event_invoke_config, FunctionName=name, **destination(topic)),
    ):
        assert code == "InvalidParameterValueException"
        assert "delivers to Lambda functions and SQS queues only" in message


def test_an_empty_dead_letter_config_keeps_the_target_and_an_empty_target_takes_it_away(lab: Lab) -> None:
    _, target = lab.queue()
    name = lab.function("x = 1", "sqs:SendMessage", DeadLetterConfig={"TargetArn": target})
    client = lab.client()
    client.update_function_configuration(FunctionName=name, DeadLetterConfig={}, Timeout=7)
    kept = client.get_function_configuration(FunctionName=name)
    assert (kept["DeadLetterConfig"], kept["Timeout"]) == ({"TargetArn": target}, 7)
    client.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": ""})
    assert not client.get_function_configuration(FunctionName=name).get("DeadLetterConfig", {}).get("TargetArn")


# Destinations


@pytest.mark.parametrize("kind", ["OnSuccess", "OnFailure"])
def test_a_role_that_may_not_send_to_the_destination_is_refused(lab: Lab, kind: str) -> None:
    _, queue = lab.queue()
    name, other = lab.function(), lab.published()
    function = f"arn:aws:lambda:us-east-1:000000000000:function:{other}:live"
    put = lab.client().put_function_event_invoke_config
    for arn, call in ((queue, "SendMessage"), (function, "InvokeFunction")):
        sentence = f"The function's execution role does not have permissions to call {call} on {arn}"
        assert refusal(put, FunctionName=name, **destination(arn, kind)) == ("InvalidParameterValueException", sentence)


def test_a_destination_that_is_the_function_itself_or_is_not_there_or_is_a_fifo_queue_is_refused(lab: Lab) -> None:
    name = lab.function("x = 1", "lambda:InvokeFunction", "sqs:SendMessage")
    _, queue = lab.queue()
    _, fifo = lab.queue(".fifo", FifoQueue="true")
    own = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    put = lab.client().put_function_event_invoke_config
    itself = "You can't specify the function as a destination for itself."
    assert refusal(put, FunctionName=name, **destination(own)) == ("InvalidParameterValueException", itself)
    for arn in (f"{own}-gone", f"{queue}-gone", fifo):
        sentence = f"The destination ARN {arn} is invalid."
        assert refusal(put, FunctionName=name, **destination(arn)) == ("InvalidParameterValueException", sentence)


@pytest.mark.parametrize(
    ("name", "value", "place", "most"),
    [
        ("MaximumRetryAttempts", 3, "maximumRetryAttempts", 2),
        ("MaximumEventAgeInSeconds", 21601, "maximumEventAgeInSeconds", 21600),
    ],
)
def test_a_number_beyond_the_limit_is_lambdas_sentence(lab: Lab, name: str, value: int, place: str, most: int) -> None:
    put = lab.client().put_function_event_invoke_config
    assert refusal(put, FunctionName=lab.function(), **{name: value}) == (
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: "
        f"Member must have value less than or equal to {most}",
    )


def test_a_fifo_topic_is_refused_in_words_of_its_own(lab: Lab) -> None:
    topic = lab.client("sns").create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    letters = "Invalid dead letter queue ARN: FIFO topic is not supported for dead letter configuration"
    assert refusal(lab.client().create_function, **create(lab, topic, "sns:Publish"))[1] == letters
    put = lab.client().put_function_event_invoke_config
    sentence = "FIFO-type Amazon SNS topics aren't supported as a destination."
    assert refusal(put, FunctionName=lab.function(), **destination(topic))[1] == sentence


# Settings


def settings(answer: dict[str, Any]) -> dict[str, Any]:
    wanted = ("FunctionArn", "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    return {name: answer.get(name) for name in wanted}


def test_settings_are_answered_with_their_defaults_and_updated_by_what_is_named_alone(lab: Lab) -> None:
    name = lab.published("x = 1", "sqs:SendMessage")
    _, queue = lab.queue()
    client, which = lab.client(), {"FunctionName": name, "Qualifier": "live"}
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}:live"
    put = client.put_function_event_invoke_config(**which, MaximumRetryAttempts=1)
    assert settings(put) == {
        "FunctionArn": arn,
        "MaximumRetryAttempts": 1,
        "MaximumEventAgeInSeconds": 21600,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
    }
    client.update_function_event_invoke_config(**which, **destination(queue))
    updated = client.update_function_event_invoke_config(**which, MaximumEventAgeInSeconds=60)
    assert settings(updated) == settings(client.get_function_event_invoke_config(**which))
    assert settings(updated) == {
        "FunctionArn": arn,
        "MaximumRetryAttempts": 1,
        "MaximumEventAgeInSeconds": 60,
        **destination(queue),
    }
    put = client.put_function_event_invoke_config(**which, MaximumEventAgeInSeconds=70)
    assert (put["MaximumRetryAttempts"], put["DestinationConfig"]) == (2, {"OnSuccess": {}, "OnFailure": {}})


def test_there_is_nothing_to_update_where_nothing_was_put(lab: Lab) -> None:
    name = lab.published()
    code, message = refusal(
        lab.client().update_function_event_invoke_config, FunctionName=name, Qualifier="live", MaximumRetryAttempts=0
    )
    assert code == "ResourceNotFoundException"
    assert message.endswith(f":function:{name}:live doesn't have an EventInvokeConfig")


@pytest.mark.parametrize(("put", "got"), [({}, {"Qualifier": "$LATEST"}), ({"Qualifier": "$LATEST"}, {})])
def test_settings_without_a_qualifier_are_those_of_latest(lab: Lab, put: Any, got: Any) -> None:
    name, client = lab.function("def handler(e, c): raise ValueError"), lab.client()
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0, **put)
    found = client.get_function_event_invoke_config(FunctionName=name, **got)
    assert found["FunctionArn"].endswith(f":{name}:$LATEST")
    lab.send(name)
    lab.send(f"{name}:$LATEST")
    assert lab.stack.drain()["functions"][name]["FUNCTION_ERROR"] == 2
    client.delete_function_event_invoke_config(FunctionName=name, **got)
    assert refusal(client.get_function_event_invoke_config, FunctionName=name)[0] == "ResourceNotFoundException"


def test_ministack_alone_still_keeps_two_settings_and_updates_none(bare: Callable[..., Any]) -> None:
    """When this fails, look what of `local/gaps/configurations.py` MiniStack does by itself."""
    client = bare("lambda")
    role = bare("iam").create_role(RoleName="settings", AssumeRolePolicyDocument='{"Statement": []}')["Role"]["Arn"]
    client.create_function(FunctionName="settings", Runtime="python3.13", Handler="f.handler", Role=role,
                           Code={"ZipFile": package("x = 1")})  # fmt: skip
    client.put_function_event_invoke_config(FunctionName="settings", MaximumRetryAttempts=3)
    get = client.get_function_event_invoke_config
    assert refusal(get, FunctionName="settings", Qualifier="$LATEST")[0] == "ResourceNotFoundException"
    with pytest.raises(ClientError):
        client.update_function_event_invoke_config(FunctionName="settings", MaximumRetryAttempts=1)
    queue = bare("sqs").create_queue(QueueName="settings")["QueueUrl"]
    arn = bare("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client.put_function_event_invoke_config(FunctionName="settings", **destination(arn))
    client.update_function_configuration(FunctionName="settings", DeadLetterConfig={"TargetArn": arn})
