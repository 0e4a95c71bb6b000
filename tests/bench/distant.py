"""An OSS server that holds its objects in memory and answers each request after a while.

So what is measured is the client alone: this server checks no signature and writes to no disk, and
one process of it keeps up with a client of many threads. `GET /_counts` tells the requests by kind
since it was last asked; `DELETE /_objects?prefix=…&end=…` takes objects away.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import time
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from email.utils import formatdate
from xml.sax.saxutils import escape

from aiohttp import web

from tests.bench.populate import BUCKET, jobs
from tests.bench.requests import kind_of
from tests.bench.world import MODEL

LAST = "\U0010ffff"
WRITTEN = "2026-01-01T00:00:00.000Z"
FILES_MOST = 64 * 1024 * 1024


class Distant:
    """Objects by key, `seconds` away."""

    def __init__(self, seconds: float, bodies: dict[str, bytes]) -> None:
        self._seconds, self._bodies = seconds, bodies
        self._keys = sorted(bodies)
        self._counts = Counter[str]()

    async def answer(self, request: web.Request) -> web.Response:
        """What OSS would answer."""
        key = request.match_info["key"]
        verb = request.method if key else "LIST"
        self._counts[f"{verb} {kind_of(key or request.query.get('prefix', ''))}"] += 1
        body = await request.read()
        await asyncio.sleep(self._seconds)
        if verb == "PUT":
            return self._put(key, body, "x-oss-forbid-overwrite" in request.headers)
        if verb == "DELETE":
            self._remove([key])
            return _said("", 204)
        if verb == "LIST":
            return self._page(request)
        if key not in self._bodies:
            return _refused(404, "NoSuchKey")
        return _said(self._bodies[key])

    async def counts(self, _request: web.Request) -> web.Response:
        found, self._counts = self._counts, Counter[str]()
        return web.json_response(found)

    async def lose(self, request: web.Request) -> web.Response:
        prefix, end = request.query["prefix"], request.query["end"]
        self._remove([key for key in self._below(prefix, "") if key.endswith(end)])
        return _said("", 204)

    def _put(self, key: str, body: bytes, absent: bool) -> web.Response:
        if key in self._bodies and absent:
            return _refused(409, "FileAlreadyExists")
        if key not in self._bodies:
            insort(self._keys, key)
        self._bodies[key] = body
        return _said("")

    def _remove(self, keys: list[str]) -> None:
        for key in keys:
            self._bodies.pop(key, None)
        self._keys = [key for key in self._keys if key in self._bodies]

    def _below(self, prefix: str, after: str) -> list[str]:
        first = max(bisect_left(self._keys, prefix), bisect_right(self._keys, after))
        return self._keys[first : bisect_left(self._keys, prefix + LAST)]

    def _page(self, request: web.Request) -> web.Response:
        if "versioning" in request.query:
            return _said("<VersioningConfiguration/>")
        asked, size = request.query, int(request.query.get("max-keys", 100))
        after = max(asked.get("start-after", ""), asked.get("continuation-token", ""))
        found = self._below(asked.get("prefix", ""), after)
        shown, more = found[:size], len(found) > size
        token = (
            f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if more else ""
        )
        items = "".join(map(self._item, shown))
        cut = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        return _said(f"<ListBucketResult>{cut}{token}{items}</ListBucketResult>")

    def _item(self, key: str) -> str:
        body = self._bodies[key]
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest().upper()
        return (
            f"<Contents><Key>{escape(key)}</Key><LastModified>{WRITTEN}</LastModified>"
            f'<ETag>"{etag}"</ETag><Type>Normal</Type><Size>{len(body)}</Size>'
            "<StorageClass>Standard</StorageClass></Contents>"
        )


def _said(body: str | bytes, status: int = 200) -> web.Response:
    content = body.encode() if isinstance(body, str) else body
    headers = {"Date": formatdate(usegmt=True), "x-oss-request-id": "bench", "ETag": '"BENCH"'}
    return web.Response(body=content, status=status, headers=headers)


def _refused(status: int, code: str) -> web.Response:
    return _said(f"<Error><Code>{code}</Code><Message>{code}</Message></Error>", status)


def main() -> None:
    """Serve a bucket of jobs that are over and jobs that wait."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--seconds", type=float, required=True, help="that an answer takes")
    wanted.add_argument("--finished", type=int, required=True)
    wanted.add_argument("--queued", type=int, required=True)
    given = wanted.parse_args()
    now_ms = int(time.time() * 1000)
    bodies = dict(jobs(MODEL, now_ms, queued=given.queued, finished=given.finished))
    distant = Distant(given.seconds, bodies)
    app = web.Application(client_max_size=FILES_MOST)
    app.router.add_get("/_counts", distant.counts)
    app.router.add_delete("/_objects", distant.lose)
    app.router.add_route("*", f"/{BUCKET}/{{key:.*}}", distant.answer)
    web.run_app(app, host="127.0.0.1", port=0)


if __name__ == "__main__":
    main()
