"""The embedded AWS's own process: MiniStack behind the asynchronous queue, served over TLS on one port.

`process` starts it as `python -m pipeline.local.embedded.server OPTIONS`, with the options as JSON. It prints one line
of JSON when it listens, or why it can't. When its standard input closes, it ends.

A request passes these layers, each an ASGI app around the next one:

| layer | what it adds |
|---|---|
| `door.Door` | refuses what is not signed rightly or could mean two things; names the caller in the scope |
| `asynchronous.AsynchronousInvocation` | takes events for the queue, as Lambda does |
| `throttling.Throttling` | injects DynamoDB's throttling |
| `gaps.Gaps` | answers what MiniStack answers otherwise than AWS, and notes who sends a message to SQS |
| MiniStack | everything else |

The queue's own requests begin at `gaps.Gaps`.
"""

import asyncio
import asyncio.sslproto
import json
import logging
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from pipeline.local.asynchronous import AsynchronousInvocation, Queue, QueueOptions
from pipeline.local.asynchronous.aws_api import AwsApi
from pipeline.local.gaps import deliver_by, mended, settle_after

from .certificate import Certificates, make_certificates
from .control import control_of, parse
from .door import Door
from .environment import ACCOUNT, HOST, exports, for_ministack
from .metrics import Metrics, publish_forever
from .signatures import Owner
from .tether import end_with_parent
from .throttling import Throttling
from .workspace import remove

TLS_BUFFER = 32 * 1024  # bytes for each connection; asyncio's own 256 KB would be held by whoever opens one
KEEP_ALIVE = 75  # seconds that an idle connection stays open, longer than the SDKs keep theirs


def main(options: dict[str, Any]) -> int:
    """Serve until the parent is gone."""
    asyncio.sslproto.SSLProtocol.max_size = TLS_BUFFER
    sys.setswitchinterval(0.0005)
    folder = Path(options["folder"])
    end_with_parent(lambda: remove(folder))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        loopback = _listener(HOST, options["port"])
        port = loopback.getsockname()[1]
        listeners = [loopback, *(_listener(address, port) for address in options["listen"])]
    except OSError as error:
        _say({"error": f"port {options['port']} can't be used: {error.strerror or error}"})
        return 1
    certificates = make_certificates(folder)
    owner = Owner.make()
    exported = exports(f"https://{HOST}:{port}", certificates.authority, owner.access_key, owner.secret_key)
    os.environ.update(for_ministack(exported, folder, port, function_key=owner.function_key, minute=options["minute"]))
    # Imported only now, because it reads the environment when it is imported.
    from ministack.app import app as inner  # noqa: PLC0415

    aws = mended(AwsApi(inner, f"{HOST}:{port}", owner.access_key, ACCOUNT))
    asyncio.run(_serve(aws, owner, parse(options), _config(listeners, certificates), exported))
    return 0


def _listener(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind((address, port))
    listener.listen()
    return listener


def _config(listeners: Sequence[socket.socket], certificates: Certificates) -> Config:
    config = Config()
    config.bind = [f"fd://{listener.detach()}" for listener in listeners]
    config.certfile, config.keyfile = str(certificates.certificate), str(certificates.key)
    config.alpn_protocols = ["http/1.1"]
    config.keep_alive_timeout = KEEP_ALIVE
    config.loglevel = "WARNING"
    return config


async def _serve(aws: AwsApi, owner: Owner, options: QueueOptions, config: Config, exported: dict[str, str]) -> None:
    queue = Queue(aws, options)
    deliver_by(queue, aws)
    settle_after(queue)
    throttled = Throttling(aws, lambda: queue.options.faults)
    door: Any = Door(AsynchronousInvocation(replace(aws, app=throttled), queue), control_of(queue), owner, ACCOUNT)
    _say({"environment": exported})  # a connection that is made from now on is served as soon as MiniStack has started
    await asyncio.gather(
        serve(door, config, shutdown_trigger=asyncio.Event().wait), publish_forever(Metrics(aws), queue)
    )


def _say(answer: dict[str, Any]) -> None:
    """Tell the parent, which reads one line; all that is printed later goes to the log."""
    print(json.dumps(answer), flush=True)  # noqa: T201 - the parent reads it
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
