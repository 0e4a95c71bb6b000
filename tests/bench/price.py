"""What a job costs in computing and in requests, from the price lists in prices.yaml (CNY)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from shared.catalogue.models import Limits
from tests.bench.results import ROOT, Line, Measure
from tests.bench.scale.profile import Account, Profile, busy, idle
from tests.bench.world import ONE_SLOT

PRICES = Path(__file__).with_name("prices.yaml")
MONTH_HOURS = 720.0
TASK_SECONDS = 27.0
FIVE_SLOTS = Limits(submissions=5, per_seconds=1, concurrent=5, queue_ahead=1)
JOBS = 200
FORMER = "submit"
"""The function whose size poll had, for comparison."""
NET_HOURS = 6.0
"""Between two ticks of the safety net (POLL_TIMER @every 360m)."""
GOAL, IDLE_GOAL = 0.6, 1.3
"""CNY: of a thousand jobs through one slot that never rests, and of a month without jobs."""
AROUND = 0.5
"""Seconds that a function held open needs besides its task, as `submit` does."""


@dataclass(frozen=True)
class Size:
    """A function's size: vCPU, GB of memory, GB of disk."""

    vcpu: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Cost:
    """A month: what each function costs, the requests, and for how many jobs."""

    submit: float
    poll: float
    oss: float
    jobs: float

    @property
    def total(self) -> float:
        return self.submit + self.poll + self.oss


@lru_cache(maxsize=1)
def prices() -> dict[str, dict[str, float]]:
    """The figures of prices.yaml by group and name."""
    document: dict[str, Any] = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    return {
        group: {name: float(line["value"]) for name, line in lines.items()}
        for group, lines in document.items()
    }


@lru_cache(maxsize=8)
def size_of(function: str) -> Size:
    """A function's size in s.yaml."""
    document = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))
    props = document["template"]["function"] | document["resources"][function]["props"]
    return Size(float(props["cpu"]), props["memorySize"] / 1024, props["diskSize"] / 1024)


def units(size: Size, seconds: float, calls: float) -> float:
    """CU of so many seconds of running in so many calls."""
    fc = prices()["function_compute"]
    second = size.vcpu * fc["cu_per_vcpu_second"] + size.memory * fc["cu_per_gb_second"]
    second += max(0.0, size.disk - fc["free_disk_gb"]) * fc["cu_per_gb_disk_second"]
    return second * seconds + calls * fc["cu_per_10000_calls"] / 10_000


def month(used: float) -> float:
    """A month's CU of one region, by the three tiers."""
    fc = prices()["function_compute"]
    second, third = min(max(0.0, used - 2e8), 8e8), max(0.0, used - 1e9)
    above = second * fc["cny_per_cu_above_200_million"] + third * fc["cny_per_cu_above_1_billion"]
    return min(used, 2e8) * fc["cny_per_cu"] + above


def busy_hour(used: float) -> float:
    """The CU of an hour of one function that was called, by the first tier."""
    fc = prices()["function_compute"]
    return max(fc["least_cny_per_hour"], used * fc["cny_per_cu"])


def oss_requests(puts: float, gets: float) -> float:
    """Requests to OSS; deletes are free."""
    oss = prices()["oss"]
    return (puts * oss["cny_per_10000_puts"] + gets * oss["cny_per_10000_gets"]) / 10_000


def always_on() -> float:
    """A month of a container that is always on."""
    one = prices()["server"]
    return MONTH_HOURS * (
        one["vcpu"] * one["cny_per_vcpu_hour"] + one["gb"] * one["cny_per_gb_hour"]
    )


def busy_month(profile: Profile, poll: Size) -> Cost:
    """A deployment with a poller of a size, as busy as the profile all month long."""
    hours = profile.elapsed / 3600
    jobs = profile.jobs / hours
    submit = units(size_of("submit"), profile.submit_seconds * jobs, jobs)
    polled = min(3600.0, profile.poll_seconds / hours)
    return Cost(
        submit=busy_hour(submit) * MONTH_HOURS,
        poll=busy_hour(units(poll, polled, max(1.0, profile.poll_runs / hours))) * MONTH_HOURS,
        oss=oss_requests(profile.writes * jobs, profile.reads * jobs) * MONTH_HOURS,
        jobs=jobs * MONTH_HOURS,
    )


def held_open(seconds: float, jobs: float) -> float:
    """A month of a function of submit's size that waits for its task, `seconds` each.

    It makes an image and result.json, and reads the job file.
    """
    hourly = jobs / MONTH_HOURS
    used = units(size_of("submit"), seconds * hourly, hourly)
    return busy_hour(used) * MONTH_HOURS + oss_requests(2, 1) * jobs


def measures(brief: bool = False) -> list[Measure]:
    """A thousand jobs, and a month without any."""
    jobs = 10 if brief else JOBS
    one = busy(Account(ONE_SLOT, TASK_SECONDS), jobs)
    five = busy(Account(FIVE_SLOTS, TASK_SECONDS), 5 * jobs)
    ticks = 2 if brief else 10
    net = idle(round(ticks * 60 * NET_HOURS), 3600 * NET_HOURS)
    return [_jobs(one, five), _idle(net, idle(60))]


def _jobs(one: Profile, five: Profile) -> Measure:
    size = size_of("poll")
    ours, many = busy_month(one, size), busy_month(five, size)
    former = busy_month(one, size_of(FORMER))
    share = round(always_on() / ours.poll, 3)
    lines = [
        *_beside("one slot busy all month", ours, one),
        *_beside("five slots busy all month", many, five),
        _line("always on, one slot busy all month", always_on(), ours.jobs),
        _line("always on, five slots busy all month", always_on(), many.jobs),
        _line(f"one slot busy all month, poller as large as {FORMER}", former.total, former.jobs),
        Line("share of a month from which always on is cheaper", share, ""),
    ]
    return Measure("price", f"≤ {GOAL:g} CNY through one slot", lines[0].value <= GOAL, lines)


def _beside(name: str, cost: Cost, profile: Profile) -> list[Line]:
    """Ours, and a function held open for each of the same jobs."""
    parts = {"poll": cost.poll, "submit": cost.submit, "OSS": cost.oss}
    split = ", ".join(f"{part} {1000 * amount / cost.jobs:.3f}" for part, amount in parts.items())
    note = f"{split}; {cost.jobs:,.0f} jobs, {cost.total:.0f} CNY a month"
    ours = replace(_line(name, cost.total, cost.jobs), ours=True, note=note)
    held = held_open(profile.task_seconds + AROUND, cost.jobs)
    return [ours, _line(f"held open, {name}", held, cost.jobs)]


def _line(name: str, amount: float, jobs: float) -> Line:
    """A month's amount as the price of a thousand jobs."""
    note = f"{amount:.0f} CNY a month"
    return Line(name, round(1000 * amount / jobs, 3), "CNY", note=note)


def _idle(net: Profile, minutely: Profile) -> Measure:
    """A month in which each tick of the timer calls `poll`, which finds nothing to do."""
    lines = [
        _idle_line("safety net every 6 hours", net),
        _idle_line("timer once a minute", minutely),
        Line("held open", 0.0, "CNY", note="nothing runs"),
        Line("always on", round(always_on(), 2), "CNY"),
    ]
    goal = f"≤ {IDLE_GOAL:g} CNY with the safety net"
    return Measure("price-idle", goal, lines[0].value <= IDLE_GOAL, lines)


def _idle_line(name: str, profile: Profile) -> Line:
    """The hours in which poll is called are billed with the least amount, or more."""
    runs = MONTH_HOURS * 3600 / profile.elapsed * profile.poll_runs
    hours = min(MONTH_HOURS, runs)
    each = units(size_of("poll"), profile.poll_seconds / profile.poll_runs, 1.0)
    poll, share = busy_hour(each * runs / hours) * hours, runs / profile.poll_runs
    oss = oss_requests(profile.writes * share, profile.reads * share)
    requests = profile.writes + profile.reads + profile.deletes
    note = f"poll {poll:.2f}, OSS {oss:.2f}; {requests / profile.poll_runs:.0f} requests a tick"
    return Line(name, round(poll + oss, 2), "CNY", ours=True, note=note)
