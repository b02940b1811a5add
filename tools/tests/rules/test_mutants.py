"""Mutation proof: template.yaml with one edit, and what catches it.

Each mutant names its catcher: a rule by its id, or a test of the template, which is called with the mutant. A rule has
to catch one in the SAM template, in the translated one, and where the linter leaves SAM as it is.
"""

import functools
import inspect
import json
import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
from cfnlint.rules import Rules

from model.project import NAME
from tests.model import test_combinations, test_parameters, test_stack, test_tags
from tests.model.resolution import resolve
from tests.model.stages import test_function
from tests.model.translation import of_type, translate
from tests.model.watching import test_alarms, test_dashboard, test_failures

from . import test_template
from .linting import OF_SAM, edited, found, found_unexpanded, lint, own_rules, picked, python_rules, rule_of, runner
from .mutation import GITHUB, Edit, Template, add, both, bucket, drop, filled, granted, point_at, put, trust

Check = Callable[..., None]

ARN = "arn:aws:sqs:us-east-1:123456789012:dead-letters"
SIZED = test_function.test_each_stage_has_its_size_its_retries_and_its_successor
VALIDATOR = functools.partial(SIZED, stage="Validator", memory=512, retries=0)
ENRICHER = functools.partial(SIZED, stage="Enricher", memory=768, retries=2)
LOGGED = functools.partial(test_function.test_the_log_group_is_bound_by_the_logging_configuration, title="Validator")


class Mutant(NamedTuple):
    """One edit of the template, and what is to catch it."""

    name: str
    edit: Edit
    catcher: str | Check


MUTANTS = [
    # 1: memory
    Mutant("3008 MB", put("ProcessorFunction.MemorySize", 3008), "W9001"),
    Mutant(
        "memory by a parameter that offers too much",
        point_at("ProcessorFunction.MemorySize", "LogRetentionDays"),
        "W9111",
    ),
    Mutant("another size than measured", put("EnricherFunction.MemorySize", 512), ENRICHER),
    Mutant("memory left to Lambda", drop("EnricherFunction.MemorySize"), "W9322"),
    Mutant("a timeout left to Lambda", drop("EnricherFunction.Timeout"), "W9322"),
    # 3: capacity
    Mutant("provisioned capacity", put("DataTable.BillingMode", "PROVISIONED"), "W9131"),
    Mutant("no billing mode", drop("DataTable.BillingMode"), "W9131"),
    # 4: dead letters
    Mutant("no dead-letter queue", drop("ValidatorFunction.DeadLetterQueue"), "E9141"),
    Mutant(
        "no alarm on the dead letters",
        both(drop("/Resources.DeadLetterAlarm"), drop("/Resources.DeadLetterAgeAlarm")),
        "E9142",
    ),
    Mutant("no alarm but on letters that stay", drop("/Resources.DeadLetterAlarm"), "W9143"),
    Mutant(
        "alarms on messages in flight",
        both(
            *(
                put(f"{alarm}.MetricName", "ApproximateNumberOfMessagesNotVisible")
                for alarm in ("DeadLetterAlarm", "DeadLetterAgeAlarm")
            )
        ),
        "E9142",
    ),
    Mutant(
        "dimensions that are the queue's URL",
        both(
            *(
                point_at(f"{alarm}.Dimensions.QueueName.Value", "DeadLetterQueue")
                for alarm in ("DeadLetterAlarm", "DeadLetterAgeAlarm")
            )
        ),
        "E9142",
    ),
    Mutant(
        "an alarm for every letter, on losses",
        put("ValidatorLostLettersAlarm.MetricName", "AsyncEventsDropped"),
        "E9145",
    ),
    Mutant(
        "an alarm on old letters that ends when somebody looks at them",
        put("DeadLetterAgeAlarm.MetricName", "ApproximateAgeOfOldestMessage"),
        "E9145",
    ),
    Mutant("average on the alarm", put("DeadLetterAlarm.Statistic", "Average"), "W9143"),
    Mutant("alarm on the fifth letter", put("DeadLetterAlarm.Threshold", 5), "W9143"),
    Mutant("alarm after five periods", put("DeadLetterAlarm.EvaluationPeriods", 5), "W9143"),
    Mutant("alarm below the threshold", put("DeadLetterAlarm.ComparisonOperator", "LessThanThreshold"), "W9143"),
    Mutant("letters kept for four days", put("DeadLetterQueue.MessageRetentionPeriod", 345600), "E9144"),
    Mutant("letters kept as long as SQS likes", drop("DeadLetterQueue.MessageRetentionPeriod"), "E9144"),
    Mutant(
        "other queues may redrive here",
        drop("DeadLetterQueue.RedriveAllowPolicy"),
        test_stack.test_the_queue_keeps_letters_14_days_encrypted_and_takes_no_redrive,
    ),
    # 5: permissions
    Mutant("wildcard action", put(f"{granted('Processor')}.dynamodb:PutItem.Action", ["dynamodb:*"]), "E9151"),
    Mutant(
        "wildcard of a few actions", put(f"{granted('Processor')}.dynamodb:PutItem.Action", ["dynamodb:Put*"]), "E9151"
    ),
    Mutant("wildcard resource", put(f"{granted('Processor')}.dynamodb:PutItem.Resource", ["*"]), "E9152"),
    Mutant(
        "tables of any account",
        put(f"{granted('Processor')}.dynamodb:PutItem.Resource", "arn:aws:dynamodb:*:*:table/data"),
        "E9152",
    ),
    Mutant(
        "every table of the account",
        put(
            f"{granted('Processor')}.dynamodb:PutItem.Resource",
            {"Fn::Sub": "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/*"},
        ),
        "E9152",
    ),
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
    Mutant(
        "all resources but one",
        put(
            f"{granted('Processor')}.dynamodb:PutItem",
            {"Effect": "Allow", "Action": ["dynamodb:PutItem"], "NotResource": [{"Fn::GetAtt": ["DataTable", "Arn"]}]},
        ),
        "E9154",
    ),
    Mutant("an action misspelled", put(f"{granted('Processor')}.dynamodb:PutItem.Action", ["dynamodb:Put"]), "W9157"),
    Mutant(
        "an action of no service", add(f"{granted('Processor')}.dynamodb:PutItem.Action", "dynamo:PutItem"), "W9157"
    ),
    Mutant(
        "a wildcard that matches no action",
        add("DeadLetterQueuePolicy.PolicyDocument.Statement.0.Action", "sqs:Erase*"),
        "W9157",
    ),
    Mutant("a role that anybody may assume", trust("*"), "E9158"),
    Mutant("a role that any account may assume", trust({"AWS": "*"}), "E9158"),
    Mutant(
        "a role that anybody may assume who knows a word",
        trust({"AWS": "*"}, {"StringEquals": {"sts:ExternalId": "a word"}}),
        "E9158",
    ),
    Mutant(
        "a role that anybody of any name may assume",
        trust({"AWS": "*"}, {"ArnLike": {"aws:PrincipalArn": "*"}}),
        "E9158",
    ),
    Mutant("a role that another account may assume", trust({"AWS": "arn:aws:iam::123456789012:root"}), "E9158"),
    Mutant(
        "a role that every repository may assume",
        trust(
            {"Federated": {"Fn::Sub": f"arn:aws:iam::${{AWS::AccountId}}:oidc-provider/{GITHUB}"}},
            {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}, "StringLike": {f"{GITHUB}:sub": "repo:*"}},
            action="sts:AssumeRoleWithWebIdentity",
        ),
        "E9158",
    ),
    Mutant(
        "a role that another service may assume",
        put("ValidatorRole.AssumeRolePolicyDocument.Statement.0.Principal", {"Service": "ec2.amazonaws.com"}),
        test_stack.test_each_role_has_its_own_policy_and_is_assumed_by_lambda_alone,
    ),
    Mutant(
        "AWS's own policy beside",
        add("ValidatorRole.ManagedPolicyArns", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"),
        "W9156",
    ),
    Mutant(
        "one more action",
        add(f"{granted('Processor')}.dynamodb:PutItem.Action", "dynamodb:Scan"),
        test_stack.test_each_role_may_do_only_what_its_stage_calls,
    ),
    Mutant(
        "another function may be invoked too",
        add("EnricherInvokesProcessor.Roles", {"Ref": "ValidatorRole"}),
        test_stack.test_each_role_may_do_only_what_its_stage_calls,
    ),
    Mutant(
        "an inline policy beside",
        put(
            "ValidatorRole.Policies",
            [{"PolicyName": "more", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}],
        ),
        test_stack.test_each_role_has_its_own_policy_and_is_assumed_by_lambda_alone,
    ),
    # 6: tags
    Mutant("tag missing on the table", drop("DataTable.Tags.CostCenter"), "W9161"),
    Mutant("tag missing on a function", drop("EnricherFunction.Tags.Project"), "W9161"),
    Mutant("no tags on a role", drop("ValidatorRole.Tags"), "W9161"),
    Mutant("no tags on the dashboard", drop("Dashboard.Tags"), "W9161"),
    Mutant(
        "tags that CodeDeploy does not get",
        drop("ProcessorFunction.PropagateTags"),
        test_tags.test_every_taggable_resource_carries_the_tags,
    ),
    Mutant(
        "another value of a tag",
        put("DataTable.Tags.CostCenter.Value", "Research"),
        test_tags.test_every_taggable_resource_carries_the_tags,
    ),
    # 7: logs
    Mutant(
        "a log group renamed",
        put("ValidatorLogGroup.LogGroupName", {"Fn::Sub": "/aws/lambda/checker-${EnvironmentSuffix}"}),
        "E9172",
    ),
    Mutant(
        "the logs of another function",
        point_at("ValidatorFunction.LoggingConfig.LogGroup", "EnricherLogGroup"),
        "E9172",
    ),
    Mutant(
        "a log group outside the template",
        put("ValidatorFunction.LoggingConfig.LogGroup", "/aws/lambda/validator"),
        "E9171",
    ),
    Mutant("logs kept for ever", drop("ProcessorLogGroup.RetentionInDays"), "E9003"),
    Mutant("no right to write logs", drop(f"{granted('Processor')}.logs:PutLogEvents"), "E9173"),
    Mutant("logs as text", put("ValidatorFunction.LoggingConfig.LogFormat", "Text"), LOGGED),
    # 8: cold starts
    Mutant("no provisioned concurrency", drop("ProcessorFunction.ProvisionedConcurrencyConfig"), "W9181"),
    Mutant(
        "provisioned concurrency that can't be switched off",
        put("ProcessorFunction.ProvisionedConcurrencyConfig", {"ProvisionedConcurrentExecutions": 2}),
        test_function.test_only_the_processor_is_kept_warm_and_only_when_asked,
    ),
    Mutant(
        "destination to an unqualified ARN",
        point_at(
            "ValidatorFunction.EventInvokeConfig.DestinationConfig.OnSuccess.Destination", "EnricherFunction", "Arn"
        ),
        "E9182",
    ),
    Mutant(
        "right to invoke an unqualified ARN",
        point_at("ValidatorInvokesEnricher.PolicyDocument.Statement.0.Resource.0", "EnricherFunction", "Arn"),
        "E9182",
    ),
    Mutant(
        "output of an unqualified ARN",
        point_at("/Outputs.ProcessorFunctionArn.Value", "ProcessorFunction", "Arn"),
        "E9182",
    ),
    Mutant(
        "output of a function's name", point_at("/Outputs.ValidatorFunctionArn.Value", "ValidatorFunction"), "E9182"
    ),
    Mutant(
        "scaling of another qualifier",
        put(
            "ProcessorScalableTarget.ResourceId",
            {"Fn::Join": [":", ["function", {"Ref": "ProcessorFunction"}, "prod"]]},
        ),
        test_combinations.test_the_processor_scales_between_the_two_numbers_only_where_the_maximum_is_another,
    ),
    # 9: events
    Mutant("no retry settings", drop("EnricherFunction.EventInvokeConfig"), "E9191"),
    Mutant("no retries set", drop("EnricherFunction.EventInvokeConfig.MaximumRetryAttempts"), "E9191"),
    Mutant("no event age set", drop("ProcessorFunction.EventInvokeConfig.MaximumEventAgeInSeconds"), "E9191"),
    Mutant("a refusal is tried again", put("ValidatorFunction.EventInvokeConfig.MaximumRetryAttempts", 2), VALIDATOR),
    Mutant("a stage without successor", drop("ValidatorFunction.EventInvokeConfig.DestinationConfig"), VALIDATOR),
    Mutant("dead-letter permission missing", drop(f"{granted('Enricher')}.sqs:SendMessage"), "E9192"),
    Mutant("destination permission missing", drop("EnricherInvokesProcessor.PolicyDocument.Statement.0"), "E9192"),
    Mutant(
        "dead-letter permission on another resource",
        point_at(f"{granted('Enricher')}.sqs:SendMessage.Resource.0", "DataTable", "Arn"),
        "E9192",
    ),
    Mutant(
        "policy of one stage on another's role",
        point_at("ValidatorRole.ManagedPolicyArns.0", "ProcessorPolicy"),
        test_stack.test_each_role_has_its_own_policy_and_is_assumed_by_lambda_alone,
    ),
    Mutant(
        "right of one stage on another's role", point_at("ValidatorInvokesEnricher.Roles.0", "EnricherRole"), "E9192"
    ),
    # 10: references
    Mutant("a logical id as text", put("ProcessorFunction.Environment.Variables.TABLE_NAME", "DataTable"), "E9201"),
    Mutant(
        "a substitution that nothing does",
        put("ProcessorFunction.Environment.Variables.TABLE_NAME", "${DataTable}"),
        "E9201",
    ),
    Mutant(
        "a name spelled again",
        put(
            "ValidatorFunction.LoggingConfig.LogGroup",
            {"Fn::Sub": f"/aws/lambda/{NAME}-validator-${{EnvironmentSuffix}}"},
        ),
        "E9202",
    ),
    Mutant("a queue by its account's number", put("ValidatorFunction.DeadLetterQueue.TargetArn", ARN), "E9203"),
    Mutant(
        "no table in the environment",
        drop("ProcessorFunction.Environment"),
        test_template.test_only_the_processor_is_told_the_table,
    ),
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
    Mutant(
        "no deletion protection condition",
        put("DataTable.DeletionProtectionEnabled", False),
        test_combinations.test_the_table_is_protected_and_the_concurrency_reserved_when_asked,
    ),
    Mutant("table deleted with the stack", drop("/Resources.DataTable.DeletionPolicy"), "E9301"),
    Mutant("table deleted when replaced", put("/Resources.DataTable.UpdateReplacePolicy", "Delete"), "E9301"),
    Mutant("queue deleted with the stack", put("/Resources.DeadLetterQueue.DeletionPolicy", "Delete"), "E9301"),
    Mutant(
        "table deleted when replaced, but for its creation",
        put("/Resources.DataTable.UpdateReplacePolicy", "RetainExceptOnCreate"),
        "E9301",
    ),
    Mutant("a snapshot that there is not", put("/Resources.DataTable.DeletionPolicy", "Snapshot"), "E9301"),
    Mutant("bucket deleted with the stack", bucket(keep={"DeletionPolicy": "Delete"}), "E9301"),
    Mutant("bucket that does not block the public", bucket(PublicAccessBlockConfiguration={}), "E9304"),
    Mutant(
        "bucket that blocks the public by half",
        bucket(PublicAccessBlockConfiguration={"BlockPublicAcls": True, "IgnorePublicAcls": True}),
        "E9304",
    ),
    Mutant("bucket that takes plain HTTP", both(bucket(), drop("/Resources.FilesPolicy")), "E9302"),
    Mutant(
        "TLS-only policy of the bucket without what is in it",
        bucket(policy={"Resource": [{"Fn::GetAtt": ["Files", "Arn"]}]}),
        "E9302",
    ),
    Mutant(
        "another key of the table",
        drop("DataTable.KeySchema.1"),
        test_stack.test_the_table_is_on_demand_encrypted_restorable_and_retained,
    ),
    Mutant(
        "a name of the table",
        put("DataTable.TableName", "data"),
        test_template.test_the_names_are_those_of_the_contract,
    ),
    Mutant("TLS-only policy off", drop("/Resources.DeadLetterQueuePolicy"), "E9302"),
    Mutant(
        "TLS-only policy the wrong way round",
        put("DeadLetterQueuePolicy.PolicyDocument.Statement.0.Condition.Bool", {"aws:SecureTransport": "true"}),
        "E9302",
    ),
    Mutant(
        "TLS-only policy of one action",
        put("DeadLetterQueuePolicy.PolicyDocument.Statement.0.Action", ["sqs:SendMessage"]),
        "E9302",
    ),
    Mutant("TLS-only policy of no queue", put("DeadLetterQueuePolicy.Queues", []), "E9302"),
    Mutant(
        "TLS-only policy that allows", put("DeadLetterQueuePolicy.PolicyDocument.Statement.0.Effect", "Allow"), "E9302"
    ),
    Mutant(
        "queue unencrypted",
        put("DeadLetterQueue.SqsManagedSseEnabled", False),
        test_stack.test_the_queue_keeps_letters_14_days_encrypted_and_takes_no_redrive,
    ),
    Mutant(
        "queue without the customer's key",
        drop("DeadLetterQueue.KmsMasterKeyId"),
        test_combinations.test_the_key_encrypts_everything_and_each_role_may_use_it,
    ),
    Mutant(
        "a role without the key",
        drop(f"{granted('Enricher')}.Fn::If"),
        test_combinations.test_the_key_encrypts_everything_and_each_role_may_use_it,
    ),
    # alarms
    Mutant("wrong alarm dimension", put("DeadLetterAlarm.Dimensions.QueueName.Name", "Queue"), "E9311"),
    Mutant(
        "an alarm on a name as text",
        put("ProcessorThrottlesAlarm.Dimensions.FunctionName.Value", "processor-dev"),
        "E9311",
    ),
    Mutant(
        "an alarm on the ARN for the name",
        point_at("ProcessorThrottlesAlarm.Dimensions.FunctionName.Value", "ProcessorFunction", "Arn"),
        "E9311",
    ),
    Mutant(
        "an alarm on another alias",
        put("ProcessorThrottlesAlarm.Dimensions.Resource.Value", {"Fn::Sub": "${ProcessorFunction}:prod"}),
        "E9311",
    ),
    Mutant(
        "an alarm on another function's alias",
        put("ProcessorThrottlesAlarm.Dimensions.Resource.Value", {"Fn::Sub": "${EnricherFunction}:live"}),
        "E9311",
    ),
    Mutant("an alarm on errors of no operation", drop("TableErrorsAlarm.Dimensions.Operation"), "E9311"),
    Mutant(
        "an alarm on a metric that there is not",
        put("TableThrottlesAlarm.MetricName", "WriteThrottles"),
        test_alarms.test_each_metric_and_its_dimensions_are_documented,
    ),
    Mutant(
        "an alarm on another metric",
        put("ValidatorThrottlesAlarm.MetricName", "Invocations"),
        test_alarms.test_each_alarm_watches_the_resource_that_it_is_named_for,
    ),
    Mutant(
        "an alarm near the end of the letters",
        put("DeadLetterAgeAlarm.Period", 2 * 3600),
        test_alarms.test_letters_that_stay_raise_the_alarm_after_a_week_which_is_well_before_they_are_deleted,
    ),
    Mutant(
        "an alarm at the timeout",
        put("ProcessorDurationAlarm.Threshold", 60000),
        test_alarms.test_a_slow_function_raises_the_alarm_at_four_fifths_of_its_timeout,
    ),
    Mutant(
        "a loss that is over before anybody sees it",
        put("ProcessorLostLettersAlarm.EvaluationPeriods", 1),
        functools.partial(
            test_alarms.test_one_failure_and_one_loss_raise_the_alarm_for_five_minutes, kind="LostLetters"
        ),
    ),
    Mutant(
        "a loss that is not watched",
        drop("/Resources.ProcessorLostLettersAlarm"),
        test_alarms.test_each_alarm_watches_the_resource_that_it_is_named_for,
    ),
    Mutant(
        "an alarm when Lambda has given the events up",
        put("EnricherEventAgeAlarm.Threshold", 21_600_000),
        test_alarms.test_an_event_that_waited_an_hour_raises_the_alarm_with_five_hours_left,
    ),
    Mutant(
        "failures of another stage",
        point_at("ValidatorFailuresFilter.LogGroupName", "EnricherLogGroup"),
        test_failures.test_failures_are_counted_from_the_stages_own_log_wherever_there_is_an_alarm,
    ),
    Mutant(
        "a cost that does not follow the memory",
        put("EnricherFunction.MemorySize", 1024),
        test_dashboard.test_the_costs_follow_the_memory_of_the_functions,
    ),
    Mutant("alarm without missing-data treatment", drop("DeadLetterAlarm.TreatMissingData"), "E9007"),
    Mutant(
        "an idle queue raises the alarm",
        put("DeadLetterAlarm.TreatMissingData", "breaching"),
        test_alarms.test_each_alarm_goes_on_and_back_to_ok_and_silence_is_no_failure,
    ),
    Mutant("an alarm that notifies nobody", drop("ValidatorLostLettersAlarm.AlarmActions"), "W9312"),
    Mutant(
        "an alarm that never says that it is over",
        drop("ValidatorLostLettersAlarm.OKActions"),
        test_combinations.test_an_address_makes_a_topic_and_every_alarm_tells_it_on_and_off,
    ),
    Mutant(
        "a topic that anybody may publish to",
        put(
            "AlarmTopicPolicy.PolicyDocument.Statement.0",
            {"Effect": "Allow", "Principal": "*", "Action": ["sns:Publish"], "Resource": [{"Ref": "AlarmTopic"}]},
        ),
        "E9155",
    ),
    Mutant("an alarm on losses that are filled in", filled("ValidatorLostLettersAlarm"), "E9313"),
    Mutant("alarms that are switched off", put("DeadLetterAlarm.ActionsEnabled", False), "W9312"),
    Mutant(
        "a gradual deployment without alarms",
        both(
            put("/Parameters.GradualDeployment.Default", "true"), drop("ValidatorFunction.DeploymentPreference.Alarms")
        ),
        "E9321",
    ),
    # publishing, parameters, names
    Mutant(
        "no alias",
        drop("ValidatorFunction.AutoPublishAlias"),
        test_template.test_every_change_of_a_function_is_published,
    ),
    Mutant(
        "changes that are not published",
        put("EnricherFunction.AutoPublishAliasAllProperties", False),
        test_template.test_every_change_of_a_function_is_published,
    ),
    Mutant("no traces", put("EnricherFunction.Tracing", "PassThrough"), "E9008"),
    Mutant("tracing left to Lambda", drop("EnricherFunction.Tracing"), "E9009"),
    Mutant("a runtime that AWS has retired", put("EnricherFunction.Runtime", "python3.6"), "E2533"),
    Mutant(
        "another runtime",
        put("EnricherFunction.Runtime", "python3.12"),
        test_template.test_each_function_runs_the_handler_of_its_stage_on_the_supported_runtime,
    ),
    Mutant(
        "a handler that is not there",
        put("EnricherFunction.Handler", "enrich.handler"),
        test_template.test_each_function_runs_the_handler_of_its_stage_on_the_supported_runtime,
    ),
    Mutant(
        "a parameter that takes anything",
        drop("/Parameters.ReservedConcurrency.MinValue"),
        test_parameters.test_every_parameter_without_a_pattern_has_its_values_or_its_least,
    ),
    Mutant(
        "another default",
        put("/Parameters.LogRetentionDays.Default", 30),
        test_stack.test_the_parameters_have_their_defaults,
    ),
    Mutant(
        "an output gone",
        drop("/Outputs.DlqUrl"),
        test_stack.test_the_outputs_name_the_table_the_queue_the_aliases_and_the_roles,
    ),
    Mutant(
        "a deployment that no alarm rolls back",
        drop("ValidatorFunction.DeploymentPreference.Alarms"),
        test_combinations.test_a_gradual_deployment_is_rolled_back_by_the_alarms_of_each_function,
    ),
    Mutant(
        "concurrency that can't be reserved",
        drop("ValidatorFunction.ReservedConcurrentExecutions"),
        test_combinations.test_the_table_is_protected_and_the_concurrency_reserved_when_asked,
    ),
]
RULED = [mutant for mutant in MUTANTS if isinstance(mutant.catcher, str)]
# One mutant of each rule of the project.
FIRST = {str(mutant.catcher): mutant for mutant in reversed(RULED) if str(mutant.catcher) in own_rules()}
CHECKED = [mutant for mutant in MUTANTS if not isinstance(mutant.catcher, str)]


def named(mutant: Mutant) -> str:
    return mutant.name


def only(rule: str) -> Rules:
    """Pick one rule of the project, since the others cost time; cfn-lint's own depend on each other."""
    return picked(rule) if rule in own_rules() else runner().rules


@pytest.mark.parametrize("mutant", RULED, ids=named)
def test_a_rule_catches(mutant: Mutant, committed: Template) -> None:
    rule = str(mutant.catcher)
    matches = lint(edited(committed, mutant.edit), only(rule))
    messages = [match.message for match in matches if rule_of(match) == rule]
    assert messages
    if rule in python_rules():
        assert all(re.fullmatch(r"[^$]+ should .+ \(got [^$].*\)", message) for message in messages)


@pytest.mark.parametrize("rule", FIRST)
def test_a_rule_catches_in_the_translated_template_too(rule: str, committed: Template) -> None:
    translated = translate(edited(committed, FIRST[rule].edit))
    assert rule in found(translated, only(rule))


@pytest.mark.parametrize("rule", [rule for rule in FIRST if rule in python_rules()])
def test_a_rule_catches_where_the_linter_leaves_sam_as_it_is(rule: str, committed: Template) -> None:
    assert rule in found_unexpanded(edited(committed, FIRST[rule].edit), rule)


def check(template: Template, translated: Template | None, catcher: Check) -> None:
    """Call a test of the template with a mutant in place of what its fixtures give it."""

    def in_translation() -> Template:
        return translated or translate(template)

    forms: dict[str, Callable[[], Template]] = {
        "template": lambda: template,
        "model": lambda: template,
        "committed": lambda: template,
        "translated": in_translation,
        "resolved": lambda: resolve(in_translation(), {}),
        "alarms": lambda: of_type(template, "AWS::CloudWatch::Alarm"),
        "body": lambda: json.loads(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0]),
    }
    wanted = inspect.signature(catcher).parameters
    catcher(**{name: form() for name, form in forms.items() if name in wanted})


@pytest.mark.parametrize("mutant", CHECKED, ids=named)
def test_a_check_catches(mutant: Mutant, committed: Template, committed_translated: Template) -> None:
    assert not isinstance(mutant.catcher, str)
    check(committed, committed_translated, mutant.catcher)
    with pytest.raises((AssertionError, KeyError)):
        check(edited(committed, mutant.edit), None, mutant.catcher)


def test_the_mutants_have_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 100


def test_every_rule_catches_a_mutant_but_those_that_one_edit_of_this_template_cannot_break() -> None:
    own = {name for name in runner().rules if name[1] == "9"}
    elsewhere = {
        *OF_SAM,  # counted as the same about Lambda's type
        "W9121",  # each function has a role and a log group: two edits
        "E9193",  # SAM itself qualifies the settings by the alias
        "E9303",  # its encryption is conditional: two edits
    }
    assert own - {str(mutant.catcher) for mutant in RULED} == elsewhere
