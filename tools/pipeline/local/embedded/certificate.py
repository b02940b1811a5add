"""The certificates of one embedded AWS: an authority made for it, and the server's certificate for this machine."""

from pathlib import Path
from typing import NamedTuple

import trustme

NAMES = ("localhost", "host.docker.internal", "127.0.0.1")  # the second is this machine as a container sees it


class Certificates(NamedTuple):
    """The files of a server's identity, and of the authority by which clients trust it."""

    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and a server certificate of it; the authority's key is kept nowhere."""
    files = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    authority = trustme.CA(organization_name="Data processing: embedded AWS")
    server = authority.issue_cert(*NAMES)
    authority.cert_pem.write_to_path(files.authority)
    server.cert_chain_pems[0].write_to_path(files.certificate)
    files.key.touch(mode=0o600)
    server.private_key_pem.write_to_path(files.key)
    return files
