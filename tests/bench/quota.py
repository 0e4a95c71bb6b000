"""`poll` with little processor: how long until the image is stored, and what a job takes of it.

The kernel's quota (control groups, version 1 or 2) stops the instances of poll, and nothing else,
once they have had their share of each tenth of a second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.bench.laptop import Laptop, arrived, laptop
from tests.bench.lone import LONE, learn, named
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
TASK_SECONDS = 5.0
JOBS = 30
GOAL = 1.0
FORMER = 0.35
"""vCPU of the other functions, for comparison."""
TICKS = os.sysconf("SC_CLK_TCK")


def measures(brief: bool = False) -> list[Measure]:
    """Delays with the quota of s.yaml, with that of the other functions and with none."""
    jobs, own = (3 if brief else JOBS), size_of("poll").vcpu
    delays: dict[float, list[float]] = {}
    used: dict[float, float] = {}
    with laptop(TASK_SECONDS) as running:
        learn(running, [LONE], TASK_SECONDS)
        for vcpu in sorted({own, FORMER}):
            with _quota(running, vcpu) as held:
                if not held:
                    return [_left_out()]
                delays[vcpu], used[vcpu] = _run(running, f"{vcpu:g}", jobs)
        unbound = _run(running, "all", jobs)
    return [compared(own, delays, used, unbound)]


def compared(
    own: float,
    delays: dict[float, list[float]],
    used: dict[float, float],
    unbound: tuple[list[float], float],
) -> Measure:
    """The measure; its goal is that of the size in s.yaml."""
    lines = [
        line(f"{vcpu:g} vCPU", delays[vcpu], "s", ours=vcpu == own, note=_note(used[vcpu], seen))
        for vcpu, seen in delays.items()
    ]
    lines.append(line("no quota", unbound[0], "s", note=_note(unbound[1], unbound[0])))
    p95 = quantile(delays[own], 0.95)
    goal = f"p95 ≤ {GOAL:g} s with the {own:g} vCPU of s.yaml"
    return Measure("quota", goal, p95 <= GOAL, lines, f"p95 {p95:.3g} s")


def _note(used: float, delays: Sequence[float]) -> str:
    return f"p95 {quantile(delays, 0.95):.3g} s; {used:.3f} s of processor a job"


def _left_out() -> Measure:
    """Honest about what was not measured."""
    note = "left out: no control group with a processor quota can be made here"
    return Measure("quota", "none", None, [Line("not measured", 0.0, "", note=note)], "left out")


def _run(running: Laptop, mark: str, jobs: int) -> tuple[list[float], float]:
    """Seconds from each task's end to its image, one after the other through one slot, and the
    seconds of processor that poll took for each."""
    names, before = [f"quota-{mark}-{number}" for number in range(jobs)], _processor(running)
    for name in names:
        running.drop(named(example(LONE), name))
    for name in names:
        running.wait_for_result(name)
    used, tasks = _processor(running) - before, running.tasks()
    stored = [arrived(running.image(name)) - float(tasks[name]["ended"]) for name in names]
    return stored, used / jobs


def _instances(running: Laptop) -> list[int]:
    state = requests.get(f"{running.env['API_URL']}/_runtime/state", timeout=10).json()
    return [one["pid"] for one in state["functions"]["poll"]["instances"]]


def _processor(running: Laptop) -> float:
    """Seconds of processor that the instances of poll have had (proc page, "stat")."""
    stats = [Path(f"/proc/{pid}/stat").read_text("ascii") for pid in _instances(running)]
    fields = [stat.rpartition(")")[2].split() for stat in stats]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


@contextmanager
def _quota(running: Laptop, vcpu: float) -> Iterator[bool]:
    """The instances of poll under a quota; False where the kernel gives none."""
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
            _move(running, group)
            yield True
            return
        finally:
            _move(running, root)
            group.rmdir()
    yield False


def _warm(running: Laptop) -> None:
    """An instance of poll is there, and has learned its way."""
    name = f"warm-{os.urandom(4).hex()}"
    running.drop(named(example(LONE), name))
    running.wait_for_result(name)


def _move(running: Laptop, group: Path) -> None:
    for pid in _instances(running):
        (group / "cgroup.procs").write_text(str(pid), "ascii")
