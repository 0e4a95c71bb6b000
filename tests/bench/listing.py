"""Whether the HTTP endpoints get slower the more jobs there are, with 50 clients at once."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp

from tests.bench.laptop import NEVER, NO_RUNTIME, TOKEN, laptop, server
from tests.bench.populate import done_job, stocked, waiting_job
from tests.bench.results import ROOT, Measure, line, quantile

SIZES = (10, 30_000)
FINISHED = 3_000
CLIENTS = 50
INSTANCES = 8
REQUESTS = 120
TURNS = 4
PAGE = 10
WAIT = 1
"""Seconds that a long poll asks the endpoint to wait."""
GOAL = 1.25
LIST, STATUS, POLL = KINDS = ("list", "status", "long poll")

Ask = Callable[[aiohttp.ClientSession, random.Random], Awaitable[float]]


@dataclass(frozen=True)
class Site:
    """The endpoints over a bucket with `queued` queued and `finished` finished jobs."""

    address: str
    queued: int
    finished: int

    async def list(self, session: aiohttp.ClientSession, _rng: random.Random) -> float:
        """Seconds of a list of the newest jobs."""
        return await _timed(session, f"{self.address}/jobs?limit={PAGE}")

    async def status(self, session: aiohttp.ClientSession, rng: random.Random) -> float:
        """Seconds of the answer about any job."""
        if rng.random() < 0.5:
            job = done_job(rng.randrange(self.finished))
        else:
            job = waiting_job(rng.randrange(self.queued))
        return await _timed(session, f"{self.address}/jobs/{quote(job)}")

    async def long_poll(self, session: aiohttp.ClientSession, rng: random.Random) -> float:
        """Seconds that it takes longer than the wait it asked for."""
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
    """The three kinds at each size; every turn measures all sizes."""
    sizes = (10, 200) if brief else SIZES
    turns, requests = (1, 20) if brief else (TURNS, REQUESTS)
    finished = 50 if brief else FINISHED
    found: dict[str, dict[int, list[float]]]
    found = {kind: {size: [] for size in sizes} for kind in KINDS}
    with ExitStack() as running:
        sites = [_site(running, size, min(finished, size)) for size in sizes]
        for site in sites:
            asyncio.run(_warm(site, requests))
        for turn in range(turns):
            # The order alternates: the first of one turn is the last of the next.
            for site in sites if turn % 2 == 0 else reversed(sites):
                asyncio.run(_turn(site, found, requests // turns, turn))
    return [growth(found)]


def _site(running: ExitStack, size: int, finished: int) -> Site:
    """A runtime of its own, because that of the laptop cloud has fewer instances."""
    data = running.enter_context(stocked(size, finished))
    cloud = running.enter_context(laptop(environ=NO_RUNTIME, data=data))
    options = {
        "--data": running.enter_context(tempfile.TemporaryDirectory()),
        "--instances": str(INSTANCES),
        "--timer-minute": str(NEVER),
        "--idle-seconds": str(NEVER),
    }
    words = [word for pair in options.items() for word in pair]
    env = {**cloud.env, "WANX_CODE": str(ROOT / "functions")}
    address = running.enter_context(server("local.runtime", *words, env=env))
    return Site(address, size, finished)


async def _warm(site: Site, requests: int) -> None:
    """Every instance is started and has answered everything."""
    for ask in (site.list, site.status):
        await _many(ask, requests // 2, 0)


async def _turn(
    site: Site, found: Mapping[str, Mapping[int, list[float]]], requests: int, turn: int
) -> None:
    kinds: dict[str, tuple[Ask, int]] = {
        LIST: (site.list, requests),
        STATUS: (site.status, 2 * requests),
        POLL: (site.long_poll, requests // 5),
    }
    for kind, (ask, number) in kinds.items():
        clients = INSTANCES if kind == POLL else CLIENTS
        found[kind][site.queued] += await _many(ask, number, turn, clients)


async def _many(ask: Ask, number: int, seed: int, clients: int = CLIENTS) -> list[float]:
    """Seconds of `number` requests by clients that ask again as soon as they have an answer."""
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


def growth(found: Mapping[str, Mapping[int, Sequence[float]]]) -> Measure:
    """The measure of seconds by kind and number of queued jobs."""
    lines, worst, sizes = [], 0.0, list(found[LIST])
    for kind, samples in found.items():
        least = quantile(samples[sizes[0]], 0.95)
        for size, values in samples.items():
            ratio, in_ms = quantile(values, 0.95) / least, [1000 * value for value in values]
            note = f"p95 × {ratio:.2f}"
            lines.append(line(f"{kind}, {size:,} queued", in_ms, "ms", ours=True, note=note))
        worst = max(worst, ratio)
    goal = f"p95 at {sizes[-1]:,} queued jobs ≤ {GOAL:g} times that at {sizes[0]}"
    return Measure("listing", goal, worst <= GOAL, lines, f"{worst:.3g} × at worst")
