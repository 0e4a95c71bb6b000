"""The language that a person at the terminal reads: Chinese where the environment asks for it.

What the command line alone says is in `cli/words.zh.yaml`, all else in `schemas/words.zh.yaml`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.catalogue.words import Words

VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set decides (POSIX, Environment Variables, 8.2)."""
SENTENCES = re.compile(r"(?<=[.?!]) +(?=[A-Z(`<])")
"""Between two sentences."""
_GLUE = {": ": "：", ", ": "，", "; ": "；", " or ": " 或 ", ". ": "。", " ": "", ".": "。"}
OWN_WORDS = Path(__file__).with_name("words.zh.yaml")


def is_chinese(environ: Mapping[str, str]) -> bool:
    """Whether texts are shown in Chinese."""
    chosen = next((environ[name] for name in VARIABLES if environ.get(name)), "")
    return chosen.lower().startswith("zh")


def tell(text: str) -> str:
    """A text in the reader's language, line by line; unchanged if there are no words for it."""
    if not text or not is_chinese(os.environ):
        return text
    return "\n".join(_line(line) for line in text.split("\n"))


def glue(text: str) -> str:
    """What stands between pieces that are in the reader's language already."""
    return _GLUE[text] if is_chinese(os.environ) else text


def _line(line: str) -> str:
    text = line.lstrip(" ")
    return line[: len(line) - len(text)] + (chinese(text) or text)


def chinese(text: str) -> str | None:
    """A text of the command line in Chinese, as a whole or sentence by sentence; None if there are
    no words for it."""
    from shared.catalogue.words import LONGEST

    if len(text) > LONGEST:
        return None
    told = [(one, _words().say(one)) for one in SENTENCES.split(text)]
    if not all(found for _, found in told):
        whole = _words().say(text)
        if whole is not None or not any(found for _, found in told):
            return whole
    return "".join(found or f"{one} " for one, found in told).rstrip(" ")


@lru_cache(maxsize=1)
def _words() -> Words:
    """All words; who reads English does without them."""
    from shared.catalogue.files import SCHEMAS, read_schema
    from shared.catalogue.words import FILE, Words

    files: list[Any] = [read_schema(path) for path in (SCHEMAS / FILE, OWN_WORDS)]
    return Words({text: said for words in files for text, said in words.items()})


def said(document: Mapping[str, Any], name: str = "message") -> str:
    """A text of a violation, a notice or an error in the reader's language."""
    text = str(document.get(name) or "")
    if not is_chinese(os.environ):
        return text
    from shared.catalogue.words import with_chinese

    return str(with_chinese(document).get(f"{name}_zh") or text)
