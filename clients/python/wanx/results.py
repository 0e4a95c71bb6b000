"""What the API tells, typed. Source of every field: `GET /openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "REJECTED", "EXPIRED", "NEEDS_ATTENTION"})
"""States in which nothing happens any more unless a person acts."""


@dataclass(frozen=True)
class Image:
    """An image in the bucket. `url` is signed and holds for an hour; sizes in pixels and bytes."""

    key: str
    url: str | None
    width: int
    height: int
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """The file name its key ends with."""
        return PurePosixPath(self.key).name

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Image:
        """Read a member of `images`."""
        return cls(
            str(document.get("key") or ""),
            document.get("url"),
            whole(document.get("width")),
            whole(document.get("height")),
            whole(document.get("bytes")),
            str(document.get("sha256") or ""),
        )


@dataclass(frozen=True)
class Failure:
    """Why a job failed, or why it waits; `hint` says what to do."""

    code: str
    message: str
    hint: str | None = None


@dataclass(frozen=True)
class Job:
    """A job as it was when the API was asked. `document` is the whole answer.

    `position` is the place in the queue, from 1; `price_at_most` has currency and total.
    """

    id: str
    state: str
    model: str | None = None
    position: int | None = None
    estimated_wait_seconds: float | None = None
    price_at_most: Mapping[str, Any] | None = None
    failure: Failure | None = None
    images: tuple[Image, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more unless a person acts."""
        return self.state in FINAL

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Job:
        """Read a job of an answer."""
        error = document.get("error")
        return cls(
            str(document.get("job")),
            str(document.get("state")),
            document.get("model"),
            document.get("position"),
            document.get("estimated_wait_seconds"),
            document.get("price_at_most"),
            _failure(error) if isinstance(error, Mapping) else None,
            tuple(map(Image.of, objects(document.get("images")))),
            document,
        )


@dataclass(frozen=True)
class Problem:
    """An error in the API's words (RFC 9457). `violations` lists all that is wrong with a job
    file; `document` is the whole answer. `title` is empty where a proxy answered."""

    status: int
    title: str = ""
    detail: str = ""
    violations: tuple[Mapping[str, Any], ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, status: int, document: Mapping[str, Any]) -> Problem:
        """Read the document of an error."""
        title, detail = str(document.get("title") or ""), str(document.get("detail") or "")
        return cls(status, title, detail, tuple(objects(document.get("violations"))), document)

    @property
    def text(self) -> str:
        """All of it in a sentence."""
        found = "; ".join(str(one["message"]) for one in self.violations if one.get("message"))
        return found or self.detail or self.title or "no explanation"


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; whoever answers may not be the API."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def whole(value: Any) -> int:
    """A whole number, or 0 for anything else."""
    return value if isinstance(value, int) else 0


def _failure(error: Mapping[str, Any]) -> Failure:
    return Failure(str(error.get("code")), str(error.get("message")), error.get("hint"))
