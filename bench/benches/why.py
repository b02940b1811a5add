"""Why destinations: what a million records cost if the same stages are connected in other ways, and an idle stack."""

import tomllib
from math import ceil

from bench import prices
from bench.benches.batches import cost, published
from bench.harness.configured import stages
from bench.harness.installed import ROOT
from bench.harness.setup import Setup
from bench.prices import MILLION
from bench.results.figures import Row, Sample, Table
from model import build

RECORD = 250  # bytes
WORKFLOW_GB = 64 / 1024  # the least that an Express workflow is billed for; three small steps need no more
SQS_CHUNK = 64 * 1024  # bytes that are one request
RETENTION = 14 / 30  # months for which a durable execution is kept by default
MONTH = 730 * 3600  # seconds
SCALING_ALARMS = 4  # that AWS makes for two policies which track a target
NOTES = [
    "Connecting: requests to Lambda, and the price of the service between the stages. The rest is compute, logs, the "
    "table's writes, and X-Ray's traces of 5 % of the events.",
    "Step Functions Standard: a transition for each stage. Express: 64 MB for as long as the stages take, rounded up "
    "to 100 ms. The service's own time is not known and not counted.",
    "Durable function: four operations (the start and three steps), the record written three times and kept for 14 "
    "days. The time of its checkpoints is not known and not counted.",
    "SQS: two queues, each message sent, received and deleted alone. The time that a stage takes to send is not "
    "counted; Lambda may receive ten messages in a request.",
]


IDLE_NOTES = [
    "dev and prod as in samconfig.toml, prod with an address for its alarms. AWS gives ten alarms and three dashboards "
    "a month for nothing. Not counted: what the table and the logs hold.",
]


def why(_: Setup) -> list[Table]:
    """Compute what a million records cost by destinations and by other ways, and what an idle stack costs."""
    known = published()
    labelled = {"one by one": ways(known[1], 1), "by 100": ways(known[100], 100)}
    rows = [
        Row(name=name, samples=[{f"{label}, {part}": value for label, priced in labelled.items()
            for part, value in (("connecting", priced[name][0]), ("in all", sum(priced[name])))}])
        for name in labelled["by 100"]
    ]  # fmt: skip
    title = "A million records of 250 bytes through the same three stages (USD)"
    waiting = [Row(name=name, samples=[idle(section)]) for name, section in (("dev", "default"), ("prod", "prod"))]
    return [
        Table(name="why", title=title, rows=rows, notes=[*NOTES, prices.load().remark]),
        Table(name="idle", title="A month of an idle stack (USD)", rows=waiting, notes=IDLE_NOTES),
    ]


def idle(section: str) -> Sample:
    """Return what a month costs without any record, with the parameters of a section of samconfig.toml."""
    current = prices.load()
    given = tomllib.loads((ROOT / "samconfig.toml").read_text())[section]["deploy"]["parameters"]["parameter_overrides"]
    parameters = dict(pair.split("=", 1) for pair in (given.split() if isinstance(given, str) else given))
    warm, watched = int(parameters["ProcessorProvisionedConcurrency"]), "GradualDeployment" in parameters
    alarms = [one for one in build().to_dict()["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    conditions = {None, *(["IsWatched", "ProcessorIsWatched"] if watched else [])}
    # An alarm on an expression costs as many as the metrics in it.
    made = sum(
        sum("MetricStat" in query for query in one["Properties"].get("Metrics", [])) or 1
        for one in alarms
        if one.get("Condition") in conditions
    )
    scaled = SCALING_ALARMS if "ProcessorProvisionedConcurrencyMaximum" in parameters else 0
    gb = warm * stages()["processor"].memory / 1024
    parts = {
        "warm processors": gb * MONTH * current.lambda_provisioned_gb_second_arm64,
        "alarms": (made + scaled) * current.alarm_month,
        "dashboard": watched * current.dashboard_month,
    }
    return {**parts, "in all": sum(parts.values())}


def ways(took: Sample, size: int) -> dict[str, tuple[float, float]]:
    """Return what a million records cost in events of so many: to connect the stages, and the rest."""
    current, parts, count = prices.load(), cost(took, size), len(stages())
    rest = sum(parts.values()) - parts["requests"]
    events = MILLION / size
    request, duration = events * current.lambda_request, sum(took[f"{stage} (ms)"] for stage in stages())
    gb_seconds = WORKFLOW_GB * ceil(duration / 100) / 10
    express = current.step_functions_express_request + gb_seconds * current.step_functions_express_gb_second
    written = RECORD * count * MILLION / 1e9
    kept = written * (current.lambda_durable_gb_written + RETENTION * current.lambda_durable_gb_month)
    message = 3 * ceil(RECORD * size / SQS_CHUNK) * current.sqs_request
    memory, logged = max(one.memory for one in stages().values()), took[f"{list(stages())[-1]} log (bytes)"]
    runs = prices.runs(current, memory, duration, logged)  # of one function that does the work of all
    one = parts["table"] + parts["traces"] + (runs["compute"] + runs["log"]) / size
    return {
        "destinations (this project)": (count * request, rest),
        "Step Functions Standard": (count * (request + events * current.step_functions_transition), rest),
        "Step Functions Express": (count * request + events * express, rest),
        "a durable function": (request + (count + 1) * events * current.lambda_durable_operation + kept, one),
        "SQS between the stages": (count * request + (count - 1) * events * message, rest),
        "one function": (request, one),
    }
