"""The language that a person at the terminal reads: Chinese where the environment asks for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set decides (POSIX, Environment Variables, 8.2)."""


def is_chinese(environ: Mapping[str, str]) -> bool:
    """Whether texts are shown in Chinese."""
    chosen = next((environ[name] for name in VARIABLES if environ.get(name)), "")
    return chosen.lower().startswith("zh")


def tell(text: str) -> str:
    """A text of the system as the reader is told it, line by line; as it is without words."""
    if not text or not is_chinese(os.environ):
        return text
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    from shared.catalogue.words import in_chinese  # who reads English does without

    text = line.lstrip(" ")
    return line[: len(line) - len(text)] + in_chinese(text)


def said(document: Mapping[str, Any], name: str = "message") -> str:
    """A text of a violation, a notice or an error as the reader is told it."""
    text = str(document.get(name) or "")
    if not is_chinese(os.environ):
        return text
    from shared.catalogue.words import with_chinese

    return str(with_chinese(document).get(f"{name}_zh") or text)
