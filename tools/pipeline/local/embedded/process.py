"""The embedded AWS as its owner sees it: a process to start, to ask for its queue's state, and to end."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from functools import cached_property
from typing import Any, NamedTuple, Self

import boto3
import botocore.session
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from pipeline.local.asynchronous import QueueOptions
from pipeline.local.errors import LocalError

from .control import CONTROL_PATH, document
from .environment import HOST, REGION, base
from .workspace import Workspace

NO_SHELL_SETTINGS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Switched off, so that botocore reads neither profile nor files."""
END_GRACE = 5  # seconds that the process gets to end by itself


class Options(NamedTuple):
    """How an embedded AWS runs."""

    port: int = 0  # 0 takes a free one
    listen: tuple[str, ...] = ()  # addresses of this machine to listen on beside 127.0.0.1, so that containers find it
    queue: QueueOptions = QueueOptions()


class EmbeddedAws:
    """MiniStack behind Lambda's queue, running while this context is open."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.environment: dict[str, str] = {}  # the variables by which every AWS tool finds it; empty until it serves

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.end()
            raise
        return self

    def start(self) -> None:
        """Start the process, without waiting for it to serve; LocalError if the port is busy."""
        require_free(self.options.port)
        self.workspace = Workspace()
        self._log = self.workspace.path / "server.log"
        place = {"folder": str(self.workspace.path), "port": self.options.port, "listen": self.options.listen}
        settings = json.dumps(document(self.options.queue) | place)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.local.embedded.server", settings],
                cwd=self.workspace.path,
                env=base(self.workspace.folder("tmp")),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                pass_fds=(self.workspace.lock,),
            )

    def wait_until_ready(self) -> None:
        """Wait until it serves; LocalError if it can't."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline().strip()
        answer: Any = json.loads(line) if line else {"error": f"the embedded AWS did not start:\n{self.log_tail()}"}
        if "error" in answer:
            raise LocalError(answer["error"])
        self.environment = answer["environment"]
        keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        self._credentials = Credentials(*map(self.environment.__getitem__, keys))
        context = ssl.create_default_context(cafile=self.environment["AWS_CA_BUNDLE"])
        self._client = httpx.Client(base_url=self.endpoint, verify=context, timeout=60, trust_env=False)

    @property
    def endpoint(self) -> str:
        """The URL under which every service answers."""
        return self.environment["AWS_ENDPOINT_URL"]

    @cached_property
    def _session(self) -> Any:
        """What makes the clients, once: a session reads megabytes of AWS's models before its first one."""
        return boto3.session.Session(
            botocore_session=botocore.session.Session(NO_SHELL_SETTINGS),
            aws_access_key_id=self._credentials.access_key,
            aws_secret_access_key=self._credentials.secret_key,
            region_name=REGION,
        )

    def client(self, service: str) -> Any:
        """Return a boto3 client of a service, with the owner's rights, whatever the shell's environment says."""
        config = Config(proxies={}, retries={"max_attempts": 3}, max_pool_connections=32, connect_timeout=5)
        trusted = self.environment["AWS_CA_BUNDLE"]
        return self._session.client(service, endpoint_url=self.endpoint, verify=trusted, config=config)

    def queue_state(self) -> dict[str, Any]:
        """Return what the queue has done so far."""
        return self._control("GET")

    def restart_queue(self, options: QueueOptions) -> None:
        """Empty the queue and its counts, and go on with other options."""
        self._control("PUT", document(options))

    def _control(self, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        content = json.dumps(body).encode()
        request = AWSRequest(method, self.endpoint + CONTROL_PATH, {"content-type": "application/json"}, content)
        SigV4Auth(self._credentials, "local", REGION).add_auth(request)
        try:
            answer = self._client.request(method, CONTROL_PATH, content=content, headers=dict(request.headers.items()))
        except httpx.TransportError as error:
            raise LocalError(f"the embedded AWS ended unexpectedly ({error}):\n{self.log_tail()}") from error
        if answer.status_code != 200:
            raise LocalError(f"the queue refused: {answer.text}")
        state: dict[str, Any] = answer.json()
        return state

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the process' log."""
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-lines:])

    def end(self) -> None:
        """End the process and all that it started, and remove what it wrote."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._process.stdin.close()  # it ends by itself
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_GRACE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()
        self.workspace.remove()

    def __exit__(self, *_: object) -> None:
        self.end()


def require_free(port: int) -> None:
    """Raise LocalError if a port can't be bound."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LocalError(f"port {port} on {HOST} can't be used: {error.strerror or error}") from error
