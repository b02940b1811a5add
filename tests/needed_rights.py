"""What whoever deploys a template needs: the actions, each on the ARN that AWS judges it by.

CloudFormation's schemas list what it calls to make, change, read, list and remove a resource of each type, and AWS's
service authorization reference the kinds of resource that an action takes. Both come with cfn-lint.
"""

from collections.abc import Iterator
from typing import Any

from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from model.project import NAME

ACCOUNT, REGION = "123456789012", "eu-central-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/one"
SERVICES = load_resource(AdditionalSpecs, "Policies.json")

# What a schema lists for a property that the template does not set, or for another type with the same handlers.
ONLY_FOR = {
    "AWS::ApplicationAutoScaling::ScalableTarget": {
        "RoleARN": "iam:PassRole",
        "ScheduledActions": "application-autoscaling:PutScheduledAction application-autoscaling:DeleteScheduledAction",
    },
    "AWS::CodeDeploy::DeploymentGroup": {"OnPremisesInstanceTagFilters": "codedeploy:RegisterOnPremisesInstance"},
    "AWS::DynamoDB::Table": {
        "ContributorInsightsSpecification": "dynamodb:UpdateContributorInsights iam:CreateServiceLinkedRole",
        "ImportSourceSpecification": "dynamodb:ImportTable dynamodb:DescribeImport logs:CreateLogGroup "
        "logs:CreateLogStream logs:DescribeLogGroups logs:DescribeLogStreams logs:PutLogEvents logs:PutRetentionPolicy "
        "s3:GetObject s3:ListBucket",
        "KinesisStreamSpecification": "dynamodb:EnableKinesisStreamingDestination "
        "dynamodb:DisableKinesisStreamingDestination dynamodb:UpdateKinesisStreamingDestination kinesis:DescribeStream "
        "kinesis:PutRecords",
        "ResourcePolicy": "dynamodb:PutResourcePolicy dynamodb:DeleteResourcePolicy",
        "TimeToLiveSpecification": "dynamodb:UpdateTimeToLive",
        "AWS::DynamoDB::GlobalTable": "dynamodb:CreateTableReplica dynamodb:AssociateTableReplica dynamodb:Scan "
        "dynamodb:Query dynamodb:UpdateItem dynamodb:PutItem dynamodb:GetItem dynamodb:DeleteItem "
        "dynamodb:BatchWriteItem",
    },
    "AWS::Events::Rule": {"RoleArn": "iam:PassRole"},
    "AWS::IAM::ManagedPolicy": {
        "Groups": "iam:AttachGroupPolicy iam:DetachGroupPolicy",
        "Users": "iam:AttachUserPolicy iam:DetachUserPolicy",
    },
    "AWS::IAM::Role": {
        "Description": "iam:UpdateRoleDescription",
        "Policies": "iam:PutRolePolicy iam:DeleteRolePolicy",
    },
    "AWS::Lambda::Function": {
        "CapacityProviderConfig": "lambda:PassCapacityProvider",
        "CodeSigningConfigArn": "lambda:GetCodeSigningConfig lambda:PutFunctionCodeSigningConfig "
        "lambda:DeleteFunctionCodeSigningConfig",
        "FileSystemConfigs": "elasticfilesystem:DescribeMountTargets s3files:ListMountTargets",
        "FunctionScalingConfig": "lambda:PutFunctionScalingConfig",
        "Layers": "lambda:GetLayerVersion",
        "RuntimeManagementConfig": "lambda:PutRuntimeManagementConfig",
        "VpcConfig": "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs ec2:DescribeNetworkInterfaces",
    },
    "AWS::Lambda::Version": {
        "FunctionScalingConfig": "lambda:PutFunctionScalingConfig",
        "RuntimePolicy": "lambda:PutRuntimeManagementConfig",
    },
    "AWS::Logs::LogGroup": {
        "BearerTokenAuthenticationEnabled": "logs:PutBearerTokenAuthentication",
        "DataProtectionPolicy": "logs:PutDataProtectionPolicy logs:DeleteDataProtectionPolicy logs:CreateLogDelivery "
        "firehose:TagDeliveryStream",
        "DeletionProtectionEnabled": "logs:PutLogGroupDeletionProtection",
        "FieldIndexPolicies": "logs:PutIndexPolicy logs:DeleteIndexPolicy",
        "ResourcePolicyDocument": "logs:PutResourcePolicy logs:DeleteResourcePolicy",
    },
    "AWS::S3::Bucket": {
        "AbacStatus": "s3:PutBucketAbac",
        "AccelerateConfiguration": "s3:PutAccelerateConfiguration",
        "AccessControl": "s3:PutBucketAcl s3:PutObjectAcl",
        "AnalyticsConfigurations": "s3:PutAnalyticsConfiguration",
        "CorsConfiguration": "s3:PutBucketCORS",
        "IntelligentTieringConfigurations": "s3:PutIntelligentTieringConfiguration",
        "InventoryConfigurations": "s3:PutInventoryConfiguration",
        "LoggingConfiguration": "s3:PutBucketLogging",
        "MetadataConfiguration": "s3:CreateBucketMetadataTableConfiguration s3:DeleteBucketMetadataTableConfiguration "
        "s3:UpdateBucketMetadataJournalTableConfiguration s3:UpdateBucketMetadataInventoryTableConfiguration "
        "s3:UpdateBucketMetadataAnnotationTableConfiguration s3tables:CreateNamespace s3tables:CreateTable "
        "s3tables:CreateTableBucket s3tables:GetTable s3tables:PutTableBucketPolicy s3tables:PutTableEncryption "
        "s3tables:PutTablePolicy s3tables:GetTableMetadataLocation s3tables:UpdateTableMetadataLocation",
        "MetricsConfigurations": "s3:PutMetricsConfiguration",
        "ObjectLockEnabled": "s3:PutBucketObjectLockConfiguration",
        "ReplicationConfiguration": "s3:PutReplicationConfiguration s3:DeleteObject iam:PassRole",
        "WebsiteConfiguration": "s3:PutBucketWebsite s3:DeleteBucketWebsite",
    },
    "AWS::SNS::Subscription": {"SubscriptionRoleArn": "iam:GetRole iam:PassRole"},
    "AWS::SNS::Topic": {
        "DataProtectionPolicy": "sns:PutDataProtectionPolicy",
        "DeliveryStatusLogging": "iam:GetRole iam:PassRole",
    },
}
NEVER = {"iam:DeleteRolePermissionsBoundary"}  # a role without its boundary could be given any right

# The kinds of resource, by the names of the service authorization reference, as they are called in a stack.
FUNCTION = "arn:aws:lambda:{here}:function:{function}"
LOG_GROUP = "arn:aws:logs:{here}:log-group:/aws/lambda/{function}"
ARNS = {
    "application-autoscaling:ScalableTarget": ["arn:aws:application-autoscaling:{here}:scalable-target/0123abcd"],
    "cloudwatch:alarm": ["arn:aws:cloudwatch:{here}:alarm:{alarm}"],
    "cloudwatch:dashboard": ["arn:aws:cloudwatch::{account}:dashboard/{dashboard}"],
    "cloudwatch:dataset": ["*"],
    "codedeploy:application": ["arn:aws:codedeploy:{here}:application:{stack}-ServerlessDeploymentApplication-ABC123"],
    "codedeploy:deploymentconfig": [
        "arn:aws:codedeploy:{here}:deploymentconfig:CodeDeployDefault.LambdaCanary10Percent5Minutes"
    ],
    "codedeploy:deploymentgroup": [
        "arn:aws:codedeploy:{here}:deploymentgroup:{stack}-ServerlessDeploymentApplication-ABC123/{stack}-Group-ABC123"
    ],
    "dynamodb:table": ["arn:aws:dynamodb:{here}:table/{made}"],
    "events:rule-on-default-event-bus": ["arn:aws:events:{here}:rule/{made}"],
    "iam:policy": ["arn:aws:iam::{account}:policy/{stack}/{made}"],
    "iam:role": ["arn:aws:iam::{account}:role/{stack}/{made}"],
    "kms:key": [KEY],
    "lambda:eventSourceMapping": ["arn:aws:lambda:{here}:event-source-mapping:0123abcd"],
    "lambda:function": [FUNCTION],
    "lambda:function alias": [f"{FUNCTION}:live"],
    "lambda:function version": [f"{FUNCTION}:7"],
    "logs:log-group": [LOG_GROUP, f"{LOG_GROUP}:*"],  # AWS takes either for some actions
    "s3:bucket": ["arn:aws:s3:::{stack}-filesstorage-abc123"],
    "s3:object": ["arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-abc123/{stack}/0123abcd"],
    "sns:topic": ["arn:aws:sns:{here}:{made}"],
    "sqs:queue": ["arn:aws:sqs:{here}:{made}"],
}
# Which of an action's kinds it is about, where a type's action could be about several.
KINDS = {
    "AWS::Lambda::EventSourceMapping": {"lambda:eventSourceMapping"},
    "AWS::ApplicationAutoScaling::ScalableTarget": {"cloudwatch:alarm"},
    "AWS::CloudWatch::Alarm": {"cloudwatch:alarm"},
    "AWS::CloudWatch::Dashboard": {"cloudwatch:dashboard"},
    "AWS::CodeDeploy::Application": {"codedeploy:application"},
    "AWS::Lambda::Alias": {"lambda:function alias"},
    "AWS::Lambda::Function": {"lambda:function"},
    "AWS::Lambda::Version": {"lambda:function version"},
    "AWS::IAM::ManagedPolicy": {"iam:policy"},
}
QUALIFIED = {
    "AWS::Lambda::EventInvokeConfig": ARNS["lambda:function alias"],
    "AWS::Lambda::Version": ARNS["lambda:function version"],
}
SERVICE_LINKED = (
    "arn:aws:iam::{account}:role/aws-service-role/lambda.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
)


def schema(resource_type: str) -> dict[str, Any]:
    found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type).schema
    return found


def listed(resource_type: str) -> set[str]:
    """Return the actions of a type's handlers, but for those that IAM does not have."""
    parts = [*schema(resource_type)["handlers"].values(), schema(resource_type).get("tagging", {})]
    return {action for part in parts for action in part.get("permissions", []) if kinds(action) is not None}


def kinds(action: str) -> set[str] | None:
    """Return the kinds of resource that an action takes, None if there is no such action."""
    service, name = action.split(":")
    known = SERVICES.get(service, {}).get("Actions", {}).get(name.lower())
    return None if known is None else {f"{service}:{kind}" for kind in known.get("Resources", [])}


def needed(resources: dict[str, Any], stack: str) -> dict[str, set[str]]:
    """Return all that is called for the resources of a template: the actions by the ARN."""
    found: dict[str, set[str]] = {}
    for logical_id, resource in resources.items():
        resource_type = resource["Type"]
        unused = {a for actions in ONLY_FOR.get(resource_type, {}).values() for a in actions.split()} | NEVER
        for action in listed(resource_type) - unused:
            for arn in arns(action, resource_type):
                named = filled(arn, logical_id, resource, stack)
                found.setdefault(named, set()).add(action)
    return found


def arns(action: str, resource_type: str) -> Iterator[str]:
    """Yield what AWS judges an action by."""
    possible = kinds(action) or set()
    known = possible & set(ARNS)
    assert bool(known) == bool(possible), f"which resource is {action} of {resource_type} about? (of {possible})"
    if action == "iam:CreateServiceLinkedRole":
        yield SERVICE_LINKED
    elif not possible or action == "cloudwatch:DescribeAlarms":  # which is asked of all, to find some
        yield "*"
    else:
        for kind in known & KINDS.get(resource_type, known) or known:
            yield from ARNS[kind]
            if kind == "lambda:function":  # AWS judges a call that names a version or an alias by its ARN
                yield from QUALIFIED.get(resource_type, ())


def filled(arn: str, logical_id: str, resource: dict[str, Any], stack: str) -> str:
    """Put in the names that the template gives, and where it gives none those that the services make."""
    project, _, suffix = stack.rpartition("-")
    properties = resource.get("Properties", {})
    values = {"${EnvironmentSuffix}": suffix, "${AWS::Region}": REGION, NAME: project}

    def name(key: str, otherwise: str) -> str:
        text = properties.get(key, {}).get("Fn::Sub", otherwise)
        for old, new in values.items():
            text = text.replace(old, new)
        return str(text)

    function = name("FunctionName", "") if resource["Type"] == "AWS::Lambda::Function" else f"{project}-a-{suffix}"
    return arn.format(
        here=f"{REGION}:{ACCOUNT}",
        account=ACCOUNT,
        stack=stack,
        made=f"{stack}-{logical_id}-ABC123",
        function=function,
        alarm=name("AlarmName", f"TargetTracking-function:{function}:live-AlarmHigh-0123abcd"),
        dashboard=name("DashboardName", ""),
    )
