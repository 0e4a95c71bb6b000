"""How many small objects the OSS server takes and gives a second, beside moto's S3 server.

Both servers get the same requests over one kept connection, in turns. Ours checks a signature with
each request, moto does not. moto keeps its objects in memory; ours makes a file of each, in a
folder that lies in memory too where there is one, so that servers are compared and not a disk.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

import requests

from tests.bench.laptop import NO_RUNTIME, laptop, server
from tests.bench.populate import BUCKET, stocked
from tests.bench.results import Measure, line

BODY = bytes(range(256)) * 4
OBJECTS, TURNS = 300, 3
S3 = "AWS4-HMAC-SHA256 Credential=x/20200101/us-east-1/s3/aws4_request, Signature=x"
"""moto learns from this that S3 is meant; it checks nothing."""


@dataclass
class Rated:
    """A running server, requests a second by verb, and the address of an object for a verb."""

    name: str
    rates: dict[str, list[float]]
    url: Callable[[str, str], str]

    def turn(self, verb: str, keys: list[str]) -> None:
        """One turn over all objects. Raises RuntimeError if an answer is not as expected."""
        urls = [urlsplit(self.url(verb, key)) for key in keys]
        body = BODY if verb == "PUT" else None
        headers = {} if urls[0].query else {"Authorization": S3}
        connection = http.client.HTTPConnection(urls[0].netloc)
        begin = time.perf_counter()
        for url in urls:
            connection.request(verb, f"{url.path}?{url.query}", body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200 or (verb == "GET" and content != BODY):
                raise RuntimeError(f"{self.name}: {answer.status} to {verb} {url}: {content!r}")
        self.rates[verb].append(len(keys) / (time.perf_counter() - begin))
        connection.close()


def measures(brief: bool = False) -> list[Measure]:
    """Puts and gets a second of both servers."""
    objects, turns = (50, 1) if brief else (OBJECTS, TURNS)
    with (
        stocked(0, 0) as data,
        laptop(environ=NO_RUNTIME, data=data) as cloud,
        server("moto.server", "-H", "127.0.0.1", "-p", "0") as there,
    ):
        ours = Rated("local.oss", {"PUT": [], "GET": []}, cloud.signed)
        moto = Rated("moto", {"PUT": [], "GET": []}, lambda _, key: f"{there}/{BUCKET}/{key}")
        requests.put(moto.url("PUT", ""), headers={"Authorization": S3}, timeout=30)
        for turn in range(turns):
            keys = [f"turn{turn}/object-{number:06d}" for number in range(objects)]
            for verb in ("PUT", "GET"):
                ours.turn(verb, keys)
                moto.turn(verb, keys)
    return [compared(ours, moto)]


def compared(ours: Rated, moto: Rated) -> Measure:
    """The measure of both servers' rates."""
    lines = []
    for verb in ("PUT", "GET"):
        ratio = median(ours.rates[verb]) / median(moto.rates[verb])
        note = f"{ratio:.2f} × the rate of moto"
        lines += [
            line(f"local.oss, {verb}", ours.rates[verb], "/s", ours=True, note=note),
            line(f"moto, {verb}", moto.rates[verb], "/s"),
        ]
    return Measure("oss-rates", "none", None, lines)
