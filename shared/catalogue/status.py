"""What becomes of a model: free trial only, deprecated or retired, and what to use instead.

A conversion is declared in the model's file, so that no code knows which model follows which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TRIAL_ONLY = "trial_only"
DEPRECATED = "deprecated"
RETIRED = "retired"


@dataclass(frozen=True)
class Words:
    """A sentence in both languages of the page."""

    en: str
    zh: str


@dataclass(frozen=True)
class Setting:
    """A value that a converted job has at the pointer `at`; only where the written job has the
    value `equals` at `when`, if there is one. Later settings go before earlier ones."""

    at: str
    value: Any
    when: str | None = None
    equals: Any = None


@dataclass(frozen=True)
class MaskChange:
    """The image at `at` becomes black and white: what the colours listed at `colours` mark, or
    white where the job lists none, becomes white. It stays as large as the image at `beside`."""

    at: str
    colours: str
    beside: str


@dataclass(frozen=True)
class Conversion:
    """How a job of one model is written for its successor.

    `fields`: pointer to pointer. `drop`: what the successor does not know, and what is said of it.
    """

    fields: Mapping[str, str]
    settings: tuple[Setting, ...]
    drop: Mapping[str, Words]
    mask: MaskChange | None


@dataclass(frozen=True)
class Successor:
    """The model to use instead; without a conversion a person has to write the job anew."""

    model: str
    conversion: Conversion | None


@dataclass(frozen=True)
class Status:
    """`state` is trial_only, deprecated or retired, `since` the day (YYYY-MM-DD) from which on, or
    on which it was read. `source`: title of the document."""

    state: str
    since: str
    reason: Words
    source: str
    successor: Successor | None = None

    @property
    def is_over(self) -> bool:
        """Whether the service takes no more jobs."""
        return self.state == RETIRED


def status_of(said: Mapping[str, Any], source: str) -> Status:
    """The status that a model file declares. Raises KeyError, TypeError or AttributeError where it
    breaks the meta-schema."""
    follows = said.get("successor")
    return Status(
        state=said["state"],
        since=said["since"],
        reason=_words(said["reason"]),
        source=source,
        successor=None if follows is None else _successor(follows),
    )


def _successor(said: Mapping[str, Any]) -> Successor:
    conversion = said.get("conversion")
    return Successor(said["model"], None if conversion is None else _conversion(conversion))


def _conversion(said: Mapping[str, Any]) -> Conversion:
    mask = said.get("mask")
    return Conversion(
        fields=dict(said["fields"]),
        settings=tuple(_setting(one) for one in said.get("set", ())),
        drop={at: _words(words) for at, words in said.get("drop", {}).items()},
        mask=None if mask is None else MaskChange(mask["at"], mask["colours"], mask["beside"]),
    )


def _setting(said: Mapping[str, Any]) -> Setting:
    when = said.get("when")
    if when is None:
        return Setting(said["at"], said["value"])
    return Setting(said["at"], said["value"], when["at"], when["equals"])


def _words(said: Mapping[str, Any]) -> Words:
    return Words(said["en"], said["zh"])
