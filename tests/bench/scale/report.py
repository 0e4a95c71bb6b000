"""docs/scale.md: every figure in it is calculated or simulated here, none is typed by hand."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.results import Curve, Plot
from tests.bench.scale.bill import Bill, bill
from tests.bench.scale.bounds import Bound, bounds
from tests.bench.scale.day import Day, run
from tests.bench.scale.facts import DAY, facts, models, payable, rate_of
from tests.bench.scale.layout import Layout, Load
from tests.bench.scale.sizing import asked, carrying, documented, quota, raised, with_quota

TIMES = (1, 2, 5, 10)


@dataclass(frozen=True)
class Case:
    """A simulated day with a name."""

    name: str
    day: Day

    @property
    def bill(self) -> Bill:
        return bill(self.day)

    @property
    def first(self) -> Bound:
        """What would break first if the load grew, or has."""
        return breaks_first(self.day.layout, self.day.load)


@dataclass(frozen=True)
class Found:
    """All simulated days."""

    documented: list[Case]
    raised: list[Case]
    keys: list[Case]
    carrying: list[Case]
    bursts: list[Case]


def breaks_first(layout: Layout, load: Load) -> Bound:
    """The bound that allows the fewest jobs a day of such a shape."""
    return min(bounds(layout), key=lambda bound: bound.jobs_a_day(load))


def simulate(times: tuple[int, ...] = TIMES) -> Found:
    """Run every day that the page tells of."""
    return Found(_documented(times), _raised(times), _keys(), _carrying(times), _bursts())


def keys() -> int:
    return int(facts().of("load", "keys"))


def _documented(times: tuple[int, ...]) -> list[Case]:
    layout = Layout(keys(), documented(), quota())
    return [Case(f"× {each}", run(layout, asked(each))) for each in times]


def _raised(times: tuple[int, ...]) -> list[Case]:
    """The same keys, each with as many slots as the load needs."""
    found = []
    for each in times:
        layout = Layout(keys(), raised(asked(each), keys()), quota())
        slots = layout.lanes[0].slots
        for instances in dict.fromkeys((quota(), quota(raised=True) if each >= 5 else quota())):
            name = f"× {each}, {slots} slots a key, {instances} instances"
            found.append(Case(name, run(with_quota(layout, instances), asked(each))))
    return found


def _keys() -> list[Case]:
    """The question's load over fewer and more keys with documented limits."""
    found = []
    for share in (0.5, 1, 2, 3):
        many = round(keys() * share)
        fits = Layout(many, documented(), quota())
        layout = fits if fits.fits else with_quota(fits, quota(raised=True))
        name = f"{many} keys, {layout.instances} instances"
        found.append(Case(name, run(layout, asked())))
    return found


def _carrying(times: tuple[int, ...]) -> list[Case]:
    found = []
    for each in times:
        load = asked(each)
        found.append(_carried(f"× {each}, documented limits", load, carrying(load, documented())))
    load = asked()
    peak = carrying(load, documented(), load.peak)
    found.append(_carried("× 1, slots for the busiest hour", load, peak))
    for each in times:
        load = asked(each)
        lanes = raised(asked(), keys())
        name = f"× {each}, {lanes[0].slots} slots a key"
        found.append(_carried(name, load, carrying(load, lanes)))
    return found


def _carried(name: str, load: Load, layout: Layout) -> Case:
    return Case(name, run(layout, load))


def _bursts() -> list[Case]:
    """Files for one bucket, while the other pollers keep their instances."""
    many, jitter = int(facts().of("load", "burst")), facts().of("function_compute", "jitter")
    found = []
    for instances in (quota(), quota(raised=True)):
        layout = Layout(1, documented(), instances, reserved=keys())
        for spread in (0.0, jitter):
            name = f"{instances} instances, " + ("even pauses" if not spread else "spread pauses")
            found.append(Case(name, run(layout, Load(0.0, 1.0, many, spread))))
    return found


def plots(found: Found) -> dict[str, Plot]:
    """Two: jobs that wait over the day, and what share is done as the load grows."""
    days = [
        ("50 keys, documented".replace("50", str(keys())), found.documented[0]),
        (f"{keys()} keys, {found.raised[0].day.layout.lanes[0].slots} slots", found.raised[0]),
        (f"{found.carrying[0].day.layout.deployments} keys, documented", found.carrying[0]),
    ]
    waiting = tuple(_waiting(name, case) for name, case in days)
    shares = (
        _shares(f"{keys()} keys, documented", found.documented),
        _shares(f"{keys()} keys, slots grow along", found.raised),
        _shares("layouts that carry it", found.carrying[: len(found.documented)]),
    )
    hours = "hours since the quietest of the night"
    return {
        "waiting": Plot(hours, "thousand jobs waiting", waiting),
        "done": Plot("times a million jobs a day", "share started that day", shares, log_x=True),
    }


def _waiting(name: str, case: Case) -> Curve:
    series, accounts = case.day.waiting(), case.day.layout.accounts
    steps = range(0, DAY, DAY // 96)
    y = tuple(float(series[step]) * accounts / 1000 for step in steps)
    return Curve(name, tuple(step / 3600 for step in steps), y)


def _shares(name: str, cases: list[Case]) -> Curve:
    """The last case of each load."""
    by_load = {round(case.day.load.jobs / asked().jobs): case.day for case in cases}
    y = tuple(day.started / max(1, day.arrived) for day in by_load.values())
    return Curve(name, tuple(float(times) for times in by_load), y)


__all__ = ["Found", "breaks_first", "models", "payable", "plots", "rate_of", "simulate"]
