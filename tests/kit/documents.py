"""The code blocks of the documents, and how each of them is checked.

tests/e2e/test_documents.py runs a block as it is written, against the laptop cloud, unless an HTML
comment right before the block says something else:

    <!-- not run: REASON -->       it cannot run there
    <!-- run by: PATH -->          a file of this repository runs it, and is searched for it
    <!-- not run, KIND: REASON --> so for every block of this kind from here to the page's end
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "README.zh.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")),
)
"""The documents whose blocks must all be run or marked."""
RUN_ON_LAPTOP = frozenset({"console", "json", "python", "sh", "yaml"})
"""Kinds of block that tests/e2e/test_documents.py can run."""
MARK = re.compile(r"\A<!-- (?P<how>not run|run by)(?:, (?P<kind>\w+))?: (?P<what>\S.*?) -->\Z")
COMMENT = re.compile(r"(?:^|\s+)#(?!.*\$schema).*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code. `not_run` is the reason, `run_by` a path; at most one of them is set."""

    document: str
    line: int
    kind: str
    body: str
    not_run: str = ""
    run_by: str = ""

    @property
    def where(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def is_marked(self) -> bool:
        return bool(self.not_run or self.run_by)

    @property
    def code(self) -> str:
        """What is typed: the body without its comments."""
        return COMMENT.sub("", self.body).strip()


def read_blocks(document: str) -> list[Block]:
    """The blocks of a document of this repository."""
    return list(blocks_of(document, (ROOT / document).read_text("utf-8")))


def blocks_of(document: str, text: str) -> Iterator[Block]:
    """Every fenced or indented block of a Markdown text, in order, with its mark."""
    to_the_end: dict[str, dict[str, str]] = {}
    mark: dict[str, str] = {}
    for token in MarkdownIt("commonmark").parse(text):
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            kind = token.info.strip()
            found = mark or to_the_end.get(kind, {})
            yield Block(document, token.map[0] + 1, kind, token.content, **found)
        given = MARK.match(token.content.strip()) if token.type == "html_block" else None
        mark = {given["how"].replace(" ", "_"): given["what"]} if given else {}
        if given and given["kind"]:
            to_the_end[given["kind"]] = mark
            mark = {}
