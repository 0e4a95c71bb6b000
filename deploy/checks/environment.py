"""The environment of a function: what the functions read and take."""

from __future__ import annotations

import ast
import difflib
import functools
from collections.abc import Iterator
from pathlib import Path

from deploy.stack.declared import DeclaredFunction
from deploy.stack.findings import Finding
from shared.platform.settings import SettingsError, load_settings

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = frozenset({"MALLOC_MMAP_THRESHOLD_"})
"""Read by the C library (mallopt(3))."""


def environment_findings(function: DeclaredFunction) -> Iterator[Finding]:
    """Settings that no function reads, and settings the functions would refuse."""
    where = f"{function.where}.environmentVariables"
    yield from _unread(function, where)
    try:
        load_settings(function.environment)
    except SettingsError as error:
        yield Finding(
            "settings",
            where,
            str(error),
            "an environment with which the functions start",
            "Correct or set it, in s.yaml or in the shell that deploys.",
            "shared/platform/settings.py",
        )


def _unread(function: DeclaredFunction, where: str) -> Iterator[Finding]:
    known = settings_read() | LIBRARY
    for name in function.table("environmentVariables"):
        if name in known:
            continue
        close = difflib.get_close_matches(str(name).upper(), known, n=1)
        yield Finding(
            "environment-unread",
            f"{where}.{name}",
            "a setting that no function reads",
            "a setting of shared/platform/settings.py",
            f"Did you mean {close[0]}?" if close else "Remove it.",
            "shared/platform/settings.py",
        )


@functools.cache
def settings_read() -> frozenset[str]:
    """Every upper-case name that is a string in the functions' code."""
    files = [*ROOT.glob("shared/**/*.py"), *ROOT.glob("functions/*/index.py")]
    return frozenset(
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isupper()
    )
