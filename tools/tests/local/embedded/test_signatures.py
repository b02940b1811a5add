"""Signatures, and the gap of MiniStack that makes a second secret necessary."""

import os
import subprocess
import sys

from pipeline.local.embedded.environment import FUNCTION_KEY, RUNTIME
from pipeline.local.embedded.signatures import Owner, mixed

PREDICTABLE = """
import os
os.environ["AUTH"] = "true"
from ministack.core.lambda_runtime import execution_credentials
arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
made = execution_credentials({"FunctionArn": arn, "FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r"})
print(made["AWS_SECRET_ACCESS_KEY"])
"""


def run(code: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_no_two_starts_have_a_secret_in_common() -> None:
    assert len({secret for _ in range(3) for secret in Owner.make()}) == 9


def test_a_function_signs_with_a_secret_of_this_start_and_does_not_see_the_key() -> None:
    code = f"import os; print(os.environ['AWS_SECRET_ACCESS_KEY'], os.environ.get('{FUNCTION_KEY}'))"
    function = {"AWS_LAMBDA_FUNCTION_NAME": "f", "PYTHONPATH": str(RUNTIME), "AWS_SECRET_ACCESS_KEY": "known"}
    assert run(code, **function, **{FUNCTION_KEY: "key"}) == f"{mixed('key', 'known')} None"


def test_ministack_alone_still_makes_the_same_secret_at_each_start() -> None:
    """When this fails, MiniStack makes up secrets for functions: remove `mixed` and its counterpart in the runtime."""
    assert run(PREDICTABLE) == run(PREDICTABLE) != ""
