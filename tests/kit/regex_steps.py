"""How many characters a regular expression looks at; time would say little on a busy computer.

A small backtracking matcher over the tree that Python's own parser makes of a pattern. It knows the
forms that this project uses and raises NotImplementedError for any other.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_parser: Any = importlib.import_module("re._parser")
_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda char: not char.isspace(),
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_WORD": lambda char: char.isalnum() or char == "_",
}
_WIDE = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY"})
_Node = tuple[Any, Any]


def steps(pattern: re.Pattern[str], text: str, *, everywhere: bool = True) -> int:
    """The characters looked at while the pattern is searched for everywhere in a text, or matched
    at its beginning alone."""
    return _Counting(pattern, text).run(everywhere)


class _Counting:
    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self._fold = bool(pattern.flags & re.IGNORECASE)
        self._tree = list(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
        self._text = text.lower() if self._fold else text
        self._steps = 0

    def run(self, everywhere: bool) -> int:
        at = 0
        while at <= (len(self._text) if everywhere else 0):
            end = next(self._ends(self._tree, at), at)
            at = max(end, at + 1)
        return self._steps

    def _ends(self, nodes: Sequence[_Node], at: int) -> Iterator[int]:
        """Where a match of these nodes that begins at `at` may end, in the order of trying."""
        if not nodes:
            yield at
            return
        for middle in self._one(nodes[0], at):
            yield from self._ends(nodes[1:], middle)

    def _one(self, node: _Node, at: int) -> Iterator[int]:
        name, argument = str(node[0]), node[1]
        if name in _WIDE:
            yield from (at + 1,) if self._fits(node, at) else ()
        elif name == "AT":
            self._steps += 1
            yield from (at,) if self._is_at(str(argument), at) else ()
        elif name == "SUBPATTERN":
            yield from self._ends(list(argument[-1]), at)
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from self._ends(list(branch), at)
        elif name == "MAX_REPEAT":
            least, most, inner = argument
            yield from self._repeated(least, int(most), list(inner), at)
        elif name == "ASSERT_NOT" and argument[0] == 1:
            yield from (at,) if next(self._ends(list(argument[1]), at), None) is None else ()
        else:
            raise NotImplementedError(name)

    def _repeated(self, least: int, most: int, nodes: list[_Node], at: int) -> Iterator[int]:
        if len(nodes) == 1 and str(nodes[0][0]) in _WIDE:
            yield from self._run(nodes[0], least, most, at)
            return
        if most > 0:
            for middle in self._ends(nodes, at):
                if middle > at:
                    yield from self._repeated(max(0, least - 1), most - 1, nodes, middle)
        if not least:
            yield at

    def _run(self, node: _Node, least: int, most: int, at: int) -> Iterator[int]:
        end = at
        while end - at < most and self._fits(node, end):
            end += 1
        for stop in range(end, at + least - 1, -1):
            self._steps += 1
            yield stop

    def _fits(self, node: _Node, at: int) -> bool:
        self._steps += 1
        if at >= len(self._text):
            return False
        name, argument, char = str(node[0]), node[1], self._text[at]
        if name == "ANY":
            return True
        if name == "IN":
            return self._is_in(argument, char)
        return (char == self._folded(argument)) == (name == "LITERAL")

    def _is_in(self, items: Sequence[_Node], char: str) -> bool:
        negated = str(items[0][0]) == "NEGATE"
        return any(self._is_one_of(item, char) for item in items[negated:]) != negated

    def _is_one_of(self, item: _Node, char: str) -> bool:
        name, argument = str(item[0]), item[1]
        if name == "LITERAL":
            return char == self._folded(argument)
        if name == "RANGE":
            return bool(argument[0] <= ord(char) <= argument[1])
        return _CATEGORIES[str(argument)](char)

    def _folded(self, code: int) -> str:
        return chr(code).lower() if self._fold else chr(code)

    def _is_at(self, where: str, at: int) -> bool:
        text = self._text
        if where in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
            return at == 0 or (where == "AT_BEGINNING" and text[at - 1] == "\n")
        if where in ("AT_END", "AT_END_STRING"):
            return at == len(text)
        if where == "AT_BOUNDARY":
            return self._is_word(at - 1) != self._is_word(at)
        raise NotImplementedError(where)

    def _is_word(self, at: int) -> bool:
        char = self._text[at : at + 1] if at >= 0 else ""
        return bool(char) and (char.isalnum() or char == "_")
