"""What a terminal shows, in the reader's language: Chinese where the environment asks for it."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.catalogue.files import SCHEMAS

if TYPE_CHECKING:
    from shared.catalogue.words import Words

VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set decides (POSIX, Environment Variables, 8.2)."""
COMMON_WORDS = SCHEMAS / "words.zh.yaml"
"""The texts that every front shows."""
_BETWEEN = re.compile(r"([.?!]) +([A-Z(`<])")


def is_chinese(environ: Mapping[str, str]) -> bool:
    """Whether texts are shown in Chinese."""
    chosen = next((environ[name] for name in VARIABLES if environ.get(name)), "")
    return chosen.lower().startswith("zh")


def print_everything() -> None:
    """What a terminal's encoding lacks is shown as \\u…, and does not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def sentences(text: str) -> list[str]:
    """A text in pieces that can be told one by one."""
    return _BETWEEN.sub("\\1\x1e\\2", text).split("\x1e")


@dataclass(frozen=True)
class Terminal:
    """`files` hold the Chinese texts by the English ones; who reads English does without them."""

    files: tuple[Path, ...]

    def tell(self, text: str) -> str:
        """A text in the reader's language, line by line; unchanged if there are no words for it."""
        if not text or not is_chinese(os.environ):
            return text
        return "\n".join(self._line(line) for line in text.split("\n"))

    def chinese(self, text: str) -> str | None:
        """A text in Chinese, as a whole or sentence by sentence; None if there are no words."""
        from shared.catalogue.words import LONGEST

        if len(text) > LONGEST:
            return None
        told = [(one, self._words.say(one)) for one in sentences(text)]
        if not all(found for _, found in told):
            whole = self._words.say(text)
            if whole is not None or not any(found for _, found in told):
                return whole
        return "".join(found or f"{one} " for one, found in told).rstrip(" ")

    def _line(self, line: str) -> str:
        text = line.lstrip(" ")
        return line[: len(line) - len(text)] + (self.chinese(text) or text)

    @cached_property
    def _words(self) -> Words:
        from shared.catalogue.files import read_schema
        from shared.catalogue.words import Words

        files = [read_schema(path) for path in self.files]
        return Words({text: said for words in files for text, said in words.items()})
