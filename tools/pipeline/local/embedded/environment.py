"""The environments of the processes started here: they know the embedded AWS and no other."""

import os
from collections.abc import Mapping
from pathlib import Path

ACCOUNT, REGION, HOST = "000000000000", "us-east-1", "127.0.0.1"
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "COLUMNS", "USER", "LOGNAME", "SHELL")
"""The variables that are passed on: no AWS_*, no proxy, no other tool's switches."""
FUNCTION_KEY = "LOCAL_FUNCTION_KEY"
"""The variable by which `runtime/sitecustomize.py` gets what it mixes into a function's secret."""
FUNCTIONS_MINUTE = "SECONDS_A_MINUTE"  # the variable by which functions learn how long their waits are here
SHORTEST_MINUTE = 0.1  # real seconds. SQS counts seconds, so what is shorter is none the sooner.
RUNTIME = Path(__file__).resolve().parent / "runtime"  # on the path of the functions' interpreters


def base(folder: Path) -> dict[str, str]:
    """Return what a child process needs of this one's environment, with its temporary files in `folder`."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"TMPDIR": str(folder), "PYTHONUTF8": "1"}


def exports(endpoint: str, ca_bundle: Path, access_key: str, secret_key: str) -> dict[str, str]:
    """Return the variables by which every AWS tool finds the embedded AWS."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_CA_BUNDLE": str(ca_bundle),
    }


def for_tools(exported: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of the SAM CLI, which knows the embedded AWS alone and writes into `folder` alone."""
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), str(folder / "no-such-file"))
    return {**base(folder), **exported, **files} | {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",  # seconds between looks at a stack, which here is deployed in a moment
        "__SAM_CLI_APP_DIR": str(folder),
    }


def for_ministack(
    exported: Mapping[str, str], folder: Path, port: int, *, function_key: str = "", minute: float = 60
) -> dict[str, str]:
    """Return MiniStack's switches. Functions get these variables too, and so call back over TLS."""
    return dict(exported) | {
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "USE_SSL": "1",  # makes the URLs that it hands out https; it is served by us
        "AUTH": "true",
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",  # Lambda's default
        # Each of these would bind a port of its own, the same one in every instance.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/no-docker",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        "LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(RUNTIME),
        FUNCTION_KEY: function_key,
        FUNCTIONS_MINUTE: str(max(minute, SHORTEST_MINUTE)),
    }
