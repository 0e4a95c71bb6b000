"""What the two files must say of each other: no query asks for what no function prints."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from deploy.monitoring.declared import Alarm, Chart, Lines, Monitoring, Query
from deploy.stack.findings import listed


def problems(declared: Monitoring) -> list[str]:
    """Everything wrong, a line each: where, what was found, what was expected, what to do."""
    found = list(_fields(declared.lines))
    for query in (*declared.charts, *declared.alarms):
        found += _query(query, declared.lines)
    return found


def _fields(lines: Lines) -> Iterator[str]:
    """Fields of events that have neither type nor meaning."""
    named = {
        "every_line": lines.every_line,
        "of_a_job": lines.of_a_job,
        **{f"events.{name}": event.fields for name, event in lines.events.items()},
    }
    for where, fields in named.items():
        for field in fields:
            if field not in lines.fields:
                yield _unknown(f"logs.yaml: {where}", f"field {field}", lines.fields, "fields")


def _query(query: Query, lines: Lines) -> Iterator[str]:
    where = f"alarms.yaml: {query.name}"
    strange = [event for event in query.events if event not in lines.events]
    for event in strange:
        yield _unknown(where, f"event {event}", lines.events, "events of logs.yaml")
    if not strange:
        yield from _asked(where, query, lines)
    for column in sorted(_columns(query) - query.columns):
        yield _unknown(where, f"column {column}", query.columns, "columns of its SQL")


def _asked(where: str, query: Query, lines: Lines) -> Iterator[str]:
    """Fields a query asks for that its lines do not have, or that the index does not."""
    has = lines.fields_of(query.events)
    for field in sorted(query.used):
        if field not in has:
            yield _unknown(where, f"field {field}", has, f"fields of {', '.join(query.events)}")
        elif field in lines.fields and not lines.fields[field].indexed:
            yield (
                f"{where}: field {field} is not in the index, so the query finds nothing;"
                " expected an indexed field. Remove `indexed: false` from it in logs.yaml."
            )


def _columns(query: Query) -> set[str]:
    """The columns that a chart draws, or that an alarm looks at."""
    if isinstance(query, Chart):
        return {*query.x, *query.y}
    return {query.fires.split()[0]} if isinstance(query, Alarm) else set()


def _unknown(where: str, found: str, known: Iterable[str], expected: str) -> str:
    close = difflib.get_close_matches(found.split()[1], [*known], n=1)
    advice = f"Did you mean {close[0]}?" if close else "Correct the name."
    return f"{where}: {found} is unknown; expected one of the {expected}: {listed(known)}. {advice}"
