"""What Lambda's Python runtime does before a handler is loaded, in the interpreters of the embedded AWS.

Of what is installed, a function sees the SDK alone, as in Lambda: a handler that needs more has to bundle it, and the
tools' own packages don't slow its start down. Log lines become JSON on standard error. What a handler raises becomes
the error that Lambda's runtime makes of it, in the message of another one, after a mark; `local.gaps.invocations` takes
it out there.

Python imports this by itself in every interpreter that the embedded AWS starts for a function; it finds it by
PYTHONPATH.
"""

import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    import hashlib
    import hmac
    import importlib
    import json
    import logging
    import sys
    import time
    import traceback
    from importlib.machinery import ModuleSpec, PathFinder
    from typing import Any

    os.environ.setdefault("AWS_LAMBDA_LOG_FORMAT", "JSON")

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

    class _Request:
        """The invocation that is running."""

        id = ""

    class _Error(Exception):
        """An error as Lambda's runtime tells it, whole."""

        def __init__(self, **document: object) -> None:
            super().__init__(_MARK + json.dumps(document))
            self.document = document

    class _Module:
        """A handler's module, whose handlers fail as Lambda's do."""

        def __init__(self, name: str) -> None:
            self._module = _load(name)
            self._name = name

        def __getattr__(self, name: str) -> object:
            handler = getattr(self._module, name, None)
            if handler is None:
                message = f"Handler '{name}' missing on module '{self._name}'"
                raise _Error(errorMessage=message, errorType="Runtime.HandlerNotFound", stackTrace=[])
            return _Handler(handler)

    class _Handler:
        """A handler, called as Lambda calls it."""

        def __init__(self, handler: Any) -> None:
            self._handler = handler

        def __call__(self, event: object, context: Any) -> object:
            context.memory_limit_in_mb = str(context.memory_limit_in_mb)
            _request.id = context.aws_request_id
            try:
                return self._handler(event, context)
            except SystemExit as error:
                raise _exit_error(error.code) from None
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is its answer
                raise _error(error, skip=1) from None

    def _load(name: str) -> object:
        try:
            return _import_module(name)
        except ImportError as error:
            message = f"Unable to import module '{name}': {error}"
            raise _Error(errorMessage=message, errorType="Runtime.ImportModuleError", stackTrace=[]) from None
        except SyntaxError as error:
            message = f"Syntax error in module '{name}': {error}"
            raise _Error(errorMessage=message, errorType="Runtime.UserCodeSyntaxError", stackTrace=[]) from None
        except SystemExit as error:
            raise _exit_error(error.code) from None
        except Exception as error:  # noqa: BLE001 - as above
            raise _error(error, skip=1) from None

    def _error(error: Exception, skip: int) -> _Error:
        frames = traceback.format_list(traceback.extract_tb(error.__traceback__)[skip:])
        return _Error(errorMessage=str(error), errorType=type(error).__name__, stackTrace=frames)

    def _exit_error(code: object) -> _Error:
        reason = (
            f"with error: exit status {code if isinstance(code, int) else 1}" if code else "without providing a reason"
        )
        return _Error(errorMessage=f"Runtime exited {reason}", errorType="Runtime.ExitError")

    def _imported(name: str, package: str | None = None) -> object:
        """Import a module; to MiniStack's worker, which is the main program, it is one with handlers."""
        if sys._getframe(1).f_globals.get("__name__") == "__main__" and not package:
            return _Module(name)
        return _import_module(name, package)

    def _format(*arguments: Any, **more: Any) -> str:
        """Format the exception at hand; an error of a handler becomes one line of the log."""
        error = sys.exc_info()[1]
        if not isinstance(error, _Error):
            return _format_exc(*arguments, **more)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return json.dumps({"timestamp": now, "level": "ERROR", **error.document, "requestId": _request.id})

    _MARK = "\x1eerror:"
    _request = _Request()
    _import_module, importlib.import_module = importlib.import_module, _imported  # type: ignore[assignment]
    _format_exc, traceback.format_exc = traceback.format_exc, _format

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
            if _request.id:
                line["requestId"] = _request.id
            line |= {name: value for name, value in vars(record).items() if name not in _OWN}
            if record.exc_info:
                line["stackTrace"] = self.formatException(record.exc_info).splitlines()
            return json.dumps(line, default=str)

    _handler = logging.StreamHandler()
    _handler.setFormatter(_JsonFormatter())
    logging.root.addHandler(_handler)
    logging.root.setLevel(logging.INFO)
