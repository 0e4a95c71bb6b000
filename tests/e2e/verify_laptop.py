"""A laptop cloud with a proxy before each of its servers, for the tests of `wanx verify-cloud` and
`wanx doctor --deployment`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import oss2
import pytest
from click.testing import CliRunner, Result

from cli.main import wanx
from cli.verify.trial import FOLDER, NAME
from local.up import LaptopCloud
from shared.storage import layout
from tests.e2e.conftest import HIDDEN, PATIENCE, ROOT, Cloud, bucket_of
from tests.kit.twisted import Answer, Proxy, Request, twisted

SERVERS = OSS, STUDIO, API = "OSS_ENDPOINT", "DASHSCOPE_HTTP_BASE_URL", "API_URL"
LEFT = (
    FOLDER,
    layout.WAKE_LOOK,
    layout.LOOK_NOTES,
    *(
        f"{place}{NAME}"
        for place in (layout.JOB_FILES, layout.INPUTS, layout.RECORDS, layout.RESULTS)
    ),
)


@dataclass
class Laptop:
    """A laptop cloud with a proxy before each of its servers."""

    cloud: Cloud
    proxies: dict[str, Proxy]
    folder: Path

    def settings(self, **changes: str) -> list[str]:
        """The options that lead to it, by way of the proxies; an empty setting is left out."""
        env = dict(self.cloud.env)
        for name, proxy in self.proxies.items():
            env[name] = env[name].replace(proxy.target, proxy.url)
        env["INVOKE_ENDPOINT"] = env["API_URL"]
        lines = [f"{name}={value}\n" for name, value in (env | changes).items() if value]
        path = self.folder / f"{time.monotonic_ns()}.env"
        path.write_text("".join(lines), "utf-8")
        return ["--env", str(path)]

    def verify(self, *words: str, **changes: str) -> Result:
        done = CliRunner().invoke(wanx, [*self.settings(**changes), "verify-cloud", *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        for name, secret in self.cloud.env.items():
            if name.endswith(("SECRET", "TOKEN", "API_KEY")):
                assert secret not in done.output
        return done

    def fact(self, name: str, code: int, *words: str, **changes: str) -> dict[str, Any]:
        """What is said of one fact."""
        done = self.verify("--only", name, "--yes", "--json", *words, **changes)
        assert done.exit_code == code, done.output
        [fact] = json.loads(done.stdout)["facts"]
        assert fact["id"] == name
        return dict(fact)

    def left(self) -> list[str]:
        """What runs left in the bucket."""
        keys = [one.key for one in oss2.ObjectIterator(self.cloud.bucket)]
        jobs = re.compile(f"{layout.JOBS}[0-9]+-{NAME}|{layout.EXPIRY}[0-9]+-{NAME}")
        return [key for key in keys if key.startswith(LEFT) or jobs.match(key)]


@contextmanager
def laptop_with_proxies(
    folders: pytest.TempPathFactory, task_seconds: float, **how: Any
) -> Iterator[Laptop]:
    """A laptop cloud of its own; `how`: what else LaptopCloud takes."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith(HIDDEN)}
    with ExitStack() as stack:
        data = folders.mktemp("cloud")
        made = LaptopCloud(data, 0, task_seconds=task_seconds, environ=environ, **how)
        up = stack.enter_context(made)
        assert up.bucket_folder is not None
        targets = {name: up.env[name].split("/api/v1")[0] for name in SERVERS}
        proxies = {name: stack.enter_context(twisted(url)) for name, url in targets.items()}
        cloud = Cloud(up.env, up.bucket_folder, bucket_of(up.env))
        yield Laptop(cloud, proxies, folders.mktemp("settings"))


@contextmanager
def untwisted(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One test's use of the laptop, in an environment without settings of another place."""
    for name in [name for name in os.environ if name.startswith(HIDDEN)]:
        monkeypatch.delenv(name)
    yield
    for proxy in laptop.proxies.values():
        proxy.twists.clear()


def downloads(request: Request, answer: Answer) -> Answer | None:
    """The page is offered as a file."""
    how = {"Content-Disposition": "attachment"}
    return replace(answer, headers=answer.headers | how) if request.path == "/" else None


class Interrupted:
    """The command in a process of its own, which is ended in the middle."""

    def __init__(self, laptop: Laptop, *words: str, stdin: int = subprocess.DEVNULL) -> None:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(HIDDEN)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli", *laptop.settings(), "verify-cloud", *words],
            cwd=ROOT,
            env=kept,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A test runner in the background ignores Ctrl-C, and its children would too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """Exit code and output."""
        self.process.send_signal(how)
        said, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)
