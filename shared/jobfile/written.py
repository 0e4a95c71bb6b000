"""A checked job as the job file it was written as: to read, to copy and to submit again."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalogue.pointers import find
from shared.catalogue.wire import CONTENT
from shared.jobfile.spec import ASK, JobSpec

MOST_KEPT = 64 * 1024
LONGEST_HEAD = 60
"""Characters of the media type of a `data:` URL."""
ADDRESSES = ("oss://", "http://", "https://")
PUNCTUATION = 8
"""Characters that a member or item takes beside its value and its key."""


def job_file_of(spec: JobSpec) -> dict[str, Any]:
    """The job file of a checked job, payloads of its `data:` URLs included."""
    request = {"model": spec.model, "input": spec.input, "parameters": spec.parameters}
    options = _options(spec)
    return {**request, "job": options} if options else request


def as_written(spec: JobSpec) -> dict[str, Any]:
    """The job file of a checked job for people to read: without payloads, `job` always there."""
    return {**without_payload(job_file_of(spec)), "job": _options(spec)}


def labels_of(written: Any) -> dict[str, str]:
    """The labels of a job file, which may be a rejected one; none where they are not in order."""
    job = written.get("job") if isinstance(written, Mapping) else None
    held = job.get("labels") if isinstance(job, Mapping) else None
    if not isinstance(held, Mapping):
        return {}
    return {str(name): value for name, value in held.items() if isinstance(value, str)}


def prompt_of(written: Any) -> str | None:
    """The prompt of a job file, which may be a rejected one."""
    given = written.get("input") if isinstance(written, Mapping) else None
    prompt = given.get("prompt") if isinstance(given, Mapping) else None
    texts = [text for _, text in find(written, f"{CONTENT}/*/text")] if prompt is None else []
    shown = texts[0] if texts else prompt
    return shown if isinstance(shown, str) else None


def searched_text(written: Any) -> str:
    """All texts of a job file's input and parameters, as `folded` has them; of an address its file
    name alone, as the rest of it is made by programs."""
    sections = written if isinstance(written, Mapping) else {}
    found = (text for name in ("input", "parameters") for text in texts_in(sections.get(name)))
    return folded("\n".join(map(_file_name, found)))


def folded(text: str) -> str:
    """A text for comparison: without case, and with one form for each character (NFKC)."""
    return unicodedata.normalize("NFKC", text).casefold()


def _file_name(text: str) -> str:
    return text.partition("?")[0].rsplit("/", 1)[-1] if text.startswith(ADDRESSES) else text


def texts_in(value: Any) -> Iterator[str]:
    """All texts of a JSON value, without names of members."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_in(item)


def without_payload(value: Any) -> Any:
    """The same JSON value with the payloads of `data:` URLs left out."""
    if isinstance(value, str) and value.startswith("data:"):
        head = value[:LONGEST_HEAD].split(",", 1)[0]
        return f"{head},… ({len(value)} characters)"
    if isinstance(value, Mapping):
        return {name: without_payload(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_payload(item) for item in value]
    return value


def excerpt(value: Any, most: int = MOST_KEPT) -> Any:
    """A JSON value for people to read: long texts are cut, and it ends after `most` characters."""
    return _Excerpt(most, most // 4).of(value)


@dataclass
class _Excerpt:
    left: int
    longest: int

    def of(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self.of(item) for name, item in self._fitting(value.items())}
        if isinstance(value, (list, tuple)):
            return [self.of(item) for (item,) in self._fitting(zip(value))]
        if not isinstance(value, str):
            return value
        kept = value[: max(0, min(self.left, self.longest))]
        self.left -= len(kept)
        return value if kept == value else f"{kept}… ({len(value)} characters)"

    def _fitting(self, items: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for item in items:
            self.left -= PUNCTUATION + (len(item[0]) if len(item) == 2 else 0)
            if self.left < 0:
                return
            yield item


def _options(spec: JobSpec) -> dict[str, Any]:
    options = {
        "id": spec.id,
        "priority": spec.priority,
        "labels": spec.labels,
        "on_partial": spec.on_partial,
        "on_unknown": spec.on_unknown if spec.on_unknown != ASK else None,
        "expires_after": _duration(spec.expires_after),
        "webhook": spec.webhook,
    }
    return {name: value for name, value in options.items() if value not in (None, {})}


def _duration(seconds: float | None) -> str | None:
    return f"{max(1, round(seconds / 60))}m" if seconds else None
