"""Mutation proof: the template with one edit, and the rule that catches it.

A rule has to catch its mutant in the SAM template, in the translated one, and where the linter leaves SAM as it is.
"""

import re
from typing import NamedTuple

import pytest

from model.project import NAME
from tests.model.translation import translate

from .linting import OF_SAM, edited, found, found_unexpanded, lint, own_rules, picked, python_rules, rule_of, runner
from .mutation import Edit, Template, add, both, bucket, drop, filled, granted, point_at, put, trust

ARN = "arn:aws:sqs:us-east-1:123456789012:dead-letters"


class Mutant(NamedTuple):
    """One edit of the template, and the rule that catches it."""

    name: str
    edit: Edit
    rule: str


MUTANTS = [
    # 1: memory
    Mutant("3008 MB", put("ProcessorFunction.MemorySize", 3008), "W9001"),
    Mutant(
        "memory by a parameter that offers too much",
        point_at("ProcessorFunction.MemorySize", "LogRetentionDays"),
        "W9111",
    ),
    Mutant("memory left to Lambda", drop("EnricherFunction.MemorySize"), "W9322"),
    # 3: capacity
    Mutant("provisioned capacity", put("DataTable.BillingMode", "PROVISIONED"), "W9131"),
    # 4: dead letters
    Mutant("no dead-letter queue", drop("ValidatorFunction.DeadLetterQueue"), "E9141"),
    Mutant(
        "no alarm on the dead letters",
        both(drop("/Resources.DeadLetterAlarm"), drop("/Resources.DeadLetterAgeAlarm")),
        "E9142",
    ),
    Mutant("no alarm but on letters that stay", drop("/Resources.DeadLetterAlarm"), "W9143"),
    Mutant(
        "an alarm for every letter, on losses",
        put("ValidatorLostLettersAlarm.MetricName", "AsyncEventsDropped"),
        "E9145",
    ),
    Mutant("letters kept for four days", put("DeadLetterQueue.MessageRetentionPeriod", 345600), "E9144"),
    # 5: permissions
    Mutant("wildcard action", put(f"{granted('Processor')}.dynamodb:PutItem.Action", ["dynamodb:*"]), "E9151"),
    Mutant("wildcard resource", put(f"{granted('Processor')}.dynamodb:PutItem.Resource", ["*"]), "E9152"),
    Mutant("two functions with one role", point_at("ValidatorFunction.Role", "EnricherRole", "Arn"), "E9153"),
    Mutant(
        "all actions but one",
        put(
            f"{granted('Processor')}.dynamodb:PutItem",
            {
                "Effect": "Allow",
                "NotAction": ["dynamodb:DeleteTable"],
                "Resource": [{"Fn::GetAtt": ["DataTable", "Arn"]}],
            },
        ),
        "E9154",
    ),
    Mutant("an action misspelled", put(f"{granted('Processor')}.dynamodb:PutItem.Action", ["dynamodb:Put"]), "W9157"),
    Mutant("a role that anybody may assume", trust("*"), "E9158"),
    Mutant(
        "AWS's own policy beside",
        add("ValidatorRole.ManagedPolicyArns", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"),
        "W9156",
    ),
    # 6: tags
    Mutant("tag missing on the table", drop("DataTable.Tags.CostCenter"), "W9161"),
    # 7: logs
    Mutant(
        "a log group renamed",
        put("ValidatorLogGroup.LogGroupName", {"Fn::Sub": "/aws/lambda/checker-${EnvironmentSuffix}"}),
        "E9172",
    ),
    Mutant(
        "a log group outside the template",
        put("ValidatorFunction.LoggingConfig.LogGroup", "/aws/lambda/validator"),
        "E9171",
    ),
    Mutant("logs kept for ever", drop("ProcessorLogGroup.RetentionInDays"), "E9003"),
    Mutant("no right to write logs", drop(f"{granted('Processor')}.logs:PutLogEvents"), "E9173"),
    # 8: cold starts
    Mutant("no provisioned concurrency", drop("ProcessorFunction.ProvisionedConcurrencyConfig"), "W9181"),
    Mutant(
        "destination to an unqualified ARN",
        point_at(
            "ValidatorFunction.EventInvokeConfig.DestinationConfig.OnSuccess.Destination", "EnricherFunction", "Arn"
        ),
        "E9182",
    ),
    # 9: events
    Mutant("no retry settings", drop("EnricherFunction.EventInvokeConfig"), "E9191"),
    Mutant("dead-letter permission missing", drop(f"{granted('Enricher')}.sqs:SendMessage"), "E9192"),
    # 10: references
    Mutant("a logical id as text", put("ProcessorFunction.Environment.Variables.TABLE_NAME", "DataTable"), "E9201"),
    Mutant(
        "a name spelled again",
        put(
            "ValidatorFunction.LoggingConfig.LogGroup",
            {"Fn::Sub": f"/aws/lambda/{NAME}-validator-${{EnvironmentSuffix}}"},
        ),
        "E9202",
    ),
    Mutant("a queue by its account's number", put("ValidatorFunction.DeadLetterQueue.TargetArn", ARN), "E9203"),
    # what holds data
    Mutant(
        "point-in-time recovery off",
        put("DataTable.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", False),
        "E9005",
    ),
    Mutant("no point-in-time recovery", drop("DataTable.PointInTimeRecoverySpecification"), "E9004"),
    Mutant("encryption off", put("DataTable.SSESpecification.SSEEnabled", False), "E9010"),
    Mutant("no encryption", drop("DataTable.SSESpecification"), "E9006"),
    Mutant("no deletion protection", drop("DataTable.DeletionProtectionEnabled"), "E9011"),
    Mutant("table deleted with the stack", drop("/Resources.DataTable.DeletionPolicy"), "E9301"),
    Mutant("bucket that does not block the public", bucket(PublicAccessBlockConfiguration={}), "E9304"),
    Mutant("bucket that takes plain HTTP", both(bucket(), drop("/Resources.FilesPolicy")), "E9302"),
    # alarms
    Mutant("wrong alarm dimension", put("DeadLetterAlarm.Dimensions.QueueName.Name", "Queue"), "E9311"),
    Mutant("alarm without missing-data treatment", drop("DeadLetterAlarm.TreatMissingData"), "E9007"),
    Mutant("an alarm that notifies nobody", drop("ValidatorLostLettersAlarm.AlarmActions"), "W9312"),
    Mutant(
        "a topic that anybody may publish to",
        put(
            "AlarmTopicPolicy.PolicyDocument.Statement.0",
            {"Effect": "Allow", "Principal": "*", "Action": ["sns:Publish"], "Resource": [{"Ref": "AlarmTopic"}]},
        ),
        "E9155",
    ),
    Mutant("an alarm on losses that are filled in", filled("ValidatorLostLettersAlarm"), "E9313"),
    Mutant(
        "a gradual deployment without alarms",
        both(
            put("/Parameters.GradualDeployment.Default", "true"), drop("ValidatorFunction.DeploymentPreference.Alarms")
        ),
        "E9321",
    ),
    # publishing, parameters, names
    Mutant("no traces", put("EnricherFunction.Tracing", "PassThrough"), "E9008"),
    Mutant("tracing left to Lambda", drop("EnricherFunction.Tracing"), "E9009"),
    Mutant("a runtime that AWS has retired", put("EnricherFunction.Runtime", "python3.6"), "E2533"),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_rule_catches_as_sam_translated_and_where_the_linter_leaves_sam_as_it_is(
    mutant: Mutant, committed: Template
) -> None:
    broken = edited(committed, mutant.edit)
    own = mutant.rule in own_rules()
    rules = picked(mutant.rule) if own else runner().rules  # cfn-lint's own rules depend on each other
    messages = [match.message for match in lint(broken, rules) if rule_of(match) == mutant.rule]
    assert messages
    assert not own or mutant.rule in found(translate(broken), rules)
    if mutant.rule in python_rules():
        assert all(re.fullmatch(r"[^$]+ should .+ \(got [^$].*\)", message) for message in messages)
        assert mutant.rule in found_unexpanded(broken, mutant.rule)


def test_every_rule_catches_a_mutant_but_those_that_one_edit_of_this_template_cannot_break() -> None:
    elsewhere = {
        *OF_SAM,  # counted as the same about Lambda's type
        "W9121",  # each function has a role and a log group: two edits
        "E9193",  # SAM itself qualifies the settings by the alias
        "E9303",  # its encryption is conditional: two edits
    }
    assert set(own_rules()) - {mutant.rule for mutant in MUTANTS} == elsewhere
