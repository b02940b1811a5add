"""Processor time of the processes that this one started, read off Linux's /proc."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """A process that runs, with what it used so far."""

    parent: int
    seconds: float
    """Of processor time, its own and the kernel's for it."""


def seconds_by_generation(ancestor: int, processes: dict[int, Process]) -> list[float]:
    """Return the processor time of a process, of its children together, of theirs, and so on."""
    generation, seconds = {ancestor} & processes.keys(), []
    while generation:
        seconds.append(sum(processes[pid].seconds for pid in generation))
        generation = {pid for pid, process in processes.items() if process.parent in generation}
    return seconds


def running(root: Path = PROC) -> dict[int, Process]:
    """Return every process by its number; none where there is no /proc."""
    found = {}
    for stat in root.glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold spaces; parent, user and system time are fields 4, 14 and 15 (proc(5)).
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        found[int(stat.parent.name)] = Process(int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS)
    return found
