"""Tell what a deployment would do to records, waiting events and aliases, as far as CloudFormation and SAM don't.

The new template is compared with the deployed one, each with its parameters, and with the versions that are live.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, Self
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pipeline.letters.queue import DeadLetterQueue
from pipeline.questions import functions
from pipeline.questions.functions import Account, Traffic, Version
from pipeline.questions.status import Alarm, alarms, resources
from pipeline.questions.template import Template, read
from pipeline.stack import Stack, StackError, follow
from pipeline.stack import read as read_stack
from pipeline.stack.aws import Access
from pipeline.stack.stack import find
from pipeline.terminal.printable import counted

KEY = "KmsKeyArn"
RETAINED = {
    "AWS::DynamoDB::Table": ("TableName", "KeySchema", "ImportSourceSpecification"),
    "AWS::SQS::Queue": ("QueueName", "FifoQueue"),
    "AWS::S3::Bucket": ("BucketName", "BucketNamePrefix", "BucketNamespace"),
}
"""What holds data, and the properties whose change makes CloudFormation replace it."""
NO_PART_OF_A_VERSION = (
    *("AutoPublishAlias", "AutoPublishAliasAllProperties", "CodeUri", "DeploymentPreference", "Description"),
    *("EventInvokeConfig", "FunctionName", "ProvisionedConcurrencyConfig", "ReservedConcurrentExecutions", "Tags"),
)
PUBLISHING = ("CodeUri", "Environment", "MemorySize", "SnapStart")
"""What makes SAM publish a version of a function without AutoPublishAliasAllProperties."""
EVENT_AGE = timedelta(hours=6)  # how long an event may wait
LEFT = {"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
"""States from which a stack can only be deleted."""


class Finding(NamedTuple):
    """Something to know before a deployment."""

    finding: str
    resource: str
    what: str
    do: str


class StageState(NamedTuple):
    """A stage's function as it is live."""

    name: str
    traffic: Sequence[Traffic] = ()
    versions: Sequence[Version] = ()
    deployed: str = ""  # the number of the version that the stack published last
    reserved: int = 0
    received: float = 0  # events in the time that one may wait


class Deployed(NamedTuple):
    """A stack as it is deployed."""

    name: str
    status: str
    template: Template
    pipeline: Sequence[str]
    stages: Mapping[str, StageState]
    alarms: Sequence[Alarm]
    letters: int


class Code(NamedTuple):
    """The functions' code as the SAM CLI uploads it: the same files make the same archive."""

    checksum: str
    size: int  # bytes of the archive

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Pack a folder."""
        digest, archive = md5(usedforsecurity=False), BytesIO()
        with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
            for path in sorted(one for one in folder.rglob("*") if one.is_file() and "__pycache__" not in one.parts):
                content, name = path.read_bytes(), path.relative_to(folder).as_posix()
                digest.update(name.encode() + md5(content, usedforsecurity=False).hexdigest().encode())
                packed.writestr(ZipInfo(name), content, ZIP_DEFLATED)
        return cls(digest.hexdigest(), archive.tell())


def ask(access: Access, name: str) -> Deployed | None:
    """Ask AWS for a stack; None if there is none, StackError if it is no pipeline's."""
    client = access.client("cloudformation")
    if (described := find(client, name)) is None:
        return None
    status, nothing = described["StackStatus"], Template({}, {}, {})
    try:
        stack = follow(access.client("lambda"), read_stack(described))
    except StackError:
        if is_stuck(status):
            return Deployed(name, status, nothing, (), {}, (), 0)
        raise
    given = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
    text = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    kept = [one for one in resources(access, name) if one["ResourceType"].endswith("::Version")]
    published = [one["PhysicalResourceId"] for one in kept]
    depth = DeadLetterQueue(access.client("sqs"), stack.queue_url).depth()
    template = read(text, given, origin=f"The template of {name}")
    stages = {stage: _state(access, stack, stage, published) for stage in stack.stages}
    letters = depth.visible + depth.in_flight
    return Deployed(name, status, template, stack.pipeline, stages, alarms(access, name), letters)


def _state(access: Access, stack: Stack, stage: str, published: Sequence[str]) -> StageState:
    client, alias = access.client("lambda"), stack.stages[stage].alias
    function = alias.rpartition(":")[0]
    name = function.rpartition(":")[2]
    now = datetime.now(UTC)
    dimensions = [{"Name": "FunctionName", "Value": name}]
    metric = {"Namespace": "AWS/Lambda", "MetricName": "AsyncEventsReceived", "Dimensions": dimensions}
    when = {"StartTime": now - EVENT_AGE, "EndTime": now, "Period": int(EVENT_AGE.total_seconds())}
    points = access.client("cloudwatch").get_metric_statistics(**metric, **when, Statistics=["Sum"])["Datapoints"]
    traffic, versions = functions.traffic(client, alias), functions.versions(client, alias)
    deployed = next((arn.rpartition(":")[2] for arn in published if arn.rpartition(":")[0] == function), "")
    own, received = functions.reserved(client, alias) or 0, sum(point["Sum"] for point in points)
    return StageState(name, traffic, versions, deployed, own, received)


def findings(new: Template, old: Deployed | None, account: Account, code: Code) -> Iterator[Finding]:
    """Compare what is to be deployed with what is."""
    yield from _quota(new, old, account)
    if old is None:
        return
    if is_stuck(old.status):
        yield _stuck(old)
    if not old.template.resources:
        return
    yield from _data_left_behind(new, old)
    yield from _stages(new, old)
    yield from _keys(new, old)
    for alarm in old.alarms:
        if alarm.state == "ALARM":
            yield _alarm_on(new, alarm)
    for stage, state in old.stages.items():
        if len(state.traffic) > 1:
            yield _split(stage, state)
        if stage in new.functions:
            yield from _version(stage, new, old, code)


def is_stuck(status: str) -> bool:
    """Return whether a stack in this state can't be deployed."""
    return status in LEFT or status.endswith(("_FAILED", "_IN_PROGRESS"))


def _stuck(old: Deployed) -> Finding:
    failed = "continue-update-rollback" if old.status.endswith("_FAILED") else "describe-stack-events"
    do = f"aws cloudformation {'delete-stack' if old.status in LEFT else failed} --stack-name {old.name}"
    return Finding("stack-stuck", old.name, f"the stack is {old.status}, in which it can't be deployed", do)


def _data_left_behind(new: Template, old: Deployed) -> Iterator[Finding]:
    for name, resource in old.template.resources.items():
        kind, successor = resource["Type"], new.resources.get(name)
        if kind not in RETAINED:
            continue
        changed = [] if successor is None else _changed(resource, successor, RETAINED[kind])
        if successor is None or successor["Type"] != kind:
            what = "goes, and what it holds is left behind"
        elif changed:
            what = f"is replaced ({', '.join(changed)} changes) by an empty one, and what it holds is left behind"
        else:
            continue
        do = {
            "AWS::DynamoDB::Table": "pipeline export -o records.jsonl, and pipeline submit records.jsonl afterwards",
            "AWS::SQS::Queue": "pipeline redrive, before the deployment",
        }.get(kind, "aws s3 sync s3://OLD s3://NEW, after the deployment")
        yield Finding("data-left-behind", name, f"{name} {what}", do)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    before, after = old.get("Properties", {}), new.get("Properties", {})
    return [name for name in names if before.get(name) != after.get(name)]


def _stages(new: Template, old: Deployed) -> Iterator[Finding]:
    before = old.template.functions
    for stage, state in old.stages.items():
        goes = stage not in new.functions
        if not goes and new.functions[stage].get("FunctionName") == before.get(stage, {}).get("FunctionName"):
            continue
        if stage in old.pipeline or state.received or old.letters:
            how = "goes" if goes else "is replaced by one of another name"
            fate = "and with it the events that wait for it; dead letters of it fit no stage any more"
            do = "pipeline redrive; and deploy it with retired=True for six hours"
            yield Finding("stage-goes", state.name, f"the {stage} {how}, {fate}", do)
    if old.letters and tuple(old.pipeline) != new.stages:
        waiting = counted(old.letters, "dead letter waits", "dead letters wait")
        what = f"{' -> '.join(old.pipeline)} becomes {' -> '.join(new.stages)} while {waiting}"
        yield Finding("letters-wait", "DeadLetterQueue", f"{what}, which may fit no stage then", "pipeline redrive")


def _keys(new: Template, old: Deployed) -> Iterator[Finding]:
    before, after = old.template.parameters.get(KEY, ""), new.parameters.get(KEY, "")
    if before == after:
        return
    if after:
        fate = "writes fail for minutes, and letters may be lost"
        what = f"table and queue get the key before the roles may use it: {fate}"
        yield Finding("key-added", KEY, what, "stop the producers until AsyncEventAge has no points, then deploy")
    if before:
        what = f"what is stored stays encrypted with {before}, which the roles may not use any more"
        yield Finding("key-removed", KEY, what, "pipeline export -o records.jsonl; and don't delete the key")


def _alarm_on(new: Template, alarm: Alarm) -> Finding:
    gradual = new.parameters.get("GradualDeployment") == "true"
    what = f"the alarm {alarm.name} is on: the deployment would hide what it does to it"
    if gradual and re.search(r"-(failures|lost-results)-", alarm.name):
        what = f"the alarm {alarm.name} is on: CodeDeploy refuses to shift traffic (ALARM_ACTIVE)"
    return Finding("alarm-on", alarm.name, what, "pipeline status")


def _split(stage: str, state: StageState) -> Finding:
    parts = ", ".join(f"{one.weight:.0%} to version {one.number}" for one in state.traffic)
    do = f"{_update_alias(state.name, state.traffic[0].number)} --routing-config '{{}}'"
    return Finding("alias-split", state.name, f"the traffic of the {stage} is split ({parts}): deployments fail", do)


def _update_alias(name: str, number: str) -> str:
    return f"aws lambda update-alias --function-name {name} --name live --function-version {number}"


def _version(stage: str, new: Template, old: Deployed, code: Code) -> Iterator[Finding]:
    """Find what keeps a change from `live`, or a version from being published."""
    title, state = f"{stage.capitalize()}Function", old.stages[stage]
    written = [side.get(title, {}).get("Properties", {}) for side in (old.template.source, new.source)]
    decided = [side.get(title, {}).get("Properties", {}) for side in (old.template.resources, new.resources)]
    same_code = str(written[0].get("CodeUri", "")).endswith(code.checksum)
    names = sorted({*written[0], *written[1]} - {"CodeUri"})
    if not written[1].get("AutoPublishAliasAllProperties"):
        names = [name for name in names if name in PUBLISHING]
    publishes = not same_code or any(written[0].get(name) != written[1].get(name) for name in names)
    reach = [name for name in sorted({*decided[0], *decided[1]}) if name not in NO_PART_OF_A_VERSION]
    lost = [name for name in reach if decided[0].get(name) != decided[1].get(name)]
    if lost and not publishes:
        what = f"the change of {', '.join(lost)} publishes no version, so it does not reach live"
        yield Finding("not-live", state.name, what, "change the stage's description in model/stack.py too")
    live = state.traffic[0].number if state.traffic else "none"
    if state.deployed and live != state.deployed and len(state.traffic) < 2 and not publishes:
        what = f"live is at version {live}, moved by hand, and stays there: the stack published {state.deployed}"
        yield Finding("not-live", state.name, what, _update_alias(state.name, state.deployed))
    newest = state.versions[0] if state.versions else None
    left = newest is not None and state.deployed and int(newest.number) > int(state.deployed)
    if left and newest and (newest.description, newest.code_size) == (decided[1].get("Description"), code.size):
        what = f"version {newest.number}, which a rollback left, equals what is to be published: Lambda refuses it"
        attempt = int(new.parameters.get("DeploymentAttempt", 1)) + 1
        do = f"sam deploy, with DeploymentAttempt={attempt} beside all other parameters"
        yield Finding("equal-version", state.name, what, do)


def _quota(new: Template, old: Deployed | None, account: Account) -> Iterator[Finding]:
    """Find what Lambda refuses: some executions have to stay unreserved, 100 or, of a new account, all 10."""
    own = sum(state.reserved for state in old.stages.values()) if old else 0
    taken = 0
    for properties in new.functions.values():
        warm = int(properties.get("ProvisionedConcurrencyConfig", {}).get("ProvisionedConcurrentExecutions", 0))
        taken += int(properties.get("ReservedConcurrentExecutions", warm))
    least = 100 if account.limit > 100 else 10
    if taken and account.unreserved + own - taken < least:
        what = (
            f"{taken} of the account's {account.limit} concurrent executions are to be reserved or kept warm, and of "
            f"the {account.unreserved + own} that are free {least} have to stay"
        )
        do = (
            "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
            f"--desired-value {account.limit + taken + least}; or deploy with ProcessorProvisionedConcurrency=0"
        )
        yield Finding("quota", "account", what, do)
