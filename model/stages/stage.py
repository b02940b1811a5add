"""A stage of the pipeline as a value: having one is proof that it can be built."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from awacs.aws import Statement
from troposphere import AWSHelperFn

from ..project import LONGEST_STAGE

SMALLEST, LARGEST, STEP = 128, 10240, 64  # MB
LONGEST = 15 * 60  # seconds, the longest that Lambda lets a function run
FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
# Modules of the runtime beside Python's own. Python would import a module of functions/ in their place.
OF_THE_RUNTIME = {"awslambdaric", "boto3", "botocore", "dateutil", "jmespath", "sitecustomize", "six", "urllib3"}
LONGEST_DESCRIPTION = 200  # of the 256 characters that Lambda takes; the digest of the configuration gets the rest


@dataclass(frozen=True)
class Stage:
    """The description of one stage.

    Attributes:
        name: Lower-case name of the stage and of its module in functions/.
        description: What the function does, a sentence without its full stop.
        memory: MB.
        retries: Attempts after the first; 0 where a failure is final.
        timeout: Seconds that the function may take for an event.
        calls: What the function's code may call, beyond its logs, its traces and the dead-letter queue.
        environment: The function's environment variables, beyond those of every stage.
        provisioned: Instances that are kept warm by default, 0 for none. A stage that has a number, even 0, has the
            parameters <Stage>ProvisionedConcurrency and <Stage>ProvisionedConcurrencyMaximum.
        capped: Whether the stage has the parameter <Stage>ReservedConcurrency, a cap of its own.
        polled: Whether the messages of a queue start the function, instead of events.
        gradual: Whether CodeDeploy shifts its traffic to a new version, if that is chosen for the stack.
        invokes_itself: Whether it goes on with an event in further invocations, which Lambda ends after 16 otherwise.
        retired: Whether the stage before hands on past it. A retired stage still works off the events that wait for it,
            which would be lost with its function.

    Raises:
        ValueError: a value is none that the model can build.
    """

    name: str
    _: KW_ONLY
    description: str
    memory: int
    retries: int = 2
    timeout: int = 60
    calls: Sequence[Statement | AWSHelperFn] = ()
    environment: Mapping[str, AWSHelperFn | str] = field(default_factory=dict)
    provisioned: int | None = None
    capped: bool = False
    polled: bool = False
    gradual: bool = True
    invokes_itself: bool = False
    retired: bool = False

    def __post_init__(self) -> None:
        if len(self.name) > LONGEST_STAGE or not re.fullmatch(r"[a-z][a-z0-9]*", self.name):
            raise ValueError(
                f"the name of a stage must be one word of at most {LONGEST_STAGE} lower-case letters and digits, since "
                f"it is part of a function's name (got '{self.name}')"
            )
        if taken := _taken(self.name):
            raise ValueError(
                f"the name of a stage must be free for its module in functions/ (got '{self.name}', which is {taken})"
            )
        self._check(
            "the description",
            0 < len(self.description) <= LONGEST_DESCRIPTION,
            f"have 1 to {LONGEST_DESCRIPTION} characters",
            len(self.description),
        )
        self._check(
            "memory",
            self.memory % STEP == 0 and SMALLEST <= self.memory <= LARGEST,
            f"be a multiple of {STEP} MB from {SMALLEST} to {LARGEST}",
            self.memory,
        )
        self._check("retries", self.retries in (0, 1, 2), "be 0, 1 or 2", self.retries)
        self._check("timeout", 1 <= self.timeout <= LONGEST, f"be 1 to {LONGEST} s", self.timeout)
        self._check("provisioned", (self.provisioned or 0) >= 0, "be 0 or more instances", self.provisioned)

    @property
    def title(self) -> str:
        """How the logical ids of the stage's resources begin."""
        return self.name.capitalize()

    def _check(self, what: str, holds: bool, must: str, got: object) -> None:
        if not holds:
            raise ValueError(f"{what} of '{self.name}' must {must} (got {got})")


def _taken(name: str) -> str:
    """Say whose module has a name already, since the stage's would be imported in its place; empty if nobody's."""
    if name in sys.stdlib_module_names or name == "test":  # which that list leaves out
        return "a module of Python's standard library"
    if name in OF_THE_RUNTIME:
        return "a module of Lambda's runtime"
    if (FUNCTIONS / name).is_dir():
        return "a package of functions/"
    module = FUNCTIONS / f"{name}.py"
    if module.exists() and not re.search(r"(?m)^(def handler\(|handler\b)", module.read_text(encoding="utf-8")):
        return "a module of functions/ without a handler"
    return ""
