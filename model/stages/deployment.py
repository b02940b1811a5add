"""Deployment of a new version to `live`: at once, or step by step by CodeDeploy with a rollback on alarms."""

from collections.abc import Sequence

from awacs.aws import Condition, StringEquals
from troposphere import AccountId, GetAtt, NoValue, Ref, Sub
from troposphere.cloudwatch import Alarm
from troposphere.iam import Role

from model import parameters, policy

from ..conditions import DEPLOYS_GRADUALLY, when
from . import sam

ROLE = "DeploymentRole"


def preference(rollbacks: Sequence[Alarm]) -> sam.DeploymentPreference:
    """Shift traffic to a new version of a function, where that is chosen, and back when one of the alarms goes off."""
    return sam.DeploymentPreference(
        # SAM resolves a parameter here, but takes any other intrinsic function in Enabled for true.
        Enabled=Ref(parameters.GRADUAL_DEPLOYMENT),
        Type=Ref(parameters.DEPLOYMENT_TYPE),
        # The functions have no condition; without this word every sam command grumbles about a feature toggle.
        PassthroughCondition=False,
        Role=when(DEPLOYS_GRADUALLY, GetAtt(ROLE, "Arn")),
        Alarms=when(DEPLOYS_GRADUALLY, [Ref(alarm) for alarm in rollbacks], otherwise=[NoValue]),
    )


def role() -> Role:
    """Let CodeDeploy shift the traffic. The role that SAM would make has no boundary, nor tags."""
    return policy.role(
        ROLE,
        # The policy that AWS keeps in step with CodeDeploy.
        Sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"),
        assumed_by="codedeploy.amazonaws.com",
        # https://docs.aws.amazon.com/codedeploy/latest/userguide/security_confused_deputy.html
        only_for=Condition(StringEquals({"aws:SourceAccount": AccountId})),
        Condition=DEPLOYS_GRADUALLY,
    )
