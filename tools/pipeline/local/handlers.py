"""One handler in this process, without AWS: its requests are shown and answered as if AWS had taken them."""

import importlib
import json
import logging
import os
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import MisuseError

TIMEOUT = 60  # seconds that a handler is told it has
OF_A_LOG_RECORD = set(logging.makeLogRecord({}).__dict__) | {"message"}


class Result(NamedTuple):
    """How an invocation ended."""

    document: Any  # what the handler returned, or the error as Lambda names it
    failed: bool


class Context:
    """The context that a handler is given."""

    def __init__(self, stage: str) -> None:
        self.function_name = stage
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:000000000000:function:{stage}"
        self.memory_limit_in_mb = "512"
        self.aws_request_id = str(uuid.uuid4())
        self._until = time.monotonic() + TIMEOUT

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left, in ms."""
        return max(0, int((self._until - time.monotonic()) * 1000))


class RecordingClient:
    """A client of AWS for the handlers that shows each request and answers that all of it was taken."""

    def __init__(self, service: str) -> None:
        self._service = service

    def connect(self) -> None:
        """Connect to nothing."""

    def call(self, action: str, request: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Show a request and accept it."""
        print(f"{self._service} {action} {json.dumps(request, ensure_ascii=False)}", file=sys.stderr)  # noqa: T201
        if action == "BatchExecuteStatement":
            return {"Responses": [{} for _ in request["Statements"]]}
        if action == "SendMessageBatch":
            return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]], "Failed": []}
        return {}


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in record.__dict__.items() if name not in OF_A_LOG_RECORD}
        return " ".join([record.levelname, record.getMessage(), *(f"{name}={value}" for name, value in fields.items())])


def invoke(root: Path, stage: str, event: Any) -> Result:
    """Call a stage's handler with an event. Unless TABLE_NAME is set, nothing of AWS is called."""
    handler = _handler(root / "functions", stage)
    context = Context(stage)
    with _logging(), redirect_stdout(sys.stderr):
        try:
            return Result(handler(event, context), failed=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, Lambda reports it
            return Result(_document(error, context), failed=True)


def _handler(functions: Path, stage: str) -> Callable[[Any, Context], Any]:
    stages = sorted(path.stem for path in functions.glob("*.py") if "handler" in path.read_text(encoding="utf-8"))
    if stage not in stages:
        raise MisuseError(f"There is no stage '{stage}' in {functions}: it has {', '.join(stages)}.")
    sys.path.insert(0, str(functions))
    if not os.environ.get("TABLE_NAME"):
        os.environ |= {"TABLE_NAME": "DataTable", "DEAD_LETTER_QUEUE_URL": "DeadLetterQueue"}
        aws: Any = importlib.import_module("core.aws")
        aws.from_environment = RecordingClient
    handler: Callable[[Any, Context], Any] = importlib.import_module(stage).handler
    return handler


@contextmanager
def _logging() -> Iterator[None]:
    """Write log lines as text on standard error."""
    output, root = logging.StreamHandler(sys.stderr), logging.getLogger()
    output.setFormatter(_Lines())
    root.addHandler(output)
    level = root.level
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(output)
        root.setLevel(level)


def _document(error: Exception, context: Context) -> dict[str, Any]:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    named = {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": context.aws_request_id}
    return named | {"stackTrace": traceback.format_list(frames)}
