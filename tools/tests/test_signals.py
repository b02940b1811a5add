"""A signal ends the program wherever it comes, and leaves no lock behind."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.deployed import ROOT

BEGINNING = """
import os, signal, sys, threading, time
from pipeline.signals import Signalled, listen, undisturbed

def end():
    os.kill(os.getpid(), {number})

listen()
"""
AT_A_LOCK = """
condition = threading.Condition(threading.Lock())

def interrupt(frame, event, _):
    if event == "return" and frame.f_code is threading.Condition.{method}.__code__:
        sys.setprofile(None)
        end()

sys.setprofile(interrupt)
try:
    with condition:
        condition.wait(0.001)
    time.sleep(20)
except Signalled as error:
    print(error.number, condition.acquire(blocking=False))
"""
WAITING = """
threading.Timer(0.1, end).start()
try:
    threading.Event().wait(20)
except Signalled as error:
    print(error.number, True)
"""
UNDISTURBED = """
done = 0
try:
    with undisturbed():
        end()
        time.sleep(0.1)
        done += 1
    time.sleep(20)
except Signalled as error:
    print(error.number, done == 1)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "program",
    [*(AT_A_LOCK.replace("{method}", name) for name in ("__enter__", "wait", "_release_save")), WAITING, UNDISTURBED],
    ids=["entering", "woken", "before waiting", "waiting", "undisturbed"],
)
def test_a_signal_leaves_no_lock_and_nothing_half_done(program: str, number: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", BEGINNING.format(number=int(number)) + program],
        cwd=ROOT / "tools",
        capture_output=True,
        text=True,
        check=False,
        timeout=15,
    )
    assert (ran.stdout, ran.stderr) == (f"{int(number)} True\n", "")
