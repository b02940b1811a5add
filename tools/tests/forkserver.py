"""Starts commands at once, in processes of their own: it has imported everything, and forks.

It reads a command's environment and arguments as JSON from each line of its input. It writes the process id of the
command, and its exit code when it has ended, negative for a signal.
"""

import json
import os
import sys

import boto3
from botocore import loaders, session

from pipeline.letters import queue, redrive
from pipeline.main import main

queue.POLL = 0  # the embedded AWS has one server, which misses no letter
redrive.MOMENT = 0
loader = loaders.create_loader()
session.create_loader = lambda *_: loader  # type: ignore[attr-defined]
for service in ("cloudformation", "sqs", "lambda"):
    boto3.client(service, region_name="us-east-1")  # reads its model

for line in sys.stdin:
    environment, arguments = json.loads(line)
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.environ.update(environment)
        os._exit(main(arguments))
    print(child, flush=True)  # noqa: T201 - for the test
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201
