"""The started table endpoint, over HTTP or over TLS, with the trust that its callers need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from local.certificate import make_certificates


class Endpoint(NamedTuple):
    """Where the endpoint is, and the variables by which Python and Node.js find and trust it."""

    url: str
    environment: dict[str, str]


@contextmanager
def endpoint(folder: Path, *, tls: bool, roots: Path | None = None) -> Iterator[Endpoint]:
    """Serve until the block ends. `roots` are trusted besides: real clients load all of them too."""
    arguments, trust = _secured(folder, roots) if tls else ([], {})
    server = [sys.executable, str(Path(__file__).with_name("fake_dynamodb.py")), *arguments]
    process = subprocess.Popen(server, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout  # noqa: S101 - it is a pipe
        port = process.stdout.readline().strip()
        url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        yield Endpoint(url, {"AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_ENDPOINT_URL": url, **trust})
    finally:
        process.kill()
        process.communicate()


def _secured(folder: Path, roots: Path | None) -> tuple[list[str], dict[str, str]]:
    folder.mkdir(parents=True, exist_ok=True)
    files = make_certificates(folder)
    bundle = folder / "bundle.pem"
    bundle.write_bytes((roots.read_bytes() if roots else b"") + files.authority.read_bytes())
    trust = {"AWS_CA_BUNDLE": str(bundle), "NODE_EXTRA_CA_CERTS": str(files.authority)}
    return [str(files.certificate), str(files.key)], trust
