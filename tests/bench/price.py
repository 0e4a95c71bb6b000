"""What a job costs in computing and in requests, from the price lists in prices.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from shared.catalogue.models import Limits, load_catalogue
from tests.bench.results import COUNTED, Line, Measure
from tests.bench.scale.profile import Account, Profile, busy, idle

ROOT = Path(__file__).resolve().parents[2]
PRICES = Path(__file__).with_name("prices.yaml")
MONTH_HOURS = 720.0
TASK_SECONDS = 27.0
ONE_SLOT = Limits(submissions=2, per_seconds=1, concurrent=1, queue_ahead=1)
FIVE_SLOTS = Limits(submissions=5, per_seconds=1, concurrent=5, queue_ahead=1)
JOBS = 200
SDK_REQUESTS = (2.0, 1.0)
"""PUT-class and GET-class requests of a bare function: image and result.json; the job file."""


@dataclass(frozen=True)
class Size:
    """A function's size: vCPU, GB of memory, GB of disk."""

    vcpu: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Prices:
    """The price lists; all amounts in CNY."""

    figures: dict[str, dict[str, float]]

    def units(self, size: Size, seconds: float, calls: float) -> float:
        """CU of so many seconds of running in so many calls."""
        fc = self.figures["function_compute"]
        disk = max(0.0, size.disk - fc["free_disk_gb"])
        second = size.vcpu * fc["cu_per_vcpu_second"] + size.memory * fc["cu_per_gb_second"]
        second += disk * fc["cu_per_gb_disk_second"]
        return second * seconds + calls * fc["cu_per_10000_calls"] / 10_000

    def month(self, units: float) -> float:
        """A month's CU of one region, by the three tiers."""
        fc = self.figures["function_compute"]
        first = min(units, 2e8)
        second = min(max(0.0, units - 2e8), 8e8)
        third = max(0.0, units - 1e9)
        above = second * fc["cny_per_cu_above_200_million"]
        return first * fc["cny_per_cu"] + above + third * fc["cny_per_cu_above_1_billion"]

    def hour(self, units: float) -> float:
        """An hour of one function that was called, by the first tier."""
        fc = self.figures["function_compute"]
        return max(fc["least_cny_per_hour"], units * fc["cny_per_cu"])

    def requests(self, puts: float, gets: float) -> float:
        """Requests to OSS; deletes are free."""
        oss = self.figures["oss"]
        return (puts * oss["cny_per_10000_puts"] + gets * oss["cny_per_10000_gets"]) / 10_000

    def server_month(self) -> float:
        """A container that is always on."""
        one = self.figures["server"]
        hour = one["vcpu"] * one["cny_per_vcpu_hour"] + one["gb"] * one["cny_per_gb_hour"]
        return hour * MONTH_HOURS


@dataclass(frozen=True)
class Cost:
    """A month, in CNY: what each function costs, the requests, and for how many jobs."""

    submit: float
    poll: float
    oss: float
    jobs: float

    @property
    def total(self) -> float:
        return self.submit + self.poll + self.oss

    @property
    def thousand(self) -> float:
        """CNY for a thousand jobs."""
        return 1000 * self.total / self.jobs


@lru_cache(maxsize=1)
def prices() -> Prices:
    """tests/bench/prices.yaml."""
    document: dict[str, Any] = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    figures = {
        group: {name: float(line["value"]) for name, line in lines.items()}
        for group, lines in document.items()
    }
    return Prices(figures)


def sources() -> list[tuple[str, float, str]]:
    """Every price with where it is from, for the pages."""
    document: dict[str, Any] = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    return [
        (f"{group}.{name}", float(line["value"]), _source(line))
        for group, lines in document.items()
        for name, line in lines.items()
    ]


def _source(line: dict[str, Any]) -> str:
    of = f", of {line['of']}" if "of" in line else ""
    doubt = "" if line["sure"] else "; **unconfirmed**"
    return f"{line['source']} (read {line['read']}{of}){doubt}"


@lru_cache(maxsize=8)
def size_of(function: str) -> Size:
    """A function's size in s.yaml."""
    document = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))
    props = document["template"]["function"] | document["resources"][function]["props"]
    return Size(float(props["cpu"]), props["memorySize"] / 1024, props["diskSize"] / 1024)


def busy_month(profile: Profile, poll: Size | None = None) -> Cost:
    """A deployment as busy as the profile all month long."""
    hours = profile.elapsed / 3600
    jobs = profile.jobs / hours
    submit = prices().units(size_of("submit"), profile.submit_seconds * jobs, jobs)
    runs = max(1.0, profile.poll_runs / hours)
    polled = prices().units(
        poll or size_of("poll"), min(3600.0, profile.poll_seconds / hours), runs
    )
    return Cost(
        submit=prices().hour(submit) * MONTH_HOURS,
        poll=prices().hour(polled) * MONTH_HOURS,
        oss=prices().requests(profile.writes * jobs, profile.reads * jobs) * MONTH_HOURS,
        jobs=jobs * MONTH_HOURS,
    )


def idle_month(profile: Profile) -> Cost:
    """A deployment whose timer ticks for nothing; `profile` is of some minutes without jobs."""
    ticks = 60.0 * MONTH_HOURS
    units = prices().units(size_of("poll"), profile.poll_seconds / profile.poll_runs * 60, 60.0)
    share = ticks / profile.poll_runs
    requests = prices().requests(profile.writes * share, profile.reads * share)
    return Cost(0.0, prices().hour(units) * MONTH_HOURS, requests, 0.0)


def held_open(seconds: float, jobs: float) -> Cost:
    """A function of submit's size that waits for its task: `jobs` a month, `seconds` each."""
    hourly = jobs / MONTH_HOURS
    units = prices().units(size_of("submit"), seconds * hourly, hourly)
    cost = prices().hour(units) * MONTH_HOURS
    puts, gets = SDK_REQUESTS
    return Cost(cost, 0.0, prices().requests(puts, gets) * jobs, jobs)


TEXT = """Calculated: seconds of running and requests come from the real handlers on the simulated
clock (round trips of 4 to 84 ms; the CPU's own time, cold starts, logs, storage and internet
traffic are not in it), sizes from `s.yaml` ({vcpu:g} vCPU, {memory:g} MB), prices from
`tests/bench/prices.yaml`, with their dates. Tasks take {seconds:g} s ± 20 %. A month has 30 days; a
function that was called within an hour costs at least 0.01 CNY for it. *Held open*: a function of
the same size that submits one task, asks until it is done, and stores it; it keeps no limits, and
loses a paid task when it dies. *Always on*: a container of 0.25 vCPU and 0.5 GB by the price list
of Elastic Container Instance (economy type, public preview; no public address); no list price of a
small ECS server could be read. For comparison: a thousand images cost up to {image:g} CNY."""
BOUND = (
    "The poller runs, and is billed, as long as anything is in flight: a single slot pays for"
    " waiting just as a held function does ({least:g} CNY an hour for `submit` and the requests"
    " come on top). From two tasks at once on it is cheaper, since one poller waits for all."
    " `cpu` in s.yaml moves it: with a poller of 0.15 vCPU a thousand jobs through one slot cost"
    " {small:.2f} CNY, and cold starts get slower. A container that is always on costs less than"
    " a poller that is busy for more than {share:.0f} % of a month."
)


def measures(brief: bool = False) -> list[Measure]:
    """A thousand jobs, and a month without any."""
    jobs = 40 if brief else JOBS
    one = busy(Account(ONE_SLOT, TASK_SECONDS), jobs)
    five = busy(Account(FIVE_SLOTS, TASK_SECONDS), 5 * jobs)
    return [_jobs(one, five), _idle(idle(60))]


def _jobs(one: Profile, five: Profile) -> Measure:
    ours, many = busy_month(one), busy_month(five)
    lines = [
        *_beside("one slot busy all month", ours, one),
        *_beside("five slots busy all month", many, five),
        _line("always on, one slot busy all month", prices().server_month(), ours.jobs),
        _line("always on, five slots busy all month", prices().server_month(), many.jobs),
    ]
    small = busy_month(one, Size(0.15, size_of("poll").memory, size_of("poll").disk))
    share = 100 * prices().server_month() / ours.poll
    size = size_of("submit")
    text = TEXT.format(
        vcpu=size.vcpu,
        memory=1024 * size.memory,
        seconds=TASK_SECONDS,
        image=1000 * _image_price(),
    )
    least = prices().figures["function_compute"]["least_cny_per_hour"]
    return Measure(
        id="price",
        title="Price of a thousand jobs",
        clock=COUNTED,
        goal="stated, beside a function held open while it waits and a small server",
        reached=None,
        lines=tuple(lines),
        text=text,
        bound=BOUND.format(small=small.thousand, share=share, least=least),
    )


def _held(profile: Profile, cost: Cost) -> Cost:
    """The task itself, and half a second for everything around it (as `submit` takes)."""
    return held_open(profile.task_seconds + 2 * 0.25, cost.jobs)


def _beside(name: str, cost: Cost, profile: Profile) -> list[Line]:
    parts = {"poll": cost.poll, "submit": cost.submit, "OSS": cost.oss}
    split = ", ".join(f"{part} {1000 * amount / cost.jobs:.3f}" for part, amount in parts.items())
    note = f"{split}; {cost.jobs:,.0f} jobs, {cost.total:.0f} CNY a month"
    ours = Line(name, round(cost.thousand, 3), "CNY", ours=True, note=note)
    held = _held(profile, cost)
    return [ours, _line(f"held open, {name}", held.total, held.jobs)]


def _line(name: str, month: float, jobs: float) -> Line:
    return Line(name, round(1000 * month / jobs, 3), "CNY", note=f"{month:.0f} CNY a month")


def _image_price() -> float:
    """The dearest image of the catalogue."""
    catalogue = load_catalogue()
    found = [catalogue.get(name) for name in catalogue.names()]
    return max(model.price.per_image for model in found if model is not None)


def _idle(profile: Profile) -> Measure:
    cost = idle_month(profile)
    per_tick = sum((profile.writes, profile.reads, profile.deletes)) / profile.poll_runs
    note = f"poll {cost.poll:.2f}, OSS {cost.oss:.2f}; {per_tick:.0f} requests a tick"
    server = prices().server_month()
    text = (
        "As above. Each tick of the timer calls `poll`, which finds nothing left to do; what"
        " counts is the least price of an hour with a call. Without the timer (`enable: false` in"
        " s.yaml) it is nothing, and `submit` still wakes `poll`; but nobody would then repair"
        " what a crash left."
    )
    return Measure(
        id="price-idle",
        title="Price of a month without jobs",
        clock=COUNTED,
        goal="below a server that is always on",
        reached=cost.total < server,
        lines=(
            Line("timer once a minute", round(cost.total, 2), "CNY", ours=True, note=note),
            Line("held open", 0.0, "CNY", note="nothing runs"),
            Line("always on", round(server, 2), "CNY"),
        ),
        text=text,
    )
