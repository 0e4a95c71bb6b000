"""`--help` and wrong command lines in the reader's language; English is as Click writes it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError, NoSuchCommand, UsageError
from rich.cells import cell_len

from cli.language import is_chinese, tell
from cli.output import complain, wrapped

AS_IT_IS = "\b"
"""Begins a paragraph whose lines stay as they are written (Click, Preventing Rewrapping)."""
GAP = 2
OTHER_NAMES = Path(__file__).parent / "other_names.yaml"
_ROW = re.compile(r"(\S.*?) {2,}(\S.*)")
_EXTRA = re.compile(r"(.*?)\s*\[((?:required|default: |[0-9]+<=?x)[^\]]*)\]", re.DOTALL)


def paragraphs(text: str) -> Iterator[list[str]]:
    """The paragraphs of a help text: one line each, or the lines of one that stays as it is."""
    for one in re.split(r"\n\s*\n", text.strip("\n")):
        lines = one.split("\n")
        if lines[0].strip() == AS_IT_IS:
            yield lines[1:]
        else:
            yield [" ".join(line.strip() for line in lines)]


def pieces(text: str) -> Iterator[str]:
    """What has words of its own in a help text: paragraphs, and the columns of their rows."""
    for lines in paragraphs(text):
        for line in lines:
            row = _ROW.fullmatch(line.strip())
            yield from row.groups() if row else [line.strip()]


def own_help(second: str) -> tuple[str, list[str]]:
    """The help of an option, and what Click adds to it: its default, its bounds."""
    found = _EXTRA.fullmatch(second)
    return (found[1], found[2].split("; ")) if found else (second, [])


class ChineseHelp(click.HelpFormatter):
    """Help in Chinese, which is two columns wide and breaks between any two characters."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        words = " ".join(_generic(word) for word in args.split())
        self._lines(f"{tell('Usage:')}{prog} {words}".rstrip(), "    ")

    def write_heading(self, heading: str) -> None:
        self.write(f"{self._indent}{tell(heading)}：\n")

    def write_text(self, text: str) -> None:
        for number, lines in enumerate(paragraphs(text)):
            if number:
                self.write("\n")
            for line in _rows(lines):
                self._lines(line, " " * (len(line) - len(line.lstrip())))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = GAP
    ) -> None:
        every = list(rows)
        first = min(max(cell_len(name) for name, _ in every), col_max) + col_spacing
        for name, second in every:
            text = _with_extras(second)
            start = f"{name}{' ' * max(first - cell_len(name), 0)}"
            if cell_len(name) > first - col_spacing and text:
                self._lines(name, "")
                start = " " * first
            self._lines(f"{start}{text}".rstrip(), " " * first)

    @property
    def _indent(self) -> str:
        return " " * self.current_indent

    def _lines(self, text: str, indent: str) -> None:
        for line in wrapped(text, self.width - self.current_indent, indent):
            self.write(f"{self._indent}{line}\n")


def _rows(lines: list[str]) -> list[str]:
    """Lines with their columns below each other again."""
    found = [(line, _ROW.fullmatch(line.strip())) for line in lines]
    told = [[tell(one) for one in row.groups()] for _, row in found if row]
    width = max((cell_len(row[0]) for row in told), default=0) + GAP
    rest, made = iter(told), []
    for line, row in found:
        indent = line[: len(line) - len(line.lstrip())]
        if row:
            name, text = next(rest)
            made.append(f"{indent}{name}{' ' * (width - cell_len(name))}{text}")
        else:
            made.append(f"{indent}{tell(line.strip())}")
    return made


def _with_extras(second: str) -> str:
    text, extras = own_help(second)
    told = tell(text)
    return f"{told}  [{'；'.join(map(tell, extras))}]".lstrip() if extras else told


def _generic(word: str) -> str:
    """The words that Click puts in the place of options, commands and arguments."""
    return {"[OPTIONS]": "[选项]", "COMMAND": "命令", "[ARGS]...": "[参数]..."}.get(word, word)


class Context(click.Context):
    """Where a command is called; its help is in the reader's language."""

    def make_formatter(self) -> click.HelpFormatter:
        if not is_chinese(os.environ):
            return super().make_formatter()
        return ChineseHelp(width=self.terminal_width, max_width=self.max_content_width)


class Group(click.Group):
    """A group of commands whose help is in the reader's language."""

    context_class = Context

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        cmd.context_class = Context
        super().add_command(cmd, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click names what is spelled alike; this, what other tools call it. Raises UsageError."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:
            ours = _ours(error.command_name)
            if ours not in self.commands:
                raise
            raise UsageError(f"{error.message} Did you mean '{ours}'?", ctx) from None


def _ours(name: str) -> str:
    """Our name of a command by that of other tools; empty if there is none."""
    from shared.catalogue.files import load_file  # who types our names does without

    table: Any = load_file(OTHER_NAMES)
    return next((str(ours) for ours, others in table.items() if name.lower() in others), "")


def wrong(error: UsageError) -> None:
    """Say what is wrong with a command line, and how it is written."""
    if isinstance(error, NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return
    if error.ctx is not None:
        complain(error.ctx.get_usage())
        complain(f"Try '{error.ctx.command_path} --help' for help.\n")
    complain(f"Error: {tell(error.format_message())}")


def commands(group: click.Group, context: click.Context | None = None) -> Iterator[Any]:
    """All commands of a group and of the groups in it, the group first."""
    yield group
    for one in group.commands.values():
        yield from commands(one) if isinstance(one, click.Group) else [one]
