"""A request to sign."""

from __future__ import annotations


class AWSRequest:
    """What botocore's class of this name holds."""

    def __init__(self, method: str, url: str, headers: dict[str, str], data: bytes) -> None:
        self.method, self.url, self.headers, self.data = method, url, headers, data
