"""The process of an embedded AWS, as its owner sees it."""

import os
import signal

import pytest

from pipeline.local.embedded.process import EmbeddedAws, Options
from pipeline.local.errors import LocalError


def test_a_server_that_is_killed_is_one_sentence() -> None:
    with EmbeddedAws(Options()) as aws:
        os.kill(aws._process.pid, signal.SIGKILL)
        with pytest.raises(LocalError, match="the embedded AWS ended unexpectedly"):
            aws.queue_state()
    assert not aws.workspace.path.exists()
