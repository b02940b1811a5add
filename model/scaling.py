"""Autoscaling of provisioned concurrency: more warm instances while they are busy, fewer when they are not."""

from typing import NamedTuple

from troposphere import Join, Ref
from troposphere.applicationautoscaling import (
    PredefinedMetricSpecification,
    ScalableTarget,
    ScalingPolicy,
    TargetTrackingScalingPolicyConfiguration,
)

from . import parameters, sam
from .capacity import Provisioned

# https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html recommends 70 % of the warm instances.
UTILIZATION = 0.7


class Scaling(NamedTuple):
    """What is scaled, and by what, in creation order."""

    target: ScalableTarget
    policy: ScalingPolicy


def scaling(name: str, function: sam.Function, provisioned: Provisioned) -> Scaling:
    """Keep between the two chosen numbers of instances warm, so that seven in ten are busy."""
    target = ScalableTarget(
        f"{name.capitalize()}ScalableTarget",
        Condition=provisioned.scales,
        DependsOn=function.alias_title,  # it is named in words, which CloudFormation does not take for a reference
        ServiceNamespace="lambda",
        ScalableDimension="lambda:function:ProvisionedConcurrency",
        ResourceId=Join(":", ["function", Ref(function), function.AutoPublishAlias]),
        MinCapacity=Ref(provisioned.minimum),
        MaxCapacity=Ref(provisioned.maximum),
    )
    return Scaling(
        target,
        ScalingPolicy(
            f"{name.capitalize()}ScalingPolicy",
            Condition=provisioned.scales,
            PolicyName=parameters.suffixed(f"{name}-provisioned-concurrency"),
            PolicyType="TargetTrackingScaling",
            ScalingTargetId=Ref(target),
            TargetTrackingScalingPolicyConfiguration=TargetTrackingScalingPolicyConfiguration(
                PredefinedMetricSpecification=PredefinedMetricSpecification(
                    PredefinedMetricType="LambdaProvisionedConcurrencyUtilization"
                ),
                TargetValue=UTILIZATION,
            ),
        ),
    )
