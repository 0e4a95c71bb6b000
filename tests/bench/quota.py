"""`poll` with little processor: how long until the image is stored, and what a job takes of it.

The kernel's quota (control groups, version 1 or 2) stops the instances of poll, and nothing else,
once they have had their share of each tenth of a second.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.bench.laptop import Laptop, laptop
from tests.bench.lone import BUSY_GOAL, BUSY_SECONDS, LONE, busy_delays, learn, named
from tests.bench.populate import example
from tests.bench.price import size_of
from tests.bench.results import Line, Measure, line, quantile

GROUPS = (
    (Path("/sys/fs/cgroup/cpu"), "cpu.cfs_quota_us", "{quota}"),
    (Path("/sys/fs/cgroup"), "cpu.max", "{quota} {period}"),
)
"""Where a control group of ours may be made, and how it is told its quota."""
PERIOD = 100_000
"""Microseconds, the kernel's usual one. That of Function Compute is not documented."""
JOBS = 8
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Seen:
    """Seconds from each task's end to its image; seconds of processor that poll took for a job, and
    for which the kernel held poll back, a job."""

    delays: list[float]
    used: float
    held: float = 0.0


def measures(brief: bool = False) -> list[Measure]:
    """Delays with the quota of s.yaml."""
    jobs, own = (2 if brief else JOBS), size_of("poll").vcpu
    with laptop(BUSY_SECONDS) as running:
        learn(running, [LONE], BUSY_SECONDS)
        with _quota(running, own) as group:
            return [_left_out() if group is None else compared(own, _run(running, jobs, group))]


def compared(vcpu: float, seen: Seen) -> Measure:
    """The measure; its goal is that of the size in s.yaml."""
    p95 = quantile(seen.delays, 0.95)
    note = f"a job: {seen.used:.3f} s of processor, held back {seen.held:.3f} s"
    goal = f"p95 ≤ {BUSY_GOAL:g} s with the {vcpu:g} vCPU of s.yaml"
    lines = [line(f"{vcpu:g} vCPU", seen.delays, "s", ours=True, note=note)]
    return Measure("quota", goal, p95 <= BUSY_GOAL, lines, f"p95 {p95:.3g} s")


def _left_out() -> Measure:
    """Honest about what was not measured."""
    note = "left out: no control group with a processor quota can be made here"
    return Measure("quota", "none", None, [Line("not measured", 0.0, "", note=note)], "left out")


def _run(running: Laptop, jobs: int, group: Path) -> Seen:
    """Jobs through the one slot of a model."""
    before, held = _processor(running), _held_back(group)
    delays = busy_delays(running, jobs, [LONE])
    used = (_processor(running) - before) / jobs
    return Seen(delays, used, (_held_back(group) - held) / jobs)


def _held_back(group: Path) -> float:
    """Seconds for which the kernel has held a group back (control group pages, cpu.stat)."""
    lines = (group / "cpu.stat").read_text("ascii").splitlines()
    said = {name: float(value) for name, value in map(str.split, lines)}
    return said.get("throttled_time", 0.0) / 1e9 + said.get("throttled_usec", 0.0) / 1e6


def _instances(running: Laptop) -> list[int]:
    state = requests.get(f"{running.env['API_URL']}/_runtime/state", timeout=10).json()
    return [one["pid"] for one in state["functions"]["poll"]["instances"]]


def _processor(running: Laptop) -> float:
    """Seconds of processor that the instances of poll have had (proc page, "stat")."""
    stats = [Path(f"/proc/{pid}/stat").read_text("ascii") for pid in _instances(running)]
    fields = [stat.rpartition(")")[2].split() for stat in stats]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


@contextmanager
def _quota(running: Laptop, vcpu: float) -> Iterator[Path | None]:
    """The instances of poll in a group with a quota; None where the kernel gives none."""
    _warm(running)
    for root, name, form in GROUPS:
        group = root / f"wanx-bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            quota = form.format(quota=round(vcpu * PERIOD), period=PERIOD)
            if not (group / name).exists():
                continue
            (group / name).write_text(quota, "ascii")
            _move(_instances(running), group)
            yield group
            return
        finally:
            _move(_members(group), root)
            group.rmdir()
    yield None


def _warm(running: Laptop) -> None:
    """An instance of poll is there, and has learned its way."""
    name = f"warm-{os.urandom(4).hex()}"
    running.drop(named(example(LONE), name))
    running.wait_for_result(name)


def _members(group: Path) -> list[int]:
    return list(map(int, (group / "cgroup.procs").read_text("ascii").split()))


def _move(pids: Iterable[int], group: Path) -> None:
    for pid in pids:
        (group / "cgroup.procs").write_text(str(pid), "ascii")
