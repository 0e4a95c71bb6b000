"""What a measurement found, in a form that becomes JSON."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = "wanx functions"


@dataclass(frozen=True)
class Line:
    """One figure: `value` in `unit`.

    Of several values it is the median, `low` and `high` their 5th and 95th percentile, `n` how many
    there were. `ours`: this project's way, as opposed to what it is compared with.
    """

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    n: int = 1
    ours: bool = False
    note: str = ""


@dataclass(frozen=True)
class Measure:
    """One measurement; docs/benchmarks.md says how it is done and what bounds it.

    `reached`: whether the goal was reached; None where there is no goal. `result`: what stands
    beside the goal; where it is empty, the value of the first line.
    """

    id: str
    goal: str
    reached: bool | None
    lines: Sequence[Line]
    result: str = ""


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of all lie. Raises ValueError without values."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def line(
    name: str, values: Sequence[float], unit: str, *, ours: bool = False, note: str = ""
) -> Line:
    """Median, 5th and 95th percentile of what was measured."""
    low, high = quantile(values, 0.05), quantile(values, 0.95)
    return Line(name, statistics.median(values), unit, low, high, len(values), ours, note)


def origin() -> dict[str, str]:
    """The day and the commit of a measurement."""
    command = ["git", "describe", "--always", "--dirty"]
    described = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    commit = described.stdout.strip() or "unknown"
    return {"date": f"{datetime.now(timezone.utc):%Y-%m-%d}", "commit": commit}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpus = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cpus.read_text("utf-8")) if cpus.exists() else []
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
    }
