"""What a measurement found, in a form that becomes JSON and Markdown."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

REAL = "real time"
SIMULATED = "simulated time"
COUNTED = "counted"


@dataclass(frozen=True)
class Line:
    """One way of doing the thing that is measured.

    `value` is the median of `n` values of `unit`, `low` and `high` their 5th and 95th percentile.
    `ours`: this project's way, as opposed to what it is compared with.
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
class Curve:
    """A line of a plot: y over x."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Plot:
    """A plot of several curves with the same axes."""

    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    log_x: bool = False


@dataclass(frozen=True)
class Measure:
    """One measurement. `clock` says whether its seconds are the machine's or the simulation's.

    `reached`: whether the goal was; None where there is none. `bound` says what keeps it from being
    reached. `text` is Markdown that explains how it was measured.
    """

    id: str
    title: str
    clock: str
    goal: str
    reached: bool | None
    lines: tuple[Line, ...]
    text: str = ""
    bound: str = ""
    plot: Plot | None = None
    seconds: float = 0.0
    """How long the measurement itself took."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure_of(found: dict[str, Any]) -> Measure:
    """The inverse of `Measure.to_dict`, as read from JSON."""
    plot = found["plot"]
    if plot is not None:
        curves = (Curve(one["name"], tuple(one["x"]), tuple(one["y"])) for one in plot["curves"])
        plot = Plot(**{**plot, "curves": tuple(curves)})
    lines = tuple(Line(**line) for line in found["lines"])
    return Measure(**{**found, "lines": lines, "plot": plot})


@dataclass
class Sample:
    """Values that were seen, all of one unit."""

    values: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """The value below which `share` (0 to 1) of all lie. Raises ValueError without values."""
        if not self.values:
            raise ValueError("nothing was measured")
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def line(self, name: str, unit: str, *, ours: bool = False, note: str = "") -> Line:
        """Median, 5th and 95th percentile as a line."""
        return Line(
            name=name,
            value=statistics.median(self.values),
            unit=unit,
            low=self.quantile(0.05),
            high=self.quantile(0.95),
            n=len(self.values),
            ours=ours,
            note=note,
        )


def sample(values: Sequence[float]) -> Sample:
    """A sample of values that are at hand already."""
    return Sample(list(values))


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    facts = (
        Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    )
    names = [line.partition(":")[2].strip() for line in facts.splitlines() if "model name" in line]
    memory = Path("/proc/meminfo").read_text(encoding="utf-8").split()[1] if facts else "0"
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": len(names) or 1,
        "memory_gib": round(int(memory) / 1024 / 1024, 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
    }
