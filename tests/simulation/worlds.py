"""What is special about one run's world: rare, long or troublesome things, drawn by its seed.

They are drawn apart from everything else, so that a seed's story changes only where they strike.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timezone

from tests.simulation.account import CREATE, IMAGE, QUERY, TASK, Account, troubles
from tests.simulation.chaos import EMPTY_FOR_LONG, LIST_EMPTY, LIST_FAULTS
from tests.simulation.kernel import START
from tests.simulation.receivers import NO_WEBHOOKS, Webhooks, webhooks_of
from tests.simulation.scenario import MODELS
from tests.simulation.studio import SimStudio
from tests.simulation.synchronous import NONE, Synchronous, synchronous_of
from tests.simulation.task_list import BEIJING, MOST_ROWS, TaskList
from tests.simulation.upgrade import NO_UPGRADE, Upgrade, upgrade_of

DAY = 24 * 3600.0
LAG_BEYOND_GRACE = False
"""A list that is behind for more than five times the grace, and shows no later task of ours, is
believed: the task that it does not show yet is made and paid once more."""

TROUBLED_KEYS = 20
RELIABLE, LOSSY = "reliable", "lossy"
WAYS = ((CREATE,), (CREATE, QUERY), (TASK,), (IMAGE,), (CREATE, TASK, IMAGE), (QUERY,))


@dataclass(frozen=True)
class World:
    """Times in seconds since 1970, spans in seconds.

    `fair`: nothing fails. `crowd`: many jobs at once. `foreign`: another program uses the account.
    `lag`: how far the task list is behind; `rows`: on one of its pages; `list_faults`: what its
    answers suffer from, and `bad_lists`: what share of them. `keys`: on one page of the bucket's
    list. `away`: from when to when no poller runs; `everybody`: nor anything else. `forgets`: spans
    in which queries find no task. `trouble`: the account is refused for a while. `callers`:
    programs use HTTP. `slow`: tasks take minutes. `price`: of one image. `utc`: the task list reads
    times as UTC. `strange_hosts`: some images lie where no document says. `retries`: of an event
    that fails, before it is given up. `deaf`: from when to when no create request is answered.
    `net`: the timer is a safety net, which does not fire here at all (RELIABLE: no wake-up is lost
    either) or once after the storm (LOSSY). `upgrade`: when other code is deployed; then tasks are
    slow as a rule, so that somebody polls for long. `synchronous`: models that are called.
    `webhooks`: receivers that are told of jobs."""

    fair: bool = False
    crowd: bool = False
    foreign: bool = False
    lag: float = 0.0
    rows: int = MOST_ROWS
    list_faults: tuple[str, ...] = ()
    bad_lists: float = 0.5
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
    retries: int = 3
    deaf: tuple[float, float] = (0.0, 0.0)
    net: str = ""
    upgrade: Upgrade = NO_UPGRADE
    synchronous: Synchronous = NONE
    webhooks: Webhooks = NO_WEBHOOKS

    def settle(self, studio: SimStudio, account: Account) -> None:
        """Make the service such a one."""
        zone = timezone.utc if self.utc else BEIJING
        studio.task_list = TaskList(self.rows, self.lag, zone)
        studio.forgets, studio.strange_hosts = self.forgets, self.strange_hosts
        studio.account, studio.synchronous = account, self.synchronous
        if self.slow:
            studio.pace = 150.0

    def patience(self, last_help: float = START) -> float:
        """Seconds after which everybody is back, and everything is known again."""
        back = max(self.away[1] - START, 0.0)
        forgets = [end - START for _, end in self.forgets]
        # A receiver that is dead for good is tried for a day, from when somebody is there to try,
        # and again for jobs that began when somebody helped.
        tried = max(back, last_help - START) + DAY if self.webhooks.is_endless else back
        return max(self.webhooks.patience(), tried, *forgets)


def world_of(seed: int) -> World:
    """The world of a seed; that of most seeds has nothing special."""
    rng = random.Random(f"world {seed}")

    def one_in(number: int) -> bool:
        return rng.randrange(number) == 0

    deaf = _deaf(rng) if one_in(20) else (0.0, 0.0)
    trouble = one_in(8)
    fair, bad_lists = one_in(10), rng.choice((0.5, 1.0))
    world = World(
        fair=fair,
        crowd=one_in(2) if fair or deaf[1] else one_in(25),
        foreign=one_in(14),
        lag=_lag(rng) if one_in(14) else 0.0,
        rows=rng.choice((1, 3)) if one_in(8) else MOST_ROWS,
        list_faults=_list_faults(rng, bad_lists) if one_in(12) else (),
        bad_lists=bad_lists,
        keys=_keys(rng, trouble) if one_in(12) else 1000,
        away=_away(rng) if one_in(25) else (0.0, 0.0),
        everybody=one_in(2),
        forgets=_forgets(rng) if one_in(25) else (),
        trouble=trouble,
        callers=one_in(10),
        slow=one_in(50),
        price=rng.choice((0.14, 0.2, 4.0)),
        utc=one_in(2),
        strange_hosts=one_in(30),
        retries=0 if one_in(12) else 3,
        deaf=deaf,
        net=_net(rng, fair),
    )
    synchronous = synchronous_of(seed, MODELS)
    if synchronous.models:
        world = replace(world, synchronous=synchronous, crowd=world.crowd or seed % 3 == 0)
    upgrade = upgrade_of(seed, often=bool(synchronous.models))
    if upgrade.moments:
        world = replace(world, upgrade=upgrade, slow=world.slow or seed % 4 > 0)
    world = replace(world, webhooks=webhooks_of(seed, world.net))
    troubled = world.net and world.keys >= TROUBLED_KEYS and one_in(2)
    return replace(world, trouble=True) if troubled else world


def account_of(seed: int, world: World, models: Collection[str]) -> Account:
    """The account of a seed's world."""
    rng = random.Random(f"account {seed}")
    return Account(troubles(rng, models, START, WAYS) if world.trouble else ())


def _net(rng: random.Random, fair: bool) -> str:
    return rng.choice(("", RELIABLE) if fair else ("", "", RELIABLE, LOSSY))


def _list_faults(rng: random.Random, share: float) -> tuple[str, ...]:
    all_bad = share == 1.0 and not EMPTY_FOR_LONG
    return tuple(rng.sample(LIST_FAULTS if all_bad else (*LIST_FAULTS, LIST_EMPTY), 2))


def _keys(rng: random.Random, trouble: bool) -> int:
    """A job that is refused for half an hour has a hundred records: not in so many pages."""
    return rng.choice((TROUBLED_KEYS, 50) if trouble else (2, 5))


def _lag(rng: random.Random) -> float:
    most = 900.0 if LAG_BEYOND_GRACE else 200.0
    return rng.choice((30.0, 90.0, most))


def _away(rng: random.Random) -> tuple[float, float]:
    start = START + rng.choice((5.0, 30.0, 100.0)) * rng.random()
    return start, start + rng.choice((0.3, 1.02, 1.5)) * DAY


def _deaf(rng: random.Random) -> tuple[float, float]:
    start = START + 20.0 * rng.random()
    return start, start + rng.choice((15.0, 40.0))


def _forgets(rng: random.Random) -> tuple[tuple[float, float], ...]:
    start = START + 60.0 * rng.random()
    return ((start, start + rng.choice((30.0, 700.0, 2500.0))),)
