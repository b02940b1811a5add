"""The number of instances that a stage may have: its own parameters, and the properties that use them."""

from typing import NamedTuple

from troposphere import And, AWSHelperFn, Condition, Equals, Not, Ref
from troposphere.awslambda import ProvisionedConcurrencyConfiguration

from ..conditions import CONCURRENCY_IS_RESERVED, IS_WATCHED, given, when
from ..parameters import RESERVED_CONCURRENCY, SPEED, Choice, count
from .stage import Stage


class Provisioned(NamedTuple):
    """The warm instances of one stage: how many at least, how many at most, and the conditions by their names."""

    minimum: Choice
    maximum: Choice
    is_on: str
    scales: str
    is_watched: str

    @property
    def conditions(self) -> dict[str, AWSHelperFn]:
        """Define the conditions."""
        return {
            # 0 is no valid concurrency, provisioned or reserved: the property has to be absent.
            self.is_on: given(self.minimum),
            # CloudFormation cannot compare numbers. A maximum below the minimum is refused by Application Auto Scaling.
            self.scales: And(
                Condition(self.is_on), given(self.maximum), Not(Equals(Ref(self.maximum), Ref(self.minimum)))
            ),
            self.is_watched: And(Condition(self.is_on), Condition(IS_WATCHED)),
        }


class Cap(NamedTuple):
    """The cap of one stage, if it has its own, and the condition by its name."""

    most: Choice
    is_on: str


class Capacity(NamedTuple):
    """What is chosen about one stage's instances, and the properties that follow."""

    provisioned: Provisioned | None
    cap: Cap | None

    @property
    def parameters(self) -> list[Choice]:
        """What is chosen for this stage alone."""
        warm = [self.provisioned.minimum, self.provisioned.maximum] if self.provisioned else []
        return [*warm, *([self.cap.most] if self.cap else [])]

    @property
    def conditions(self) -> dict[str, AWSHelperFn]:
        """Define the conditions that follow from that, by their names."""
        warm = self.provisioned.conditions if self.provisioned else {}
        return {**warm, **({self.cap.is_on: given(self.cap.most)} if self.cap else {})}

    @property
    def kept_warm(self) -> AWSHelperFn | None:
        """Keep the least number of instances warm, if there is any."""
        if not self.provisioned:
            return None
        number = ProvisionedConcurrencyConfiguration(ProvisionedConcurrentExecutions=Ref(self.provisioned.minimum))
        return when(self.provisioned.is_on, number)

    @property
    def reserved(self) -> AWSHelperFn:
        """Cap the instances: by the stage's own number, by that of every stage, or not at all."""
        for_all = when(CONCURRENCY_IS_RESERVED, Ref(RESERVED_CONCURRENCY))
        return when(self.cap.is_on, Ref(self.cap.most), otherwise=for_all) if self.cap else for_all


def capacity(stage: Stage) -> Capacity:
    """Let be chosen what the stage leaves to choose."""
    return Capacity(
        provisioned=None if stage.provisioned is None else _provisioned(stage, stage.provisioned),
        cap=_cap(stage) if stage.capped else None,
    )


def _provisioned(stage: Stage, default: int) -> Provisioned:
    least = f"{stage.title}ProvisionedConcurrency"
    return Provisioned(
        minimum=count(
            least,
            default,
            group=SPEED,
            label=f"Warm instances of the {stage.name}",
            description=f"Instances of the {stage.name} that are kept warm; 0 for none, which costs nothing; "
            "an account with a quota of 10 concurrent executions can have none. Change it in a deployment of its own: "
            "Lambda refuses it while traffic shifts",
            zero="none",
        ),
        maximum=count(
            f"{least}Maximum",
            group=SPEED,
            label=f"Warm instances of the {stage.name} at most",
            description=f"Above {least}: autoscaling keeps from that to this number warm; 0 for none",
            zero="no autoscaling",
        ),
        is_on=f"{stage.title}IsProvisioned",
        scales=f"{stage.title}Scales",
        is_watched=f"{stage.title}IsWatched",
    )


def _cap(stage: Stage) -> Cap:
    most = count(
        f"{stage.title}ReservedConcurrency",
        group=SPEED,
        label=f"Instances of the {stage.name} at most",
        description=f"Most instances of the {stage.name}, so that it cannot overrun what it calls; "
        f"0 for {RESERVED_CONCURRENCY.title}",
        zero=f"the same as {RESERVED_CONCURRENCY.title}",
    )
    return Cap(most, is_on=f"{stage.title}IsReserved")
