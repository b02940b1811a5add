"""A pipeline of the tests' own, which stays as it is when the project's stages and their sizes change."""

import shutil
from pathlib import Path

from awacs import dynamodb
from troposphere import GetAtt, NoValue, Ref, Template

from model import policy, storage
from model.stack import assemble
from model.stages.function import pipeline
from model.stages.stage import Stage
from pipeline.generated.render import render

OWN = Path(__file__).resolve().parent
FUNCTIONS = OWN.parents[1] / "functions"


def build() -> Template:
    """Describe the stack of three stages, of which only the last one calls anything."""
    table, dead_letters = storage.data_table(), storage.dead_letters()
    stages = pipeline(
        Stage("validator", description="Checks each record", memory=512, retries=0),
        Stage("enricher", description="Marks each record", memory=768),
        Stage(
            "processor",
            description="Stores each record",
            memory=512,
            calls=[
                policy.allow(dynamodb.PutItem, dynamodb.PartiQLInsert, on=GetAtt(table, "Arn")),
                policy.use_key("dynamodb"),
            ],
            environment={"TABLE_NAME": Ref(table), "AWS_ENDPOINT_URL_DYNAMODB": NoValue},
            provisioned=2,
            capped=True,
        ),
        dead_letters=dead_letters.queue,
    )
    return assemble(table, dead_letters, stages)


def write(folder: Path) -> Path:
    """Write the template and the code of the pipeline into a folder, and return it."""
    shutil.copytree(FUNCTIONS, folder / "functions", ignore=shutil.ignore_patterns("__pycache__", "data_schema.py"))
    shutil.copy(OWN / "enricher.py", folder / "functions")
    shutil.copy(OWN.parents[1] / "samconfig.toml", folder)
    (folder / "template.yaml").write_text(render(build()), "utf-8")
    return folder
