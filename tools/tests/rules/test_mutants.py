"""Mutation proof: each rule catches the template with one edit, alone and beside others.

cfn-lint reports it in the SAM template and in the translated one.
"""

import copy
import itertools
import re

import pytest

from model.project import NAME
from tests.model.translation import translate

from .linting import OF_SAM, edited, found, found_unexpanded, messages, own_rules, python_rules
from .mutation import Edit, Template, drop, filled, put

GRANTED = "ProcessorPolicy.PolicyDocument.Statement"
PUT_ITEM = f"{GRANTED}.dynamodb:PutItem"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:dead-letters"
ALL_BUT = {"Effect": "Allow", "NotAction": ["dynamodb:DeleteTable"], "Resource": [{"Fn::GetAtt": ["DataTable", "Arn"]}]}
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": ["sns:Publish"], "Resource": [{"Ref": "AlarmTopic"}]}
TRUST = {"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole"]}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
RENAMED = {"Fn::Sub": "/aws/lambda/checker-${EnvironmentSuffix}"}
SPELLED = {"Fn::Sub": f"/aws/lambda/{NAME}-validator-${{EnvironmentSuffix}}"}
NEXT = "ValidatorFunction.EventInvokeConfig.DestinationConfig.OnSuccess.Destination"
RECOVERY = "DataTable.PointInTimeRecoverySpecification"

MUTANTS: dict[str, Edit] = {
    "W9001": put("ProcessorFunction.MemorySize", 3008),
    "W9111": put("ProcessorFunction.MemorySize", {"Ref": "LogRetentionDays"}),  # which offers more
    "W9322": drop("EnricherFunction.MemorySize"),
    "W9131": put("DataTable.BillingMode", "PROVISIONED"),
    "E9141": drop("ValidatorFunction.DeadLetterQueue"),
    "E9142": drop("/Resources.DeadLetterAlarm", "/Resources.DeadLetterAgeAlarm"),
    "W9143": drop("/Resources.DeadLetterAlarm"),
    "E9145": put("ValidatorLostLettersAlarm.MetricName", "AsyncEventsDropped"),
    "E9144": put("DeadLetterQueue.MessageRetentionPeriod", 345600),
    "E9151": put(f"{PUT_ITEM}.Action", ["dynamodb:*"]),
    "E9152": put(f"{PUT_ITEM}.Resource", ["*"]),
    "E9153": put("ValidatorFunction.Role", {"Fn::GetAtt": ["EnricherRole", "Arn"]}),
    "E9154": put(PUT_ITEM, ALL_BUT),
    "W9157": put(f"{PUT_ITEM}.Action", ["dynamodb:Put"]),
    "E9158": put("ValidatorRole.AssumeRolePolicyDocument.Statement.0", TRUST),
    "W9156": put("ValidatorRole.ManagedPolicyArns", [BASIC]),
    "W9161": drop("DataTable.Tags.CostCenter"),
    "E9172": put("ValidatorLogGroup.LogGroupName", RENAMED),
    "E9171": put("ValidatorFunction.LoggingConfig.LogGroup", "/aws/lambda/validator"),
    "E9003": drop("ProcessorLogGroup.RetentionInDays"),
    "E9173": drop(f"{GRANTED}.logs:PutLogEvents"),
    "W9181": drop("ProcessorFunction.ProvisionedConcurrencyConfig"),
    "E9182": put(NEXT, {"Fn::GetAtt": ["EnricherFunction", "Arn"]}),
    "E9191": drop("EnricherFunction.EventInvokeConfig"),
    "E9192": drop(f"{GRANTED}.sqs:SendMessage"),
    "E9201": put("ProcessorFunction.Environment.Variables.TABLE_NAME", "DataTable"),
    "E9202": put("ValidatorFunction.LoggingConfig.LogGroup", SPELLED),
    "E9203": put("ValidatorFunction.DeadLetterQueue.TargetArn", QUEUE),
    "E9004": drop(RECOVERY),
    "E9005": put(f"{RECOVERY}.PointInTimeRecoveryEnabled", False),
    "E9006": drop("DataTable.SSESpecification"),
    "E9010": put("DataTable.SSESpecification.SSEEnabled", False),
    "E9011": drop("DataTable.DeletionProtectionEnabled"),
    "E9301": drop("/Resources.DataTable.DeletionPolicy"),
    "E9302": drop("/Resources.FilesStoragePolicy"),
    "E9303": drop("DeadLetterQueue.SqsManagedSseEnabled"),
    "E9304": put("FilesStorage.PublicAccessBlockConfiguration", {}),
    "E9311": put("DeadLetterAlarm.Dimensions.QueueName.Name", "Queue"),
    "E9007": drop("DeadLetterAlarm.TreatMissingData"),
    "W9312": drop("ValidatorLostLettersAlarm.AlarmActions"),
    "E9155": put("AlarmTopicPolicy.PolicyDocument.Statement.0", ANYBODY),
    "E9313": filled("ValidatorLostLettersAlarm"),
    "E9008": put("EnricherFunction.Tracing", "PassThrough"),
    "E9009": drop("EnricherFunction.Tracing"),
}
# Mutants that disturb each other: no two of a line go into one template.
APART = [
    ["E9151", "E9152", "E9154", "W9157"],
    ["W9111", "W9001"],
    ["E9313", "E9142", "E9145", "W9143"],
    ["E9203", "E9141"],
    ["E9171", "E9202"],
    ["E9004", "E9005"],
    ["E9006", "E9010"],
    ["E9008", "E9009"],
]
TOGETHER = [set(filter(None, row)) for row in itertools.zip_longest(*APART)]
TOGETHER[0] |= set(MUTANTS) - set().union(*TOGETHER)


@pytest.mark.parametrize("rule", sorted(set(MUTANTS) & set(python_rules())))
def test_a_rule_catches_its_mutant(rule: str, committed: Template) -> None:
    told = messages(edited(committed, MUTANTS[rule]), rule)
    assert told
    assert all(re.fullmatch(r"[^$]+ should .+ \(got [^$].*\)", message) for message in told)


@pytest.mark.parametrize("rules", TOGETHER)
def test_cfn_lint_reports_mutants_in_the_template_and_in_the_translated_one(
    rules: set[str], committed: Template
) -> None:
    broken = copy.deepcopy(committed)
    for rule in rules:
        MUTANTS[rule](broken)
    assert rules <= found(broken)
    assert rules <= found(translate(broken))


def test_a_gradual_deployment_without_alarms_is_caught(committed: Template) -> None:
    gradual = edited(committed, put("/Parameters.GradualDeployment.Default", "true"))
    assert "E9321" not in found_unexpanded(gradual, "E9321")
    assert "E9321" in found_unexpanded(edited(gradual, drop("ValidatorFunction.DeploymentPreference.Alarms")), "E9321")


def test_every_rule_catches_a_mutant_but_those_that_one_edit_of_this_template_cannot_break() -> None:
    elsewhere = {
        *OF_SAM,  # counted as the same about Lambda's type
        "W9121",  # each function has a role and a log group: two edits
        "E9193",  # SAM itself qualifies the settings by the alias
        "E9321",  # its default is at once
    }
    assert set(own_rules()) - set(MUTANTS) == elsewhere
