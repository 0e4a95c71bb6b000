"""`wanx models --stale`: what was read long ago, for those who keep the model files up to date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timezone
from itertools import groupby

import click
from rich.cells import cell_len

from cli.commands.init import find_model
from cli.commands.jobs import span_seconds
from cli.language import tell
from cli.output import WIDTH, counted, print_json, say, wrapped
from cli.trouble import NOT_SO
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Model

DAY = 86400


@dataclass(frozen=True)
class Read:
    """A part of a model file (price, limits or lifecycle), the day on which it was read, the days
    since then, and the title of the document to read again."""

    file: str
    part: str
    checked: str
    days: int
    source: str

    def is_older(self, seconds: float) -> bool:
        """Whether it was read longer ago. A day to come counts as well: it would hide the age."""
        return self.days * DAY > seconds or self.days < -1


def run(name: str | None, stale: str, as_json: bool, now: float) -> int:
    """Print what was read longer than `stale` before `now`; the exit code. Raises click's error."""
    bound = span_seconds(stale)
    if bound is None:
        text = f"{stale!r} is not an age; write 90d, 36h or 30m."
        raise click.BadParameter(text, param_hint="--stale")
    models = [find_model(name)] if name else load_catalogue().models()
    every = readings(models, datetime.fromtimestamp(now, timezone.utc).date())
    old = [one for one in every if one.is_older(bound)]
    if as_json:
        print_json([asdict(one) for one in old])
    else:
        _print(old, every, stale)
    return NOT_SO if old else 0


def readings(models: Iterable[Model], today: date) -> list[Read]:
    """What each file says, the oldest file first; models of one file often say the same."""
    found = {
        Read(model.file, part, one.checked, _days(one.checked, today), one.source)
        for model in models
        for part, one in model.readings.items()
    }
    oldest: dict[str, int] = {}
    for one in found:
        oldest[one.file] = max(one.days, oldest.get(one.file, one.days))
    return sorted(found, key=lambda one: (-oldest[one.file], one.file, -one.days, one.part))


def _days(checked: str, today: date) -> int:
    return (today - date.fromisoformat(checked)).days


def _print(old: list[Read], every: list[Read], stale: str) -> None:
    files = len({one.file for one in every})
    if not old:
        first = every[0]
        oldest = f"the oldest is the {first.part} of {first.file}, of {first.checked}"
        say(
            f"Nothing in {counted(files, 'model file')} was read longer ago than {stale}; {oldest}."
        )
        return
    for file, parts in groupby(old, key=lambda one: one.file):
        click.echo(file)
        for one in parts:
            part, days = tell(one.part), tell(_age(one.days))
            part, days = part + " " * (9 - cell_len(part)), " " * (8 - cell_len(days)) + days
            line = f"  {part}  {one.checked}  {days}  {one.source}"
            click.echo("\n".join(wrapped(line, WIDTH, " " * 35)))
    some = len({one.file for one in old})
    how = "How: CONTRIBUTING.md, Once a week."
    say(f"\n{some} of {counted(files, 'model file')} to read again. {how}")


def _age(days: int) -> str:
    return f"{days} d" if days >= 0 else "to come"
