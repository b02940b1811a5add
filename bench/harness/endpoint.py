"""The fake DynamoDB, started: over HTTP or over TLS, with the trust that its callers need."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import trustme

from bench.harness.installed import ROOT

# What DynamoDB itself takes, in seconds: a single write is answered in single-digit milliseconds, as it promises; a
# batch of 25 takes longer.
LATENCY = {"PutItem": 0.004, "BatchExecuteStatement": 0.010}


class Endpoint(NamedTuple):
    """Where it is, and the variables by which Python and Node.js find and trust it."""

    url: str
    environment: dict[str, str]


@contextmanager
def endpoint(
    folder: Path, *, tls: bool, roots: Path | None = None, latency: Mapping[str, float] | None = None
) -> Iterator[Endpoint]:
    """Serve until the block ends.

    `roots` are trusted besides, since real clients load all of them too; `latency` is in seconds, by operation.
    """
    files, trust = _secured(folder, roots) if tls else ({}, {})
    settings = json.dumps({"latency": latency or {}, **files})
    server = [sys.executable, "-m", "bench.harness.fake_dynamodb", settings]
    process = subprocess.Popen(server, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout  # noqa: S101 - it is a pipe
        port = process.stdout.readline().strip()
        url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        yield Endpoint(url, {"AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_ENDPOINT_URL": url, **trust})
    finally:
        process.kill()
        process.communicate()


def _secured(folder: Path, roots: Path | None) -> tuple[dict[str, str], dict[str, str]]:
    authority, bundle, files = folder / "ca.pem", folder / "bundle.pem", folder / "server.pem"
    # The functions trust Amazon's authorities first, which AWS' endpoints have their certificates from.
    issuer = trustme.CA(organization_name="Amazon")
    issuer.cert_pem.write_to_path(authority)
    issuer.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(files)
    bundle.write_bytes((roots.read_bytes() if roots else b"") + authority.read_bytes())
    trust = {"AWS_CA_BUNDLE": str(bundle), "NODE_EXTRA_CA_CERTS": str(authority)}
    return {"certificate": str(files)}, trust
