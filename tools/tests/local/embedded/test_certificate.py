"""The certificates of an embedded AWS."""

import ssl
from pathlib import Path

import pytest

from pipeline.local.embedded.certificate import make_certificates


def test_the_server_certificate_is_trusted_by_its_authority_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    made, other = make_certificates(tmp_path), make_certificates(tmp_path / "other")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.certificate, made.key)

    def handshake(authority: Path, name: str) -> None:
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.create_default_context(cafile=authority).wrap_bio(to_client, to_server, server_hostname=name)
        side = server.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(4):
            for half in (client, side):
                try:
                    half.do_handshake()
                except ssl.SSLWantReadError:
                    continue

    for name in ("127.0.0.1", "localhost", "host.docker.internal"):
        handshake(made.authority, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(other.authority, "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(made.authority, "dynamodb.us-east-1.amazonaws.com")
    assert made.key.stat().st_mode & 0o077 == 0
