"""What a person reads of the system, in Chinese, found by its English text.

The English text is the message: it is what code makes, records keep, logs show and tests compare.
The Chinese one is looked up where it is shown, in `schemas/words.zh.yaml`: a message is held
against the templates there, and what stood in its places is put into the Chinese template. So
messages of older records and of other computers are read in Chinese as well, and nothing of this
is loaded by a process that nobody asks for Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from shared.catalogue.files import SCHEMAS, read_schema

FILE = "words.zh.yaml"
LONGEST = 4000
"""Characters of a message that is translated; a longer one quotes what a stranger wrote."""
TRANSLATED = ("message", "expected", "found", "hint", "title", "detail", "source")
MOST_KEPT = 256
"""Messages whose Chinese text is kept: a page of jobs asks for the same ones time and again."""
_DEEPEST = 8
_GLUE = len(" and ")
_START = 16
"""Characters of a template's beginning by which it is looked up."""
_PLACE = re.compile(r"\{([*#]?)([a-z_0-9]+)\}")
_NUMBER = re.compile(r"[0-9][0-9.,]*\Z")
_VIOLATIONS = re.compile(r"; (?=at /|the job: |the file: |line \d+)")
_HAN = re.compile(r"[\u3400-\u9fff]")
_WIDE = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
_NARROW = re.compile(r"[!-~]")


@dataclass(frozen=True)
class Template:
    """A message with places. `literals` are the texts around the places, one more than `names`;
    the places in `inner` hold messages themselves, those in `numbers` numbers alone."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    inner: frozenset[str]
    numbers: frozenset[str]

    @staticmethod
    def of(text: str) -> Template:
        """The template that a text with {place}, {*message} and {#number} describes."""
        pieces = _PLACE.split(text)
        marks = list(zip(pieces[1::3], pieces[2::3], strict=True))
        inner, numbers = (frozenset(name for one, name in marks if one == mark) for mark in "*#")
        return Template(tuple(pieces[::3]), tuple(pieces[2::3]), inner, numbers)

    @property
    def is_glue(self) -> bool:
        """Whether it only puts messages together."""
        return max(len(literal) for literal in self.literals) <= _GLUE and not self.literals[0]

    def match(self, text: str) -> dict[str, str] | None:
        """What stands in each place, as little as possible each; None if the text is another."""
        first, last = self.literals[0], self.literals[-1]
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last):
            return None
        found, start = [], len(first)
        for literal in self.literals[1:-1]:
            at = text.find(literal, start + 1, end)
            if at < 0:
                return None
            found.append(text[start:at])
            start = at + len(literal)
        if start >= end:
            return None
        return dict(zip(self.names, [*found, text[start:end]], strict=True))


Pair: TypeAlias = tuple[Template, Template]
"""A template, and the one of the other language."""


class Words:
    """The messages of one language."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self.whole: dict[str, str] = {}
        self._starting: dict[str, list[tuple[str, Pair]]] = {}
        for text, said in words.items():
            template = Template.of(text)
            if template.names:
                entry = max(template.literals, key=len), (template, Template.of(said))
                self._starting.setdefault(template.literals[0][:_START], []).append(entry)
            else:
                self.whole[text] = said

    def say(self, text: str) -> str | None:
        """The message in this language; None if it has no words for it."""
        return _Search(self).say(text)

    def starting(self, text: str) -> Iterator[Pair]:
        """The templates that can be those of the text; first those that say themselves how it
        begins."""
        for length in range(min(_START, len(text)), -1, -1):
            for longest, pair in self._starting.get(text[:length], ()):
                if longest in text:
                    yield pair


@dataclass
class _Search:
    """The search for one message and those inside it. What is found has a weight: how many
    characters of the English text were read as words of messages."""

    words: Words
    known: dict[str, tuple[int, str]] = field(default_factory=dict)

    def say(self, text: str) -> str | None:
        weight, said = self._best(text, _DEEPEST)
        return said if weight else None

    def _best(self, text: str, deepest: int) -> tuple[int, str]:
        if text not in self.known:
            self.known[text] = 0, text  # of a message in itself nothing is made
            ways = [text, text[0].lower() + text[1:]] if text[:1].isupper() else [text]
            found = [one for way in ways if (one := self._of(way, deepest))]
            self.known[text] = max(found, key=_weight, default=(0, text))
        return self.known[text]

    def _of(self, text: str, deepest: int) -> tuple[int, str] | None:
        if text in self.words.whole:
            return len(text), self.words.whole[text]
        pairs = self.words.starting(text) if deepest else ()
        filled = (self._fill(text, *pair, deepest) for pair in pairs)
        return max((one for one in filled if one), key=_weight, default=None)

    def _fill(
        self, text: str, template: Template, said: Template, deepest: int
    ) -> tuple[int, str] | None:
        values = template.match(text)
        if values is None or not all(_NUMBER.match(values[name]) for name in template.numbers):
            return None
        weight = sum(len(literal) for literal in template.literals)
        for name in template.inner:
            more, values[name] = self._best(values[name], deepest - 1)
            if not more and template.is_glue and " " in values[name]:
                return None  # a sentence that holds an "and" by chance
            weight += more
        return weight, _filled(said, values)


def _weight(found: tuple[int, str]) -> int:
    return found[0]


def _filled(template: Template, values: Mapping[str, str]) -> str:
    text = template.literals[0]
    for name, literal in zip(template.names, template.literals[1:], strict=True):
        text = _joined(_joined(text, values[name]), literal)
    return text


def _joined(left: str, right: str) -> str:
    """Two pieces with a space between them where Chinese and Latin letters meet, and none where
    Chinese meets Chinese."""
    before, after = left.rstrip(" "), right.lstrip(" ")
    if not before or not after:
        return left + right
    one, other = before[-1], after[0]
    if _WIDE.match(one) and _WIDE.match(other):
        return before + after
    if (_HAN.match(one) and _NARROW.match(other)) or (_NARROW.match(one) and _HAN.match(other)):
        return f"{before} {after}"
    return left + right


@lru_cache(maxsize=1)
def _words() -> Words:
    words: Any = read_schema(SCHEMAS / FILE)
    return Words(words)


@lru_cache(maxsize=1)
def _of_models() -> Mapping[str, str]:
    """What the model files themselves say in both languages."""
    from shared.catalogue.model_file import load_catalogue

    models = load_catalogue().models()
    said = [one for model in models for one in model.remarks()]
    said += [model.status.notice() for model in models if model.status]
    return {one.en: one.zh for one in said}


def chinese(text: str) -> str | None:
    """A message in Chinese; None if there are no words for it. Raises CatalogueError."""
    return None if len(text) > LONGEST else _said(text)


@lru_cache(maxsize=MOST_KEPT)
def _said(text: str) -> str | None:
    return _words().say(text)


def in_chinese(text: str) -> str:
    """A message in Chinese, or as it is."""
    return chinese(text) or text


def all_in_chinese(text: str) -> str:
    """Several violations that stand in one text, each in Chinese where it has words."""
    return "；".join(in_chinese(one) for one in _VIOLATIONS.split(text))


def with_chinese(said: Mapping[str, Any]) -> dict[str, Any]:
    """A violation, notice, error or problem in both languages: beside each text of `TRANSLATED`
    its Chinese one, as `<name>_zh`, where it has one and none is there yet."""
    more = {}
    for name in TRANSLATED:
        text, key = said.get(name), f"{name}_zh"
        if isinstance(text, str) and text and key not in said:
            found = _about_model(said, text) or chinese(text)
            if found and found != text:
                more[key] = found
    return {**said, **more}


def _about_model(said: Mapping[str, Any], text: str) -> str | None:
    """The words of a notice about a whole model, which stand in the model's file."""
    if said.get("pointer") != "/model":
        return None
    what = text.removeprefix("at /model: ")
    found = _of_models().get(what)
    return f"{_PLACES['/model']}{found}" if found and what != text else found


_PLACES = {"/model": "/model："}
