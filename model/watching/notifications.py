"""Whom the alarms tell: a topic of the stack's own that sends e-mail, a topic that exists already, both or neither."""

from awacs import sns
from awacs.aws import ArnLike
from troposphere import AWSHelperFn, Ref, Sub
from troposphere.sns import SubscriptionResource, Topic, TopicPolicy

from model import parameters, policy

from ..conditions import EMAILS_ALARMS, HAS_ALARM_TOPIC, HAS_KEY, when

TOPIC = "AlarmTopic"


def notifications() -> tuple[Topic, TopicPolicy, SubscriptionResource]:
    """Send the alarms to the e-mail address, where there is one.

    Without a key of the user's the topic is not encrypted: CloudWatch may not use the key `alias/aws/sns`, and no
    alarm would arrive (https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger).
    """
    topic = Topic(TOPIC, Condition=EMAILS_ALARMS, KmsMasterKeyId=when(HAS_KEY, Ref(parameters.KMS_KEY_ARN)))
    alarms = Sub("arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*")
    access = policy.document(
        policy.allow_service("cloudwatch", sns.Publish, on=Ref(topic), whose=ArnLike({"aws:SourceArn": alarms})),
        policy.deny_plain_http(sns.Publish, on=Ref(topic)),
    )
    return (
        topic,
        TopicPolicy("AlarmTopicPolicy", Condition=EMAILS_ALARMS, Topics=[Ref(topic)], PolicyDocument=access),
        SubscriptionResource(
            "AlarmSubscription",
            Condition=EMAILS_ALARMS,
            TopicArn=Ref(topic),
            Protocol="email",
            Endpoint=Ref(parameters.ALARM_EMAIL),
        ),
    )


def actions() -> list[AWSHelperFn]:
    """Name the topics that an alarm tells when it goes on, and again when it is over."""
    return [when(EMAILS_ALARMS, Ref(TOPIC)), when(HAS_ALARM_TOPIC, Ref(parameters.ALARM_TOPIC_ARN))]
