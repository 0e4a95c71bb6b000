"""docs/benchmarks.md: its figures, from docs/benchmarks.json into the text between marks.

`<!-- BEGIN ID -->` to `<!-- END ID -->` holds a measure's lines; `BEGIN ID as grid` those of lines
named "row, column". `BEGIN summary` holds all measures, `BEGIN machine` what they were made on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.bench.results import OURS, ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
FIGURES = ROOT / "docs" / "benchmarks.json"
_BLOCK = re.compile(
    r"^<!-- BEGIN (?P<name>[a-z0-9_-]+)(?P<grid> as grid)? -->\n"
    r".*?^<!-- END (?P=name) -->\n",
    re.MULTILINE | re.DOTALL,
)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_REACHED = {True: "yes", False: "**no**", None: ""}

Json = Mapping[str, Any]


def filled(text: str, document: Json) -> str:
    """The page with the figures of the document.

    Raises ValueError if a measure has no place on the page, or a place no measure.
    """
    measures = {one["id"]: one for one in document["measures"]}
    places = {one["name"]: one.start() for one in _BLOCK.finditer(text)}
    missing = {*measures, "summary", "machine"} ^ set(places)
    if missing:
        raise ValueError(
            f"docs/benchmarks.md: expected one block `<!-- BEGIN ID -->` for each measure of"
            f" docs/benchmarks.json; only one of the two has {', '.join(sorted(missing))}"
        )

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        if name == "machine":
            body = _machine(document)
        elif name == "summary":
            body = _summary(document, lambda one: _section(text, places[one]))
        else:
            body = (_grid if found["grid"] else _list)(measures[name])
        head = f"<!-- BEGIN {name}{found['grid'] or ''} -->"
        return "\n".join([head, *body, f"<!-- END {name} -->", ""])

    return _BLOCK.sub(block, text)


def number(value: float) -> str:
    """Three digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def amount(line: Json, unit: str) -> str:
    """The value of a line with its unit, and how far the values went if there were several."""
    suffix = unit if unit[:1] == "%" or not unit else f" {unit}"
    shown = number(line["value"]) + suffix
    if line["low"] is None:
        return shown
    return f"{shown} ({number(line['low'])} to {number(line['high'])})"


def _section(text: str, place: int) -> tuple[str, str]:
    """The last heading before a place, and its anchor."""
    title = [one[1] for one in _HEADING.finditer(text[:place])][-1]
    return title, re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _machine(document: Json) -> list[str]:
    machine, made = document["machine"], document["measures"]
    dates, commits = ({one[name] for one in made} for name in ("date", "commit"))
    return [
        f"Measured on {' and '.join(sorted(dates))}, commit {' and '.join(sorted(commits))}:"
        f" {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB,"
        f" {machine['system']}, Python {machine['python']}."
    ]


def _summary(document: Json, section: Callable[[str], tuple[str, str]]) -> list[str]:
    rows = [["id", "measure", "goal", "result", "reached"]]
    for one in document["measures"]:
        title, anchor = section(one["id"])
        result = one["result"] or amount(one["lines"][0], one["lines"][0]["unit"])
        link = f"[{title}](#{anchor})"
        rows.append([f"`{one['id']}`", link, one["goal"], result, _REACHED[one["reached"]]])
    return _table(rows, "|---|---|---|---|---|")


def _list(measure: Json) -> list[str]:
    """A line each, with its note."""
    lines = measure["lines"]
    compared = len({one["ours"] for one in lines}) > 1
    rows = [["", "", ""]]
    for one in lines:
        name = f"**{one['name']}**" if compared and one["ours"] else one["name"]
        rows.append([name, amount(one, one["unit"]), one["note"]])
    if not any(one["note"] for one in lines):
        rows = [row[:2] for row in rows]
    return _table(rows, "|---|---:|---|" if len(rows[0]) == 3 else "|---|---:|")


def _grid(measure: Json) -> list[str]:
    """What stands before the last comma of a name is its row, what follows its column."""
    placed = [one for one in measure["lines"] if ", " in one["name"]]
    alone = [one for one in measure["lines"] if ", " not in one["name"]]
    units = {one["unit"] for one in placed}
    common = units.pop() if len(units) == 1 else ""
    cells = {tuple(one["name"].rsplit(", ", 1)): one for one in placed}
    columns = _in_order([column for _, column in cells])
    rows = [[common, *columns]]
    for row in _in_order([row for row, _ in cells]):
        found = [cells.get((row, column)) for column in columns]
        shown = [amount(one, "" if common else one["unit"]) if one else "" for one in found]
        rows.append([f"**{row}**" if row.startswith(OURS) else row, *shown])
    said = [f"{one['name']}: {amount(one, one['unit'])}." for one in alone]
    table = _table(rows, "|---|" + "---:|" * len(columns))
    return [*table, "", *said] if said else table


def _in_order(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _table(rows: Sequence[Sequence[str]], rule: str) -> list[str]:
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return [head, rule, *rest]
