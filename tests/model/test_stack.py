"""The contract with those who deploy and call the stack: names, parameters, outputs, permissions."""

from typing import Any

from .built_stages import STAGES, following
from .translation import of_type


def test_the_logical_ids_are_those_of_the_contract(template: dict[str, Any]) -> None:
    per_stage = {f"{stage}{kind}" for stage in STAGES for kind in ("LogGroup", "Policy", "Role", "Function")}
    rights = {f"{stage}Invokes{following(stage)}" for stage in STAGES if following(stage)}
    assert len(rights) == len(STAGES) - 1
    assert set(template["Resources"]) >= {"DataTable", "DeadLetterQueue", "DeadLetterQueuePolicy", *per_stage, *rights}


def test_the_parameters_have_their_defaults(template: dict[str, Any]) -> None:
    assert {name: p["Default"] for name, p in template["Parameters"].items()} == {
        **{"EnvironmentSuffix": "dev", "Architecture": "arm64", "LogRetentionDays": 7},
        "ProcessorProvisionedConcurrency": 2,
        **dict.fromkeys(("ProcessorProvisionedConcurrencyMaximum", "ProcessorReservedConcurrency"), 0),
        "ReservedConcurrency": 0,
        **{"GradualDeployment": "false", "DeploymentType": "Canary10Percent5Minutes", "DeploymentAttempt": 1},
        **dict.fromkeys(("PermissionsBoundaryArn", "AlarmEmail", "AlarmTopicArn", "KmsKeyArn"), ""),
        **{"ProtectData": "false", "FilesBucket": "false"},
    }


def test_every_parameter_explains_itself_and_its_refusals(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"], name
        assert parameter["ConstraintDescription"].startswith("must be "), name


def test_the_outputs_name_the_table_the_queue_the_aliases_and_the_roles(resolved: dict[str, Any]) -> None:
    assert {name: output["Value"] for name, output in resolved["Outputs"].items()} == {
        "TableName": {"Ref": "DataTable"},
        "DlqUrl": {"Ref": "DeadLetterQueue"},
        "DlqArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        **{f"{stage}FunctionArn": {"Ref": f"{stage}FunctionAliaslive"} for stage in STAGES},
        **{f"{stage}RoleId": {"Fn::GetAtt": [f"{stage}Role", "RoleId"]} for stage in STAGES},
    }


def test_the_table_is_on_demand_encrypted_restorable_and_retained(resolved: dict[str, Any]) -> None:
    table = resolved["Resources"]["DataTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    properties = table["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["KeySchema"] == [
        {"AttributeName": "id", "KeyType": "HASH"},
        {"AttributeName": "timestamp", "KeyType": "RANGE"},
    ]
    attributes = {a["AttributeName"]: a["AttributeType"] for a in properties["AttributeDefinitions"]}
    assert attributes.items() >= {"id": "S", "timestamp": "N"}.items()  # a project may have indexes
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert "TableName" not in properties


def test_the_queue_keeps_letters_14_days_encrypted_and_takes_no_redrive(resolved: dict[str, Any]) -> None:
    queue = resolved["Resources"]["DeadLetterQueue"]
    assert (queue["DeletionPolicy"], queue["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    properties = {name: value for name, value in queue["Properties"].items() if name != "Tags"}
    assert properties == {
        "MessageRetentionPeriod": 14 * 24 * 3600,
        "SqsManagedSseEnabled": True,
        "RedriveAllowPolicy": {"redrivePermission": "denyAll"},
    }


def test_the_queue_refuses_plain_http(resolved: dict[str, Any]) -> None:
    policy = resolved["Resources"]["DeadLetterQueuePolicy"]["Properties"]
    assert policy["Queues"] == [{"Ref": "DeadLetterQueue"}]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement == {
        **{"Effect": "Deny", "Principal": "*", "Action": ["sqs:*"]},
        "Resource": [{"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def rights(resolved: dict[str, Any], stage: str) -> dict[str, Any]:
    """Give what a stage's policies allow: the resource, or `*`, by action."""
    role = {"Ref": f"{stage}Role"}
    policies = of_type(resolved, "AWS::IAM::ManagedPolicy")
    attached = [p for name, p in policies.items() if name == f"{stage}Policy" or role in p.get("Roles", [])]
    found: dict[str, Any] = {}
    for statement in (s for policy in attached for s in policy["PolicyDocument"]["Statement"]):
        assert statement["Effect"] == "Allow"
        (resource,) = statement["Resource"]
        assert not found.keys() & set(statement["Action"]), "each action is allowed once"
        found |= dict.fromkeys(statement["Action"], resource)
    return found


def test_each_role_may_do_only_what_its_stage_calls(resolved: dict[str, Any]) -> None:
    own = {
        stage: {"lambda:InvokeFunction": {"Ref": f"{following(stage)}FunctionAliaslive"}}
        for stage in STAGES
        if following(stage)
    }
    table = {"Fn::GetAtt": ["DataTable", "Arn"]}
    own["Processor"] = {"dynamodb:PutItem": table, "dynamodb:PartiQLInsert": table}
    for stage in STAGES:
        log_group = {"Fn::GetAtt": [f"{stage}LogGroup", "Arn"]}
        assert rights(resolved, stage) == {
            "logs:CreateLogStream": log_group,
            "logs:PutLogEvents": log_group,
            "xray:PutTraceSegments": "*",
            "xray:PutTelemetryRecords": "*",
            "sqs:SendMessage": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
            **own[stage],
        }


def test_each_role_has_its_own_policy_and_is_assumed_by_lambda_alone(resolved: dict[str, Any]) -> None:
    roles = of_type(resolved, "AWS::IAM::Role")
    assert set(roles) == {f"{stage}Role" for stage in STAGES}
    types = {resource["Type"] for resource in resolved["Resources"].values()}
    assert {name for name in types if name.startswith("AWS::IAM::")} == {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"}
    for stage in STAGES:
        role = {name: value for name, value in roles[f"{stage}Role"].items() if name != "Tags"}
        assert role["ManagedPolicyArns"] == [{"Ref": f"{stage}Policy"}]
        (trust,) = role.pop("AssumeRolePolicyDocument")["Statement"]
        by_lambda = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
        assert trust == {**by_lambda, "Action": ["sts:AssumeRole"]}
        assert set(role) == {"Path", "ManagedPolicyArns"}, "no inline policy beside the managed ones"
    functions = of_type(resolved, "AWS::Lambda::Function")
    assert {name: f["Role"] for name, f in functions.items()} == {
        f"{stage}Function": {"Fn::GetAtt": [f"{stage}Role", "Arn"]} for stage in STAGES
    }


def test_every_stage_knows_the_queue_of_the_letters_that_it_sends_itself(translated: dict[str, Any]) -> None:
    functions = of_type(translated, "AWS::Lambda::Function")
    assert {f["Environment"]["Variables"]["DEAD_LETTER_QUEUE_URL"]["Ref"] for f in functions.values()} == {
        "DeadLetterQueue"
    }
