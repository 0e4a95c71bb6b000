"""Whether the HTTP endpoints get slower the more jobs there are, with 50 clients at once."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import aiohttp

from tests.bench.populate import discard, done_job, stocked, waiting_job
from tests.bench.results import REAL, Curve, Line, Measure, Plot, Sample
from tests.bench.stocked import TOKEN, runtime, servers

SIZES = (10, 1000, 100_000)
FINISHED = 10_000
CLIENTS = 50
INSTANCES = 8
REQUESTS = 400
TURNS = 4
PAGE = 10
WAIT = 1
GOAL = 1.25
LIST, STATUS, POLL = "list", "status", "long poll"

TEXT = """{clients} clients ask again as soon as they are answered: `GET /jobs?limit={page}` (the
newest, which wait) and `GET /jobs/ID` of any job, every other one finished, the rest anywhere in
the queue. *Long poll*: `GET /jobs/ID?wait={wait}` of a queued job whose state does not change, less
the {wait} s; {instances} clients, one for each instance. The bucket holds as many queued jobs as
the line says, and as many finished ones, at most {finished:,}. Real HTTP from client to runtime to
function to OSS. Function Compute would start an instance for each of the {clients} requests; here
{instances} instances take them in turn, on two cores with clients and servers, so that a latency is
mostly waiting for one's turn: compare figures of one kind with each other, not with the cloud's.
All sizes are measured in each of {turns} turns."""
BOUND = (
    "Clients, servers and instances share two cores, so that a latency is mostly waiting for a"
    " processor; it varies from turn to turn by more than the goal allows for."
)

Ask = Callable[[aiohttp.ClientSession, random.Random], Awaitable[float]]


@dataclass(frozen=True)
class Site:
    """The endpoints over a bucket with `queued` queued and `finished` finished jobs."""

    address: str
    queued: int
    finished: int

    async def list(self, session: aiohttp.ClientSession, _rng: random.Random) -> float:
        """Seconds that the newest jobs take."""
        return await _timed(session, f"{self.address}/jobs?limit={PAGE}")

    async def status(self, session: aiohttp.ClientSession, rng: random.Random) -> float:
        """Seconds that a job's state takes."""
        if rng.random() < 0.5:
            job = done_job(rng.randrange(self.finished))
        else:
            job = waiting_job(rng.randrange(self.queued))
        return await _timed(session, f"{self.address}/jobs/{quote(job)}")

    async def long_poll(self, session: aiohttp.ClientSession, rng: random.Random) -> float:
        """Seconds that it takes longer than was asked to wait."""
        job = waiting_job(rng.randrange(self.queued))
        return await _timed(session, f"{self.address}/jobs/{quote(job)}?wait={WAIT}") - WAIT


async def _timed(session: aiohttp.ClientSession, url: str) -> float:
    before = time.perf_counter()
    async with session.get(url) as answer:
        body = await answer.read()
        took = time.perf_counter() - before
        if answer.status != 200:
            raise RuntimeError(f"{url} answered {answer.status}: {body[:200]!r}")
    json.loads(body)
    return took


def measures(brief: bool = False) -> list[Measure]:
    """The three kinds at each size."""
    sizes = (10, 200) if brief else SIZES
    turns, requests = (1, 60) if brief else (TURNS, REQUESTS)
    finished = 50 if brief else FINISHED
    found = {kind: {size: Sample() for size in sizes} for kind in (LIST, STATUS, POLL)}
    with ExitStack() as running:
        sites = [_site(running, size, finished) for size in sizes]
        for turn in range(turns):
            # Whoever comes first in one turn comes last in the next.
            for site in sites if turn % 2 == 0 else reversed(sites):
                asyncio.run(_turn(site, found, requests // turns, turn))
    discard()
    return [_measure(found, sizes, finished, turns)]


def _site(running: ExitStack, size: int, finished: int) -> Site:
    over = min(finished, size)
    env = running.enter_context(servers(stocked(size, over)))
    data = Path(running.enter_context(tempfile.TemporaryDirectory()))
    address = running.enter_context(runtime(env, data, INSTANCES))
    site = Site(address, size, over)
    asyncio.run(_warm(site))
    return site


async def _warm(site: Site) -> None:
    """Every instance is started and has been asked for everything."""
    for ask in (site.list, site.status):
        await _many(ask, 4 * CLIENTS, 0)


async def _turn(site: Site, found: dict[str, dict[int, Sample]], requests: int, turn: int) -> None:
    kinds: dict[str, tuple[Ask, int]] = {
        LIST: (site.list, requests),
        STATUS: (site.status, 2 * requests),
        POLL: (site.long_poll, requests // 5),
    }
    for kind, (ask, number) in kinds.items():
        clients = INSTANCES if kind == POLL else CLIENTS
        found[kind][site.queued].values += await _many(ask, number, turn, clients)


async def _many(ask: Ask, number: int, seed: int, clients: int = CLIENTS) -> list[float]:
    """Seconds of `number` requests by clients who ask again as soon as they are answered."""
    rng, left, took = random.Random(seed), iter(range(number)), list[float]()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    timeout = aiohttp.ClientTimeout(total=120)
    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(
        headers=headers, timeout=timeout, connector=connector
    ) as session:

        async def client() -> None:
            for _ in left:
                took.append(await ask(session, rng))

        await asyncio.gather(*(client() for _ in range(clients)))
    return took


def _measure(
    found: dict[str, dict[int, Sample]], sizes: tuple[int, ...], finished: int, turns: int
) -> Measure:
    growth = {
        kind: {
            size: one.quantile(0.95) / samples[sizes[0]].quantile(0.95)
            for size, one in samples.items()
        }
        for kind, samples in found.items()
    }
    reached = all(ratios[sizes[-1]] <= GOAL for ratios in growth.values())
    text = TEXT.format(
        clients=CLIENTS, page=PAGE, wait=WAIT, finished=finished, instances=INSTANCES, turns=turns
    )
    return Measure(
        id="listing",
        title="List, status and long poll with many jobs in the bucket",
        clock=REAL,
        goal=f"p95 at {sizes[-1]:,} queued jobs ≤ {GOAL:g} times that at {sizes[0]}",
        reached=reached,
        lines=tuple(
            _line(kind, size, one, growth[kind][size])
            for kind, samples in found.items()
            for size, one in samples.items()
        ),
        text=text,
        bound="" if reached else BOUND,
        plot=Plot("queued jobs", "p95, ms", _curves(found), log_x=True),
    )


def _line(kind: str, size: int, one: Sample, growth: float) -> Line:
    name, note = f"{kind}, {size:,} queued", f"p95 × {growth:.2f}"
    in_ms = Sample([1000 * value for value in one.values])
    return in_ms.line(name, "ms", ours=True, note=note)


def _curves(found: dict[str, dict[int, Sample]]) -> tuple[Curve, ...]:
    return tuple(
        Curve(
            kind,
            tuple(map(float, samples)),
            tuple(1000 * one.quantile(0.95) for one in samples.values()),
        )
        for kind, samples in found.items()
    )
