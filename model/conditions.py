"""What follows from the parameters: which resources and properties there are."""

from typing import Any

from troposphere import And, AWSHelperFn, Condition, Equals, If, Not, NoValue, Or, Parameter, Ref

from . import parameters


def _given(parameter: Parameter, nothing: str | int = "") -> AWSHelperFn:
    return Not(Equals(Ref(parameter), nothing))


def _true(parameter: Parameter) -> AWSHelperFn:
    return Equals(Ref(parameter), "true")


PROCESSOR_IS_PROVISIONED = "ProcessorIsProvisioned"
PROCESSOR_SCALES = "ProcessorScales"
PROCESSOR_IS_RESERVED = "ProcessorIsReserved"
CONCURRENCY_IS_RESERVED = "ConcurrencyIsReserved"
DEPLOYS_GRADUALLY = "DeploysGradually"
EMAILS_ALARMS = "EmailsAlarms"
HAS_ALARM_TOPIC = "HasAlarmTopic"
IS_WATCHED = "IsWatched"
PROCESSOR_IS_WATCHED = "ProcessorIsWatched"
HAS_KEY = "HasKey"
DATA_IS_PROTECTED = "DataIsProtected"

ALL = {
    # 0 is no valid concurrency, provisioned or reserved: the property has to be absent.
    PROCESSOR_IS_PROVISIONED: _given(parameters.PROCESSOR_PROVISIONED_CONCURRENCY, 0),
    # CloudFormation cannot compare numbers. A maximum below the minimum is refused by Application Auto Scaling.
    PROCESSOR_SCALES: And(
        Condition(PROCESSOR_IS_PROVISIONED),
        _given(parameters.PROCESSOR_PROVISIONED_CONCURRENCY_MAXIMUM, 0),
        Not(
            Equals(
                Ref(parameters.PROCESSOR_PROVISIONED_CONCURRENCY_MAXIMUM),
                Ref(parameters.PROCESSOR_PROVISIONED_CONCURRENCY),
            )
        ),
    ),
    PROCESSOR_IS_RESERVED: _given(parameters.PROCESSOR_RESERVED_CONCURRENCY, 0),
    CONCURRENCY_IS_RESERVED: _given(parameters.RESERVED_CONCURRENCY, 0),
    DEPLOYS_GRADUALLY: _true(parameters.GRADUAL_DEPLOYMENT),
    EMAILS_ALARMS: _given(parameters.ALARM_EMAIL),
    HAS_ALARM_TOPIC: _given(parameters.ALARM_TOPIC_ARN),
    # Alarms cost money: beyond the one on dead letters there are some where they tell somebody or undo a deployment.
    IS_WATCHED: Or(Condition(EMAILS_ALARMS), Condition(HAS_ALARM_TOPIC), Condition(DEPLOYS_GRADUALLY)),
    PROCESSOR_IS_WATCHED: And(Condition(PROCESSOR_IS_PROVISIONED), Condition(IS_WATCHED)),
    HAS_KEY: _given(parameters.KMS_KEY_ARN),
    DATA_IS_PROTECTED: _true(parameters.PROTECT_DATA),
}


def when(condition: str, value: Any, otherwise: Any = NoValue) -> AWSHelperFn:
    """Choose a property's value by a condition; without one the property is absent."""
    return If(condition, value, otherwise)
