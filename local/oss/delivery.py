"""Delivers the outbox: each event is posted until it is accepted, in order."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import sqlite3
from contextlib import suppress

import aiohttp

from local.oss.database import Database
from local.oss.layout import Layout

logger = logging.getLogger("local.oss")

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
# Another server on the same folder may have put an event there, or may have gone away.
_LOOK_SECONDS = 0.5
_POST_TIMEOUT_SECONDS = 60.0


class Delivery:
    """Posts events to one URL. Of several servers on one folder one delivers at a time."""

    def __init__(self, layout: Layout, database: Database, url: str) -> None:
        self._database = database
        self._url = url
        self._lock = os.open(
            layout.private / "delivery.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        )

    async def run(self) -> None:
        """Deliver until cancelled."""
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        self._database.on_outbox = lambda: _call_soon(loop, news)
        timeout = aiohttp.ClientTimeout(total=_POST_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                news.clear()
                if not await self._deliver(session):
                    with suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(news.wait(), _LOOK_SECONDS)

    def _is_turn(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def _deliver(self, session: aiohttp.ClientSession) -> bool:
        try:
            return self._is_turn() and await self._deliver_oldest(session)
        except (OSError, sqlite3.Error) as error:
            logger.error("The outbox cannot be read or written, trying on: %s", error)
            return False

    async def _deliver_oldest(self, session: aiohttp.ClientSession) -> bool:
        oldest = await asyncio.to_thread(self._database.oldest_event)
        if oldest is None:
            return False
        event_id, body = oldest
        pause = _FIRST_PAUSE_SECONDS
        while not await self._post(session, body, warn=pause == _FIRST_PAUSE_SECONDS):
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        await asyncio.to_thread(self._database.event_delivered, event_id)
        return True

    async def _post(self, session: aiohttp.ClientSession, body: str, *, warn: bool) -> bool:
        headers = {"Content-Type": "application/json"}
        try:
            async with session.post(self._url, data=body.encode(), headers=headers) as answer:
                if 200 <= answer.status < 300:
                    return True
                problem = f"it answered {answer.status}"
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            problem = str(error) or type(error).__name__
        if warn:
            logger.warning("An event could not be posted to %s, trying on: %s", self._url, problem)
        return False


def _call_soon(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop is closed while the server stops
        loop.call_soon_threadsafe(news.set)
