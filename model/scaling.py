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
from .conditions import PROCESSOR_SCALES

# https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html recommends 70 % of the warm instances.
UTILIZATION = 0.7


class Scaling(NamedTuple):
    """What is scaled, and by what, in creation order."""

    target: ScalableTarget
    policy: ScalingPolicy


def scaling(function: sam.Function) -> Scaling:
    """Keep between the two chosen numbers of instances warm, so that seven in ten are busy."""
    target = ScalableTarget(
        "ProcessorScalableTarget",
        Condition=PROCESSOR_SCALES,
        DependsOn=function.alias_title,  # it is named in words, which CloudFormation does not take for a reference
        ServiceNamespace="lambda",
        ScalableDimension="lambda:function:ProvisionedConcurrency",
        ResourceId=Join(":", ["function", Ref(function), function.AutoPublishAlias]),
        MinCapacity=Ref(parameters.PROCESSOR_PROVISIONED_CONCURRENCY),
        MaxCapacity=Ref(parameters.PROCESSOR_PROVISIONED_CONCURRENCY_MAXIMUM),
    )
    return Scaling(
        target,
        ScalingPolicy(
            "ProcessorScalingPolicy",
            Condition=PROCESSOR_SCALES,
            PolicyName=parameters.suffixed("processor-provisioned-concurrency"),
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
