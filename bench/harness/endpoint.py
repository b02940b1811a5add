"""The fake services, each started in a process of its own: what is measured is the caller."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import trustme

from bench.harness.installed import ROOT

# What DynamoDB takes, in seconds: it promises single-digit milliseconds for a single write; a batch of 25 takes longer.
LATENCY = {"PutItem": 0.004, "BatchExecuteStatement": 0.010}


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[str]:
    """Run a fake service until the block ends; yields the port that it prints."""
    command = [sys.executable, "-m", f"bench.harness.{module}", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout  # noqa: S101 - it is a pipe
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@contextmanager
def endpoint(
    folder: Path, *, tls: bool, roots: Path | None = None, latency: Mapping[str, float] | None = None
) -> Iterator[dict[str, str]]:
    """Serve a table until the block ends; yields the variables by which Python and Node.js find and trust it.

    `roots` are trusted besides, since real clients load all of them too; `latency` is in seconds, by operation.
    """
    files, trust = _secured(folder, roots) if tls else ({}, {})
    with serving("fake_dynamodb", json.dumps({"latency": latency or {}, **files})) as port:
        url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        yield {"AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_ENDPOINT_URL": url, **trust}


def _secured(folder: Path, roots: Path | None) -> tuple[dict[str, str], dict[str, str]]:
    authority, bundle, files = folder / "ca.pem", folder / "bundle.pem", folder / "server.pem"
    # The functions trust Amazon's authorities first, which AWS's endpoints have their certificates from.
    issuer = trustme.CA(organization_name="Amazon")
    issuer.cert_pem.write_to_path(authority)
    issuer.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(files)
    bundle.write_bytes((roots.read_bytes() if roots else b"") + authority.read_bytes())
    trust = {"AWS_CA_BUNDLE": str(bundle), "NODE_EXTRA_CA_CERTS": str(authority)}
    return {"certificate": str(files)}, trust
