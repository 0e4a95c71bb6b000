"""The results as a Markdown page with one plot a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.bench.results import Line, Measure

HEAD = """# Benchmarks

Made by `make bench` on {date}; the figures as JSON: [benchmarks.json](benchmarks.json). Every
comparison was measured in the same run, on the same servers.

Machine: {processor}, {cores} cores, {memory_gib} GiB, {system}, Python {python}. *Real time* is
this machine's: laptop servers and functions share its cores with whoever measures. *Simulated time*
runs the real handlers on a simulated clock and network, so that an hour of waiting takes seconds
and is the same every time; it is right where what is measured is scheduling. *Counted* is neither.
"""


def page(measures: Sequence[Measure], machine: dict[str, Any], date: str) -> str:
    """The whole page."""
    parts = [HEAD.format(date=date, **machine), _overview(measures)]
    parts += [_section(one) for one in measures]
    return "\n".join(parts)


def _overview(measures: Sequence[Measure]) -> str:
    rows = ["| measure | goal | ours | |", "|---|---|---|---|"]
    for one in measures:
        ours = next((line for line in one.lines if line.ours), None)
        shown = _figure(ours) if ours else "see there"
        rows.append(
            f"| [{one.title}](#{_anchor(one.title)}) | {one.goal} | {shown} | {_mark(one)} |"
        )
    return "\n".join(rows) + "\n"


def _section(one: Measure) -> str:
    parts = [
        f"## {one.title}\n",
        f"{one.clock.capitalize()}. Goal: {one.goal}: **{_mark(one)}**.\n",
    ]
    if one.text:
        parts.append(one.text.strip() + "\n")
    parts.append(_table(one.lines))
    if one.bound:
        parts.append(f"**What bounds it.** {one.bound}\n")
    if one.plot:
        parts.append(f"![{one.title}](benchmarks/{one.id}.svg)\n")
    return "\n".join(parts)


def _table(lines: Sequence[Line]) -> str:
    rows = ["| | median | 5 % to 95 % | n | |", "|---|---:|---|---:|---|"]
    for line in lines:
        spread = "" if line.low is None else f"{_number(line.low)} to {_number(line.high)}"
        name = f"**{line.name}**" if line.ours else line.name
        count = "" if line.n == 1 else str(line.n)
        rows.append(f"| {name} | {_figure(line)} | {spread} | {count} | {line.note} |")
    return "\n".join(rows) + "\n"


def _figure(line: Line) -> str:
    return f"{_number(line.value)} {line.unit}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _mark(one: Measure) -> str:
    return {True: "reached", False: "not reached", None: "no goal"}[one.reached]


def _anchor(title: str) -> str:
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")
