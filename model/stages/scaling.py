"""Autoscaling of provisioned concurrency: more warm instances while they are busy, fewer when they are not."""

from typing import Any

from troposphere import Join, Ref
from troposphere.applicationautoscaling import (
    CustomizedMetricSpecification,
    PredefinedMetricSpecification,
    ScalableTarget,
    ScalingPolicy,
    TargetTrackingMetric,
    TargetTrackingMetricDataQuery,
    TargetTrackingMetricDimension,
    TargetTrackingMetricStat,
    TargetTrackingScalingPolicyConfiguration,
)

from model import parameters

from . import sam
from .capacity import Provisioned

# https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html recommends 70 % of the warm instances.
UTILIZATION = 0.7


def scaling(name: str, function: sam.Function, provisioned: Provisioned) -> tuple[ScalableTarget | ScalingPolicy, ...]:
    """Keep between the two chosen numbers of instances warm, so that seven in ten are busy.

    Without invocations there is no utilization, and without data a policy scales nothing in. So a second policy, which
    takes silence for 0, scales in. It could not do without the first: the newest minutes, which are reported late, are
    0 for it as well, and it might never scale out. Any policy scales out; one that may not scale in has no say in it.
    https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
    """
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
    reported = PredefinedMetricSpecification(PredefinedMetricType="LambdaProvisionedConcurrencyUtilization")
    filled = CustomizedMetricSpecification(Metrics=_utilization(function))
    title = name.capitalize()
    # A policy whose id or name changes is made anew before the old one goes, and a target takes only one policy for a
    # metric: such a deployment fails.
    return (
        target,
        _policy(
            f"{title}ScalingPolicy",
            f"{name}-provisioned-concurrency",
            target,
            PredefinedMetricSpecification=reported,
            DisableScaleIn=True,
        ),
        _policy(f"{title}ScaleInPolicy", f"{name}-scale-in", target, CustomizedMetricSpecification=filled),
    )


def _policy(title: str, name: str, target: ScalableTarget, **tracked: Any) -> ScalingPolicy:
    tracking = TargetTrackingScalingPolicyConfiguration(**tracked, TargetValue=UTILIZATION)
    return ScalingPolicy(
        title,
        Condition=target.Condition,
        PolicyName=parameters.suffixed(name),
        PolicyType="TargetTrackingScaling",
        ScalingTargetId=Ref(target),
        TargetTrackingScalingPolicyConfiguration=tracking,
    )


def _utilization(function: sam.Function) -> list[TargetTrackingMetricDataQuery]:
    """Read the share of the warm instances that are busy, 0 where nothing was reported."""
    dimensions = {"FunctionName": Ref(function), "Resource": Join(":", [Ref(function), function.AutoPublishAlias])}
    reported = TargetTrackingMetricStat(
        Metric=TargetTrackingMetric(
            Namespace="AWS/Lambda",
            MetricName="ProvisionedConcurrencyUtilization",
            Dimensions=[TargetTrackingMetricDimension(Name=name, Value=value) for name, value in dimensions.items()],
        ),
        Stat="Average",  # as the predefined metric has it
    )
    return [
        TargetTrackingMetricDataQuery(Id="reported", MetricStat=reported, ReturnData=False),
        TargetTrackingMetricDataQuery(Id="utilization", Expression="FILL(reported, 0)", ReturnData=True),
    ]
