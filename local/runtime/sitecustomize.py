"""What Lambda's Python runtime does before a handler is loaded: log lines become JSON on standard error.

Python imports this by itself in every interpreter that the embedded AWS starts for a function; it finds it by
PYTHONPATH. Without it a function's INFO lines would be nowhere.
"""

from __future__ import annotations

import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    import json
    import logging
    import time

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
