"""The language that a person at the terminal reads: Chinese where the environment asks for it.

What the command line alone says is in `cli/words.zh.yaml`, all else in `schemas/words.zh.yaml`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.catalogue.terminal import COMMON_WORDS, Terminal, is_chinese, sentences

__all__ = ["OWN_WORDS", "chinese", "glue", "is_chinese", "said", "sentences", "tell"]

_GLUE = {": ": "：", ", ": "，", "; ": "；", " or ": " 或 ", ". ": "。", " ": "", ".": "。"}
OWN_WORDS = Path(__file__).with_name("words.zh.yaml")
_TERMINAL = Terminal((COMMON_WORDS, OWN_WORDS))
tell, chinese = _TERMINAL.tell, _TERMINAL.chinese


def glue(text: str) -> str:
    """What stands between pieces that are in the reader's language already."""
    return _GLUE[text] if is_chinese(os.environ) else text


def said(document: Mapping[str, Any], name: str = "message") -> str:
    """A text of a violation, a notice or an error in the reader's language."""
    text = str(document.get(name) or "")
    if not is_chinese(os.environ):
        return text
    from shared.catalogue.words import with_chinese

    return str(with_chinese(document).get(f"{name}_zh") or text)
