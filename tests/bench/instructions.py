"""How many instructions a process runs: a figure that another process's load does not move."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

TOOLS = {
    "valgrind": (
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"],
        re.compile(r"I\s+refs:\s+([0-9,]+)"),
    ),
    "perf": (
        ["perf", "stat", "-x;", "-e", "instructions:u"],
        re.compile(r"^([0-9]+);[^;]*;instructions:u", re.MULTILINE),
    ),
}
"""By name, what runs a command and what finds the count in its standard error; the best first."""

Count = Callable[[Sequence[str], bytes, Mapping[str, str]], int]
"""The instructions of a command with this standard input and environment."""


def counter() -> tuple[str, Count] | None:
    """The name of the first tool that counts on this machine, and how it does; None without one.

    A machine may have perf and a processor that does not show it instructions.
    """
    for name in TOOLS:
        if shutil.which(name):
            try:
                _count(name, [sys.executable, "-S", "-c", ""], b"", {})
            except RuntimeError:
                continue
            return name, lambda *given, name=name: _count(name, *given)
    return None


def _count(tool: str, command: Sequence[str], given: bytes, env: Mapping[str, str]) -> int:
    before, pattern = TOOLS[tool]
    program = str(shutil.which(before[0]))
    done = subprocess.run(
        [program, *before[1:], *command], input=given, env=env, capture_output=True, check=False
    )
    said = done.stderr.decode(errors="replace")
    found = pattern.search(said)
    if done.returncode or found is None:
        raise RuntimeError(f"{tool} did not count {command[0]}: {said[-2000:]}")
    return int(found[1].replace(",", ""))
