"""A job that has been checked: what is stored, hashed and sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from shared.catalogue.plain import copy
from shared.catalogue.pointers import replace

DEFAULT_PRIORITY = 5
ASK, RESEND = "ask", "resend"
"""What a job may want done about a call whose outcome nobody knows."""


@dataclass(frozen=True)
class ImageUse:
    """An image of the request: where it is named, and its key if it lies in our bucket.

    `form` is bucket, url, data or temporary.
    """

    pointer: str
    key: str | None
    form: str


@dataclass(frozen=True)
class JobSpec:
    """A checked job. `parameters` are the caller's, plus the defaults that must be sent.

    `expires_after` is in seconds from acceptance, None for never; priority 0 is served first.
    `webhook`: who is told of it, if the job says so itself.
    """

    model: str
    input: dict[str, Any]
    parameters: dict[str, Any]
    id: str | None = None
    priority: int = DEFAULT_PRIORITY
    expires_after: float | None = None
    labels: dict[str, str] = field(default_factory=dict)
    on_partial: str = "keep"
    on_unknown: str = ASK
    webhook: str | None = None
    images: tuple[ImageUse, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a record; the inverse of `from_dict`."""
        data = {**asdict(self), "images": [asdict(image) for image in self.images]}
        if self.on_unknown == ASK:
            del data["on_unknown"]  # as in records from before a job could say it
        if self.webhook is None:
            del data["webhook"]
        return data

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> JobSpec:
        """The inverse of `to_dict`; unknown fields are ignored. Raises KeyError or TypeError."""
        known = {one.name: data[one.name] for one in fields(JobSpec) if one.name in data}
        images = tuple(ImageUse(**image) for image in data.get("images") or ())
        return JobSpec(**{**known, "images": images})


def request_body(spec: JobSpec, urls: Mapping[str, str]) -> dict[str, Any]:
    """The body to POST, with the image at each pointer of `urls` replaced by that URL."""
    inside = {"input": copy(spec.input), "parameters": copy(spec.parameters)}
    for pointer, url in urls.items():
        replace(inside, pointer, url)
    return {"model": spec.model, **inside}


def canonical(spec: JobSpec) -> bytes:
    """What the job asks of the model, as bytes that are equal if and only if the request is."""
    content = {"model": spec.model, "input": spec.input, "parameters": spec.parameters}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")
