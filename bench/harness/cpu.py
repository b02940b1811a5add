"""A share of a CPU, by a control group's quota: what Lambda gives a function of a given size."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MB_PER_CPU = 1769  # Lambda gives a function one CPU at this size, and in proportion below and above it
PERIOD = 20_000  # microseconds; short, so that a limited process is slowed rather than stopped for long
GROUPS = Path("/sys/fs/cgroup")


def share_of(memory: int) -> float:
    """Return the CPUs that Lambda gives a function of so many MB."""
    return memory / MB_PER_CPU


def unlimited_reason(root: Path = GROUPS) -> str:
    """Say why the CPU can't be limited here; empty if it can."""
    parent = _parent(root)
    if parent and os.access(parent, os.W_OK):
        return ""
    return "no CPU limit here: it needs a writable control group (root, with the cpu controller)"


@contextmanager
def limited(cpus: float | None, root: Path = GROUPS) -> Iterator[list[str]]:
    """Make a group with so many CPUs (None: no limit); gives the command's words that start a process in it."""
    parent = _parent(root)
    if cpus is None or not parent:
        # The same shell in front, so that limited and unlimited starts pay for it alike.
        yield ["/bin/sh", "-c", 'exec "$@"', "sh"]
        return
    group = parent / f"bench-{os.getpid()}"
    group.mkdir(exist_ok=True)
    quota = {"cpu.max": f"{round(cpus * PERIOD)} {PERIOD}"}
    if (group / "cpu.cfs_quota_us").exists():
        quota = {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(round(cpus * PERIOD))}
    try:
        for name, value in quota.items():
            (group / name).write_text(value, encoding="ascii")
        yield ["/bin/sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        group.rmdir()


def _parent(root: Path) -> Path | None:
    """Return the folder of groups that have a CPU quota, of either version of control groups."""
    if (root / "cpu" / "cpu.cfs_quota_us").exists() or (root / "cpu" / "cgroup.procs").exists():
        return root / "cpu"
    controllers = root / "cgroup.subtree_control"
    return root if controllers.exists() and "cpu" in controllers.read_text(encoding="ascii").split() else None
