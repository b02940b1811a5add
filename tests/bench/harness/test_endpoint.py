"""The started endpoint: trusted over TLS by what its variables name, and by the functions' first look."""

from __future__ import annotations

import ssl
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from bench.harness.endpoint import endpoint


def test_its_bundle_is_what_a_caller_has_to_trust(tmp_path: Path) -> None:
    with endpoint(tmp_path, tls=True) as fake:
        context = ssl.create_default_context(cafile=fake.environment["AWS_CA_BUNDLE"])
        connection = HTTPSConnection("localhost", urlsplit(fake.url).port, context=context, timeout=10)
        connection.request("POST", "/", b"{}")
        assert connection.getresponse().read() == b"{}"
        connection.close()


def test_its_authority_is_among_those_that_the_functions_trust_first(tmp_path: Path) -> None:
    # Else each cold start would be measured with a handshake that fails, as it does not on AWS.
    with endpoint(tmp_path, tls=True) as fake:
        (authority,) = ssl.create_default_context(cafile=fake.environment["AWS_CA_BUNDLE"]).get_ca_certs()
    assert "Amazon" in str(authority["subject"])


def test_other_authorities_are_in_the_bundle_too(tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_text("others\n")
    with endpoint(tmp_path, tls=True, roots=roots) as fake:
        assert Path(fake.environment["AWS_CA_BUNDLE"]).read_text().startswith("others\n")
