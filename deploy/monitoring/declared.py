"""deploy/logs.yaml and deploy/alarms.yaml, read and checked against their forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.stack.schema import read_schema, schema_findings, validator
from shared.catalogue.files import load_file
from shared.catalogue.plain import TextUnreadable

HERE = Path(__file__).parent
LOGS, ALARMS = (HERE.parent / name for name in ("logs.yaml", "alarms.yaml"))


class MonitoringError(ValueError):
    """One of the two files is not in order; a line for each thing, with what was expected."""


@dataclass(frozen=True)
class Field:
    """A field of a log line. `type` is that of Log Service's index, which may leave it out."""

    name: str
    type: str
    meaning: str
    indexed: bool = True


@dataclass(frozen=True)
class Event:
    """A kind of log line, with the fields it has beside those of every line and of a job."""

    name: str
    levels: tuple[str, ...]
    when: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lines:
    """All that the functions print."""

    every_line: tuple[str, ...]
    of_a_job: tuple[str, ...]
    fields: Mapping[str, Field]
    events: Mapping[str, Event]

    def fields_of(self, events: tuple[str, ...]) -> set[str]:
        """The fields that lines of these events may have."""
        own = [field for event in events for field in self.events[event].fields]
        return {*self.every_line, *self.of_a_job, *own}


@dataclass(frozen=True)
class Query:
    """A query over the lines of some events."""

    name: str
    events: tuple[str, ...]
    sql: str

    @property
    def text(self) -> str:
        """As Log Service takes it: what is searched, a bar, the SQL."""
        searched = " or ".join(f'message.event: "{event}"' for event in self.events)
        return f"{searched} | {self.sql}"

    @property
    def used(self) -> set[str]:
        """The fields it asks for."""
        return set(re.findall(r'"message\.(\w+)"', self.sql))

    @property
    def columns(self) -> set[str]:
        """What its answer has."""
        return set(re.findall(r" AS (\w+)", self.sql))


@dataclass(frozen=True)
class Chart(Query):
    """A chart of the last `days`; `x` and `y` name columns."""

    about: str
    type: str
    days: int
    x: tuple[str, ...] = ()
    y: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alarm(Query):
    """An alarm over the last `minutes`, or over others where the timer is a safety net alone."""

    minutes: int
    fires: str
    severity: str
    why: str
    do: str
    minutes_with_safety_net: int = 0

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name.replace("-", " ")


@dataclass(frozen=True)
class Monitoring:
    """Both files. `dashboard` and `rule` hold properties in the words of ROS."""

    lines: Lines
    charts: tuple[Chart, ...]
    alarms: tuple[Alarm, ...]
    dashboard: Mapping[str, Any]
    rule: Mapping[str, Any]


def load_monitoring(logs: Path = LOGS, alarms: Path = ALARMS) -> Monitoring:
    """What the two files say. Raises MonitoringError unless they have their form."""
    printed, watched = _read(logs), _read(alarms)
    lines = Lines(
        every_line=tuple(printed["every_line"]),
        of_a_job=tuple(printed["of_a_job"]),
        fields={name: Field(name, **one) for name, one in printed["fields"].items()},
        events={name: Event(name, **_tuples(one)) for name, one in printed["events"].items()},
    )
    return Monitoring(
        lines,
        tuple(Chart(name, **_tuples(one)) for name, one in watched["charts"].items()),
        tuple(Alarm(name, **_tuples(one)) for name, one in watched["alarms"].items()),
        watched["dashboard"],
        watched["rule"],
    )


def _read(path: Path) -> Any:
    """The document of a file. Its form is the schema of the same name in this folder."""
    try:
        document = load_file(path)
    except TextUnreadable as error:
        raise MonitoringError(f"{path.name}: {error}") from None
    checked = validator(read_schema(HERE / f"{path.stem}.schema.yaml"))
    found = [
        f"{path.name}: {str(one).removeprefix(': ')}"  # the whole document has no place in it
        for one in schema_findings(checked, document, "")
    ]
    if found:
        raise MonitoringError("\n".join(found))
    return document


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(one) if isinstance(one, list) else one for key, one in row.items()}
