"""What Lambda's Python runtime does before a handler is loaded, in the interpreters of the embedded AWS.

Of what is installed, a function sees the SDK alone, as in Lambda: a handler that needs more has to bundle it, and the
tools' own packages don't slow its start down. Log lines become JSON on standard error.

Python imports this by itself in every interpreter that the embedded AWS starts for a function; it finds it by
PYTHONPATH.
"""

from __future__ import annotations

import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    import hashlib
    import hmac
    import json
    import logging
    import sys
    import time
    from importlib.machinery import ModuleSpec, PathFinder

    SDK = frozenset({"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"})

    class _Sdk:
        """Finds the SDK among the installed packages, and no other of them."""

        def __init__(self, installed: list[str]) -> None:
            self._installed = installed

        def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
            """Find a top-level package; what is inside one is found by the package's own path."""
            return PathFinder.find_spec(name, self._installed) if name in SDK else None

    _installed = [entry for entry in sys.path if entry.endswith(("/site-packages", "/dist-packages"))]
    sys.path[:] = [entry for entry in sys.path if entry not in _installed]
    sys.meta_path.append(_Sdk(_installed))

    # MiniStack's secret for a function follows from names that anybody can know; see `embedded/signatures.py`.
    if _key := os.environ.pop("LOCAL_FUNCTION_KEY", ""):
        _secret = os.environ["AWS_SECRET_ACCESS_KEY"].encode()
        os.environ["AWS_SECRET_ACCESS_KEY"] = hmac.new(_key.encode(), _secret, hashlib.sha256).hexdigest()

    _OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    class _JsonFormatter(logging.Formatter):
        """Format a record with its extra fields, as Lambda's JSON log format has them."""

        def format(self, record: logging.LogRecord) -> str:
            line: dict[str, object] = {
                "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
                "level": record.levelname,
                "message": record.getMessage(),
                "logger": record.name,
            }
            line |= {name: value for name, value in vars(record).items() if name not in _OWN}
            if record.exc_info:
                line["stackTrace"] = self.formatException(record.exc_info).splitlines()
            return json.dumps(line, default=str)

    _handler = logging.StreamHandler()
    _handler.setFormatter(_JsonFormatter())
    logging.root.addHandler(_handler)
    logging.root.setLevel(logging.INFO)
