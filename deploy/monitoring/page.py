"""The tables and queries of docs/logs.md."""

from __future__ import annotations

from collections.abc import Iterable

from deploy.monitoring.declared import Alarm, Lines, Monitoring, Query


def blocks(declared: Monitoring) -> dict[str, list[str]]:
    """The lines of each block by the block's name."""
    charts = [f"{chart.name} ({chart.about}):" for chart in declared.charts]
    alarms = [f"{alarm.title}:" for alarm in declared.alarms]
    made = {
        "fields": _fields(declared.lines),
        "events": _events(declared.lines),
        "queries": _queries(charts, declared.charts),
        "alarms": [*_alarms(declared.alarms), "", *_queries(alarms, declared.alarms)],
    }
    return {f"monitoring {name}": ["", *lines, ""] for name, lines in made.items()}


def _fields(lines: Lines) -> list[str]:
    rows = (
        (f"`{one.name}`", one.type, "yes" if one.indexed else "no", one.meaning)
        for one in lines.fields.values()
    )
    return _table(("field", "type", "indexed", "meaning"), rows)


def _events(lines: Lines) -> list[str]:
    rows = (
        (f"`{one.name}`", ", ".join(one.levels), _code(one.fields), one.when)
        for one in lines.events.values()
    )
    return _table(("event", "level", "further fields", "when"), rows)


def _alarms(alarms: Iterable[Alarm]) -> list[str]:
    rows = (
        (one.title, _over(one), one.fires, one.severity, f"{one.why}: {one.do}") for one in alarms
    )
    return _table(("alarm", "over", "fires when", "severity", "why, and what to do"), rows)


def _over(alarm: Alarm) -> str:
    net = alarm.minutes_with_safety_net
    return f"{alarm.minutes} min" + (f"; {net} min with `@every 360m`" if net else "")


def _queries(titles: Iterable[str], queries: Iterable[Query]) -> list[str]:
    parts = [
        line
        for title, query in zip(titles, queries, strict=True)
        for line in (title, "", "```sql", query.text, "```", "")
    ]
    return parts[:-1]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_row(head), "|" + "---|" * len(head), *map(_row, rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _code(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)
