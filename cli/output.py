"""Writing for people: 80 columns, plain when piped, nothing that could steer a terminal."""

from __future__ import annotations

import json
import re
import textwrap
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cli.language import tell
from cli.trouble import Refused, Trouble
from shared.platform.clock import from_iso

WIDTH = 80
MOST_COLUMNS = 1000
_PIECES = re.compile(
    r"\s*[\[（“]*(?:[^\u2e80-\uffef\s\[\]]+|[\u2e80-\uffef])[\]，。；：！？、）”]*|\s+$|."
)
"""A Latin word or one Chinese character, with the spaces before it and the stops after it."""
STYLES = {
    "SUCCEEDED": "green",
    "FAILED": "red",
    "REJECTED": "red",
    "EXPIRED": "red",
    "NEEDS_ATTENTION": "red",
    "CANCELED": "yellow",
}


def console(stderr: bool = False) -> Console:
    """A console that never guesses styles; made late, so that it follows redirected streams."""
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = WIDTH
    return made


def print_table(table: Table) -> None:
    """Print a table without the spaces that fill its lines.

    A name is copied and searched for, so its column never breaks: a line that is too long is for
    the terminal to wrap, which joins it again where a person copies it.
    """
    out = console()
    wide = out.options.update(max_width=MOST_COLUMNS)
    for column in table.columns:
        if column.no_wrap:  # rich takes it for as narrow as its longest word
            cells = (column.header, *column.cells)
            column.min_width = max(Measurement.get(out, wide, cell).maximum for cell in cells)
    out.width = max(out.width, Measurement.get(out, wide, table).minimum)
    with out.capture() as captured:
        out.print(table)
    lines = captured.get().splitlines()
    click.echo("\n".join(line.rstrip() for line in lines), color=out.is_terminal)


def complain(text: str) -> None:
    """An error, wrapped where a person reads it."""
    out = console(stderr=True)
    lines = tell(text).split("\n")
    if out.is_terminal:
        lines = [part for line in lines for part in wrapped(line, out.width, "    ")]
    click.echo("\n".join(lines), err=True)


def clean(text: object) -> str:
    """One line without control characters: prompts and messages come from strangers."""
    spaced = " ".join(str(text).split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in spaced)


def say(text: str = "", indent: str = "") -> None:
    """A line, wrapped at the terminal's width; as it is when piped."""
    out = console()
    lines = tell(text).split("\n")
    if out.is_terminal:
        lines = [part for line in lines for part in wrapped(line, out.width, indent)]
    click.echo("\n".join(lines))


def wrapped(line: str, width: int = WIDTH, indent: str = "") -> list[str]:
    """The lines of a line; those after the first are indented."""
    if not line.isascii() and cell_len(line) > len(line):
        return _wrapped_by_cells(line, min(width, 100), indent)
    return textwrap.wrap(
        line,
        min(width, 100),
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
        replace_whitespace=False,
        drop_whitespace=True,
    ) or [""]


def _wrapped_by_cells(line: str, width: int, indent: str) -> list[str]:
    """Chinese is two cells wide and breaks between any two characters, but not before a stop."""
    lines = [""]
    for piece in _PIECES.findall(line):
        if cell_len(lines[-1] + piece.rstrip()) > width and lines[-1].strip():
            lines[-1] = lines[-1].rstrip()
            lines.append(indent)
            piece = piece.lstrip()
        lines[-1] += piece
    return lines


def print_json(document: Any) -> None:
    """For programs: UTF-8, indented."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def state_text(state: str) -> Text:
    """A state in its colour."""
    return Text(state, style=STYLES.get(state, "cyan"))


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table without lines. Nothing breaks over lines, and nothing is ever left out."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for name in columns:
        made.add_column(tell(name), justify="right" if name in right else "left", no_wrap=True)
    return made


def facts(rows: list[tuple[str, object]], own_names: bool = False) -> None:
    """Names and values, one a line; values wrap below themselves. None is left out.

    `own_names`: the names are not ours, so that they are the same in every language.
    """
    made = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    shown = [
        (name if own_names else tell(name), value) for name, value in rows if value is not None
    ]
    left = max((cell_len(name) for name, _ in shown), default=0) + 2
    for name, value in shown:
        made.add_row(name, value if isinstance(value, Text) else folded(clean(value), left))
    print_table(made)


def folded(text: str, left: int) -> Text:
    """A cell that begins after `left` columns: Rich breaks lines at spaces alone."""
    if cell_len(text) == len(text):
        return Text(text)
    return Text("\n".join(wrapped(text, max(console().width - left, 20))))


def local_time(at: str | None) -> str:
    """An RFC 3339 UTC time as the clock on the wall shows it."""
    if not at:
        return "-"
    try:
        return datetime.fromtimestamp(from_iso(at)).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return clean(at)


def age(at: str | None) -> str:
    """How long ago an RFC 3339 UTC time is, in its largest unit."""
    try:
        past = max(0, int(time.time() - from_iso(at or "")))
    except ValueError:
        return "-"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if past >= 2 * length:
            return f"{past // length} {unit}"
    return f"{past} s"


def span(start: str | None, end: str | None) -> str:
    """Seconds from one RFC 3339 UTC time to another."""
    try:
        return f"{from_iso(end or '') - from_iso(start or ''):.1f} s"
    except ValueError:
        return "-"


def counted(number: int, what: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def print_or_write(text: str, out: Path | None, force: bool) -> None:
    """Print a text, or write it into a file that is not there yet, unless `force`.

    Raises Refused, Trouble.
    """
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Refused(f"{out} exists already; choose another name, or add --force.") from None
    except OSError as error:
        raise Trouble(f"{out} cannot be written: {error.strerror}.") from None
