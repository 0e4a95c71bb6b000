"""No regular expression of `shared` reads a text again and again, whatever somebody wrote into it.

Each pattern is searched for in texts made to trouble it: its own beginnings and usual suspects,
repeated. Twice the text may take twice the steps, which are counted.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import shared
from shared.catalogue.errors import load_errors
from tests.kit.regex_steps import steps

PUMPS = (
    *("a", "0", " ", "\n", '"', '\\"', "\\", "-", "=", ",", "a,", "a=", "[", "%", "*"),
    *("http://", "https://a", "data:", "data:a;", "bearer ", "sk-", "signature=", "oss://", "1m"),
)
WHOLE = ("shared.jobs.retry.SHORTENED",)
"""Used with `fullmatch` alone, like what ends in \\Z: with `match`."""
TAILS = ("", "\x00", "?", '"')


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for found in pkgutil.walk_packages(shared.__path__, "shared."):
        for name, value in vars(importlib.import_module(found.name)).items():
            for number, pattern in enumerate(_held(value)):
                yield f"{found.name}.{name}[{number}]", pattern
    for row in load_errors()._rules:
        if row.message:
            yield f"errors.yaml: {row.message[:40]}", re.compile(row.message, re.IGNORECASE)


def _held(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _held(one)


@pytest.mark.parametrize(("name", "pattern"), list(patterns()))
def test_twice_the_text_takes_twice_the_steps(name: str, pattern: re.Pattern[str]) -> None:
    everywhere = not (pattern.pattern.endswith(r"\Z") or name.startswith(WHOLE))
    for pump in PUMPS:
        for tail in TAILS:
            once, twice = (pump * (length // len(pump)) + tail for length in (400, 800))
            first, second = (steps(pattern, text, everywhere=everywhere) for text in (once, twice))
            assert second < 2.5 * first + 100, (name, pump, tail)
