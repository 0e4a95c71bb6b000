"""How many small objects the OSS server takes and gives a second, beside moto's S3 server.

    python tests/bench/oss_rates.py --objects 1000

Both servers are processes on this machine and get the same requests over one kept connection, in
turns. Ours checks a signature with each request, moto does not. moto keeps its objects in memory,
ours makes a file of each: so that servers are compared and not a disk, its folder lies in memory
too where there is such a folder. --folder names another place, such as a disk.
moto's server needs ``moto[server]``; --moto-python names a Python that has it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import http.client
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from statistics import median
from typing import IO

REPOSITORY = Path(__file__).resolve().parents[2]
BUCKET, KEY_ID, SECRET = "rates", "bench-key", "bench-secret"
BODY = bytes(range(256)) * 4
READY_SECONDS = 60.0
Headers = Callable[[str, str], dict[str, str]]


@dataclass(frozen=True)
class Server:
    """A running server: its port, and how a request (method, path) is signed for it."""

    name: str
    port: int
    headers: Headers


def signed(method: str, path: str) -> dict[str, str]:
    """Return the headers of a version 1 signature."""
    date = formatdate(usegmt=True)
    text = "\n".join([method, "", "", date, path])
    mac = hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()
    return {"Date": date, "Authorization": f"OSS {KEY_ID}:{base64.b64encode(mac).decode()}"}


def unsigned(_method: str, _path: str) -> dict[str, str]:
    """Return what tells moto that S3 is meant; it checks nothing."""
    scope = "x/20200101/us-east-1/s3/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=x"}


@contextmanager
def our_server(folder: str) -> Iterator[Server]:
    """Run ``python -m local.oss`` until the end of the block."""
    command = [sys.executable, "-m", "local.oss", "--root", folder, "--bucket", BUCKET]
    keys = {"OSS_ACCESS_KEY_ID": KEY_ID, "OSS_ACCESS_KEY_SECRET": SECRET, "OSS_SESSION_TOKEN": ""}
    with _process(command, "oss ready http://127.0.0.1:", keys) as rest:
        yield Server("local.oss", int(rest), signed)


@contextmanager
def moto_server(python: str) -> Iterator[Server]:
    """Run moto's own server until the end of the block."""
    command = [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with _process(command, "Running on http://127.0.0.1:", {}) as rest:
        server = Server("moto", int(rest), unsigned)
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        _ask(connection, server, "PUT", f"/{BUCKET}")
        connection.close()
        yield server


@contextmanager
def _process(command: list[str], ready: str, keys: dict[str, str]) -> Iterator[str]:
    """Start a server and yield what follows ``ready`` in its output."""
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**os.environ, **keys, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield _ready(process, ready)
    finally:
        process.terminate()
        process.wait()


def _ready(process: subprocess.Popen[bytes], ready: str) -> str:
    assert process.stdout is not None
    seen, deadline = "", time.monotonic() + READY_SECONDS
    while select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
        data = os.read(process.stdout.fileno(), 65536)
        seen += data.decode("utf-8", "replace")
        _, found, rest = seen.partition(ready)
        if found and "\n" in rest:
            threading.Thread(target=_forget, args=(process.stdout,), daemon=True).start()
            return rest.split("\n")[0].strip()
        if not data:
            break
    hint = "moto's server needs moto[server]; " if "flask" in seen else ""
    last = seen.strip().rpartition("\n")[2]
    sys.exit(f"bench: {process.args!r} did not start: {last}. {hint}see --help.")


def _forget(stream: IO[bytes]) -> None:
    """Read further output away: moto logs every request."""
    while stream.read1(65536):  # type: ignore[attr-defined]
        pass


def _ask(
    connection: http.client.HTTPConnection,
    server: Server,
    method: str,
    path: str,
    body: bytes = b"",
) -> bytes:
    connection.request(method, path, body or None, server.headers(method, path))
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        sys.exit(f"bench: {server.name} answered {answer.status} to {method} {path}: {content!r}")
    return content


def rate(server: Server, method: str, objects: int, turn: int) -> float:
    """Return requests a second for one turn over all objects."""
    body = BODY if method == "PUT" else b""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    begin = time.perf_counter()
    for number in range(objects):
        path = f"/{BUCKET}/turn{turn}/object-{number:06d}"
        content = _ask(connection, server, method, path, body)
        if method == "GET" and content != BODY:
            sys.exit(f"bench: {server.name} sent other bytes for {path}")
    seconds = time.perf_counter() - begin
    connection.close()
    return objects / seconds


def table(rates: dict[str, dict[str, list[float]]], objects: int, turns: int) -> str:
    """Return the result, 80 columns wide at most."""
    names = list(rates)
    lines = [
        f"{objects} objects of {len(BODY)} bytes, one connection, medians of {turns} turns",
        "",
        f"{'requests/s':<12}" + "".join(f"{name:>12}" for name in names) + f"{'ratio':>10}",
    ]
    for method in ("PUT", "GET"):
        ours, other = (median(rates[name][method]) for name in names)
        lines.append(f"{method:<12}{ours:>12.0f}{other:>12.0f}{ours / other:>10.2f}")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Compare put and get rates with moto's server.")
    parser.add_argument("--objects", type=int, default=500, help="objects a turn (500)")
    parser.add_argument("--turns", type=int, default=5, help="turns for each server (5)")
    parser.add_argument("--moto-python", default=sys.executable, help="a Python with moto[server]")
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()
    parser.add_argument("--folder", default=memory, help="where our objects lie (%(default)s)")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        our_server(folder) as ours,
        moto_server(options.moto_python) as moto,
    ):
        servers = (ours, moto)
        rates: dict[str, dict[str, list[float]]] = {s.name: {"PUT": [], "GET": []} for s in servers}
        for turn in range(options.turns):
            for method in ("PUT", "GET"):
                for server in servers:
                    rates[server.name][method].append(rate(server, method, options.objects, turn))
        print(table(rates, options.objects, options.turns))


if __name__ == "__main__":
    main()
