"""The servers of the laptop cloud over a folder that was filled beforehand.

The OSS server tells nobody of changes here: no event starts a function, and nothing is watched.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.populate import BUCKET, REGION

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"\S+ ready (http\S+)")
TOKEN = "bench-token"
NEVER = "86400"
KEYS = {
    "OSS_ACCESS_KEY_ID": "bench",
    "OSS_ACCESS_KEY_SECRET": "bench-secret",
    "OSS_BUCKET": BUCKET,
    "OSS_REGION": REGION,
    "DASHSCOPE_API_KEY": "sk-bench",
    "API_TOKEN_SHA256": hashlib.sha256(TOKEN.encode()).hexdigest(),
    "WANX_CODE": str(ROOT / "functions"),
    "LOG_LEVEL": "WARNING",
}


@contextmanager
def servers(root: Path, task_seconds: float = 0.2) -> Iterator[dict[str, str]]:
    """OSS and Model Studio; yields the environment that functions need."""
    with ExitStack() as running:
        oss = running.enter_context(_server("oss", ["--root", str(root)], {}))
        options = ["--task-seconds", str(task_seconds)]
        studio = running.enter_context(_server("modelstudio", options, {}))
        base = {"DASHSCOPE_HTTP_BASE_URL": f"{studio}/api/v1"}
        yield {**KEYS, "OSS_ENDPOINT": oss, "OSS_PUBLIC_ENDPOINT": oss, **base}


@contextmanager
def runtime(env: Mapping[str, str], data: Path, instances: int) -> Iterator[str]:
    """The Function Compute runtime, its timers off; yields the address of the HTTP trigger."""
    options = ["--data", str(data), "--instances", str(instances), "--timer-minute", NEVER]
    with _server("runtime", [*options, "--idle-seconds", NEVER], env) as address:
        yield address


@contextmanager
def _server(name: str, options: list[str], env: Mapping[str, str]) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"local.{name}", *options],
        cwd=ROOT,
        env={**os.environ, **KEYS, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = READY.match(process.stdout.readline())
        if found is None:
            raise RuntimeError(f"local.{name} did not start; run python -m local.{name} to see why")
        yield found[1]
    finally:
        process.terminate()
        process.communicate()
