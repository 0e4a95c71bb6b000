"""What is special about one run's world: rare, long or troublesome things, drawn by its seed.

They are drawn apart from everything else, so that a seed's story changes only where they strike.
The constants below switch off what the product is known not to withstand; each says why.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timezone

from tests.simulation.account import CREATE, IMAGE, QUERY, TASK, Account, troubles
from tests.simulation.kernel import START
from tests.simulation.studio import SimStudio
from tests.simulation.task_list import BEIJING, LISTS_IN_UTC, MOST_ROWS, TaskList

DAY = 24 * 3600.0
LAG_BEYOND_GRACE = False

WAYS = ((CREATE,), (CREATE, QUERY), (TASK,), (IMAGE,), (CREATE, TASK, IMAGE), (QUERY,))
LIST_FAULTS = ("list_unreadable", "list_without_data", "list_cut", "ask_500", "ask_timeout")


@dataclass(frozen=True)
class World:
    """`fair`: nothing fails; `crowd`: many jobs at once. `lag`: seconds by which the task list is
    behind; `rows`: on one of its pages; `list_faults`: what its answers suffer from. `keys`: on
    one page of the bucket's list. `away`: from when to when no poller runs, `everybody`: nor
    anything else. `forgets`: spans in which queries find no task. `callers`: programs use HTTP.
    `slow`: tasks take minutes. `price`: of one image. `strange_hosts`: some images lie where no
    document says."""

    fair: bool = False
    crowd: bool = False
    foreign: bool = False
    lag: float = 0.0
    rows: int = MOST_ROWS
    list_faults: tuple[str, ...] = ()
    keys: int = 1000
    away: tuple[float, float] = (0.0, 0.0)
    everybody: bool = False
    forgets: tuple[tuple[float, float], ...] = ()
    trouble: bool = False
    callers: bool = False
    slow: bool = False
    price: float = 0.14
    utc: bool = False
    strange_hosts: bool = False

    def settle(self, studio: SimStudio, account: Account) -> None:
        """Make the service such a one."""
        zone = timezone.utc if self.utc and LISTS_IN_UTC else BEIJING
        studio.task_list = TaskList(self.rows, self.lag, zone)
        studio.forgets, studio.strange_hosts = self.forgets, self.strange_hosts
        studio.account = account
        if self.slow:
            studio.pace = 150.0

    def patience(self) -> float:
        """Seconds after which everybody is back, and everything is known again."""
        ends = [self.away[1], *(end for _, end in self.forgets)]
        return max(end - START for end in ends)


def world_of(seed: int) -> World:
    """The world of a seed; that of most seeds has nothing special."""
    rng = random.Random(f"world {seed}")

    def one_in(number: int) -> bool:
        return rng.randrange(number) == 0

    fair = one_in(10)
    return World(
        fair=fair,
        crowd=one_in(2) if fair else one_in(25),
        foreign=one_in(14),
        lag=_lag(rng) if one_in(14) else 0.0,
        rows=rng.choice((3, 10)) if one_in(8) else MOST_ROWS,
        list_faults=tuple(rng.sample(LIST_FAULTS, 2)) if one_in(16) else (),
        keys=rng.choice((2, 5)) if one_in(12) else 1000,
        away=_away(rng) if one_in(30) else (0.0, 0.0),
        everybody=one_in(2),
        forgets=_forgets(rng) if one_in(25) else (),
        trouble=one_in(10),
        callers=one_in(10),
        slow=one_in(50),
        price=rng.choice((0.14, 0.2, 4.0)),
        utc=one_in(2),
        strange_hosts=one_in(30),
    )


def account_of(seed: int, world: World, models: Collection[str]) -> Account:
    """The account of a seed's world."""
    rng = random.Random(f"account {seed}")
    return Account(troubles(rng, models, START, WAYS) if world.trouble else ())


def _lag(rng: random.Random) -> float:
    return rng.choice((30.0, 90.0, 900.0) if LAG_BEYOND_GRACE else (30.0, 45.0))


def _away(rng: random.Random) -> tuple[float, float]:
    start = START + rng.choice((5.0, 30.0, 100.0)) * rng.random()
    return start, start + rng.choice((0.3, 1.02, 1.5)) * DAY


def _forgets(rng: random.Random) -> tuple[tuple[float, float], ...]:
    start = START + 60.0 * rng.random()
    return ((start, start + rng.choice((30.0, 700.0, 2500.0))),)
