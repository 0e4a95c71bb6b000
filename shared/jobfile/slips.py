"""Slips that break a job file in one place and are noticed in another."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^[ \t]{0,60}```", re.MULTILINE)
_KEY = r"[A-Za-z_][A-Za-z_0-9.]{0,60}"
_WIDE_COLON = re.compile(rf"^[ \t]{{0,60}}(?:- {{1,9}})?[\"']?{_KEY}[\"']? {{0,9}}：", re.MULTILINE)
_INDENTED_KEY = re.compile(rf"[ ]{{1,99}}[\"']?({_KEY})[\"']?:")
_EARLY_END = re.compile(r": +'[^'\n]*'[^\s',#\]}]")


def slip_in(text: str, line: int | None, column: int | None = None) -> tuple[int, str] | None:
    """Line and cure of a slip in a text that cannot be read; `line`, `column`: where reading
    ended."""
    if fence := _FENCE.search(text):
        number = _line(text, fence.start())
        return number, f"line {number}: ``` marks code in Markdown; remove the lines with ```"
    if colon := _WIDE_COLON.search(text):
        number = _line(text, colon.start())
        return number, f"line {number}: `：` is a full-width colon; write `:` and a space"
    return (_early_end(text, line) or _deeper_key(text, line, column)) if line else None


def _early_end(text: str, line: int) -> tuple[int, str] | None:
    """The first of the lines up to `line` in which a quote ends within a word."""
    for number, written in enumerate(text.split("\n", line)[:line], 1):
        if number >= line - 1 and _EARLY_END.search(written):
            cure = "write it twice ('') inside the text, or use double quotes"
            return number, f"line {number}: a quote ' ends the text early; {cure}"
    return None


def _deeper_key(text: str, line: int, column: int | None) -> tuple[int, str] | None:
    """Reading ended at the colon of an indented key, whose line goes on the text above it."""
    written = text.split("\n", line)[:line][-1]
    key = _INDENTED_KEY.match(written)
    if key is None or column != key.end():
        return None
    return line, (
        f"line {line}: `{key[1]}` is indented deeper than the value above it; indent it like that"
        " line, or put a text of several lines in quotes"
    )


def is_wide(text: str) -> bool:
    """Whether a whole job is one text because of its colons."""
    return _WIDE_COLON.match(text) is not None


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
