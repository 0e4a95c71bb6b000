"""Web functions: the server that s.yaml starts is there, and fits what s.yaml says of it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from deploy.stack.declared import DeclaredFunction
from deploy.stack.findings import Finding
from shared.platform.web_function import PORT, THREADS

ROOT = Path(__file__).resolve().parents[2]
WAITS = ROOT / "shared/api/jobs_api/jobs.py"
SPARE = 10
"""Threads beyond instanceConcurrency: an answer that is still being sent holds one too."""


def web_findings(function: DeclaredFunction) -> Iterator[Finding]:
    """The start command, threads, port and time of a function on a custom runtime."""
    server = function.table("customRuntimeConfig")
    if not server:
        return
    where, code = function.where, str(function.props.get("code")).rstrip("/").rpartition("/")[2]
    script = str([*server.get("command", []), ""][1])
    if not (ROOT / "functions" / code / script).is_file():
        expected = f"python3 and a file of functions/{code}"
        yield _finding(f"{where}.customRuntimeConfig.command", server.get("command"), expected)
    if server.get("port") != PORT:
        yield _finding(f"{where}.customRuntimeConfig.port", server.get("port"), str(PORT))
    concurrency, timeout = function.number("instanceConcurrency"), function.number("timeout")
    if concurrency is not None and concurrency > THREADS - SPARE:
        expected = f"at most {THREADS - SPARE}: the server has {THREADS} threads"
        yield _finding(f"{where}.instanceConcurrency", f"{concurrency:g}", expected)
    if timeout is not None and timeout <= longest_wait():
        expected = f"more than {longest_wait():g}, which GET /jobs/{{id}} may wait"
        yield _finding(f"{where}.timeout", f"{timeout:g}", expected)


def _finding(where: str, found: object, expected: str) -> Finding:
    advice = "Correct s.yaml, or the server."
    return Finding(
        "web-server", where, f"found {found}", expected, advice, "shared/platform/web_function.py"
    )


@functools.cache
def longest_wait() -> float:
    """Seconds that a request for a job may wait, as the code says."""
    for node in ast.parse(WAITS.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LONGEST_WAIT":
            return float(ast.literal_eval(node.value))
    raise AssertionError(f"{WAITS} has no LONGEST_WAIT")
