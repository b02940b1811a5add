"""AWS' signature version 4 for the one kind of request that the processor sends."""

from __future__ import annotations

import hmac
import time
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit


class SigV4Auth:
    """Sign as botocore's class of this name does."""

    def __init__(self, credentials: Any, service: str, region: str) -> None:
        self._credentials, self._service, self._region = credentials, service, region

    def add_auth(self, request: Any) -> None:
        """Put the date, the token and the signature on a request."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        request.headers["X-Amz-Date"] = now
        if self._credentials.token:
            request.headers["X-Amz-Security-Token"] = self._credentials.token
        signed = {"host": urlsplit(request.url).netloc, **{k.lower(): v for k, v in request.headers.items()}}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        canonical = f"POST\n/\n\n{lines}\n{names}\n{sha256(request.data).hexdigest()}"
        scope = f"{now[:8]}/{self._region}/{self._service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{self._credentials.secret_key}".encode()
        for part in (*scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={key.hex()}"
        )
