"""Starts the laptop's OSS server as a process and talks to it, for tests of anything above it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.kit.served import served

REPOSITORY = Path(__file__).resolve().parents[2]
KEY_ID, SECRET = "test-key", "test-secret"
BUCKET, REGION = "wanx", "cn-beijing"
WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class OssServer:
    """A running server."""

    url: str
    root: Path
    process: subprocess.Popen[str]
    log: Path

    @property
    def folder(self) -> Path:
        """The folder of the bucket."""
        return self.root / BUCKET

    def bucket(self, version: str = "v4", **options: Any) -> Any:
        """Return an oss2.Bucket that signs with V1 or V4."""
        import oss2  # here, as the tests of other clients run in an environment without it

        if version == "v1":
            return oss2.Bucket(oss2.Auth(KEY_ID, SECRET), self.url, BUCKET, **options)
        auth = oss2.AuthV4(KEY_ID, SECRET)
        return oss2.Bucket(auth, self.url, BUCKET, region=REGION, **options)

    def service(self) -> Any:
        """Return an oss2.Service."""
        import oss2

        return oss2.Service(oss2.AuthV4(KEY_ID, SECRET), self.url, region=REGION)

    def kill(self) -> None:
        """End the process as a crash would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def oss_server(
    root: Path,
    notify: str = "",
    token: str = "",
    python: str = sys.executable,
    identities: Path | None = None,
) -> Iterator[OssServer]:
    """Run ``python -m local.oss`` on a folder until the end of the block."""
    command = [python, "-m", "local.oss", "--root", str(root), "--bucket", BUCKET]
    command += ["--notify", notify] if notify else []
    command += ["--identities", str(identities)] if identities else []
    keys = {
        "OSS_ACCESS_KEY_ID": KEY_ID,
        "OSS_ACCESS_KEY_SECRET": SECRET,
        "OSS_SESSION_TOKEN": token,
    }
    with tempfile.NamedTemporaryFile("w+", prefix="oss-log-") as log:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, **keys},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield _ready(process, root, Path(log.name))
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=WAIT_SECONDS)
            log.seek(0)
            sys.stderr.write(log.read())


def _ready(process: subprocess.Popen[str], root: Path, log: Path) -> OssServer:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("oss ready http://127.0.0.1:"), f"{line!r}, {log.read_text()}"
    return OssServer(line.split()[2], root, process, log)


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Return as soon as the condition holds; fails the test if it does not come to hold."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


@dataclass
class Listener:
    """Receives events over HTTP; ``refuse`` answers that many posts with 500 first."""

    refuse: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    @property
    def seen(self) -> list[tuple[str, str]]:
        """Name and key of each event accepted, in order."""
        events = [event for body in self.bodies for event in body["events"]]
        return [(event["eventName"], event["oss"]["object"]["key"]) for event in events]

    def named(self, key: str) -> list[str]:
        """Names of the events accepted for a key."""
        return [name for name, of in self.seen if of == key]

    def wait_for(self, name: str, key: str) -> None:
        """Wait until such an event was accepted."""
        wait_until(lambda: (name, key) in self.seen, f"{name} of {key}; seen {self.seen}")


@contextmanager
def listening(refuse: int = 0, port: int = 0) -> Iterator[Listener]:
    """Run a small HTTP server that accepts events until the end of the block."""
    listener = Listener(refuse)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.refuse -= 1
            status = 500 if listener.refuse >= 0 else 202
            if status == 202:
                listener.bodies.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    with served(Handler, port) as address:
        listener.url = f"{address}/events"
        yield listener
