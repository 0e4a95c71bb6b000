"""The answer to a call: OpenAI's images response, sent piece by piece."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.api.openai import errors
from shared.app import App
from shared.catalogue.errors import CALLER, INPUT_FETCH, POLICY
from shared.jobfile.openai_form import Places
from shared.jobs.view import error_of
from shared.ledger.manifest import Manifest
from shared.ledger.record import CANCELED, REJECTED, SUCCEEDED, Record
from shared.platform.clock import from_iso
from shared.storage.objects import StoreError

URL, BASE64 = "url", "b64_json"
LINK_SECONDS = 7 * 24 * 3600
"""The longest a V4 signature may hold (OSS signature page)."""
ANSWER_BYTES = 24 * 1024 * 1024
"""Of images in one answer. A request may have 32 MiB ("limits" page); of an answer no page says
how large it may be."""
PIECE = 3 * 256 * 1024
"""Bytes of an image that are read at once: a multiple of three, so that base64 can be joined."""
MOST_MESSAGES = 10
"""Violations that an error tells."""
REFUSERS = {CALLER: 400, POLICY: 400, INPUT_FETCH: 400}
TOKENS = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
"""These models count images; OpenAI's clients expect the members."""


@dataclass
class Answer:
    """The images of a job that has succeeded, as addresses or as base64."""

    app: App
    last: Record
    manifest: Manifest
    is_inline: bool

    def size(self) -> int:
        """Bytes of the whole body."""
        return sum(
            len(part) if isinstance(part, bytes) else base64_size(part) for part in self._parts()
        )

    def body(self) -> Iterator[bytes]:
        """The body in pieces. Raises StoreError where an image cannot be read."""
        for part in self._parts():
            if isinstance(part, bytes):
                yield part
            else:
                yield from self._encoded(part)

    def _parts(self) -> Iterator[bytes | Mapping[str, Any]]:
        """JSON, and in between the images that stand there as base64."""
        yield f'{{"created": {int(from_iso(self.last.at))}, "data": ['.encode()
        for at, image in enumerate(self.manifest.images):
            yield b", " if at else b""
            yield from self._image(image)
        usage = {**TOKENS, "image_count": len(self.manifest.images)}
        yield (f'], "usage": {json.dumps(usage)}' + "}").encode()

    def _image(self, image: Mapping[str, Any]) -> Iterator[bytes | Mapping[str, Any]]:
        prompt = image.get("actual_prompt")
        told = {"revised_prompt": prompt} if prompt is not None else {}
        if not self.is_inline:
            url = self.app.links.show(image["key"], LINK_SECONDS)
            yield json.dumps({URL: url, **told}, ensure_ascii=False).encode()
            return
        rest = json.dumps({"": 0, **told}, ensure_ascii=False)[len('{"": 0') :]
        yield f'{{"{BASE64}": "'.encode()
        yield image
        yield f'"{rest}'.encode()

    def _encoded(self, image: Mapping[str, Any]) -> Iterator[bytes]:
        size, key = int(image["bytes"]), str(image["key"])
        for start in range(0, size, PIECE):
            wanted = min(PIECE, size - start)
            body = self.app.store.read_range(key, start, wanted).body
            if len(body) != wanted:
                raise StoreError(f"{key} is shorter than its manifest says")
            yield base64.b64encode(body)


def base64_size(image: Mapping[str, Any]) -> int:
    """Characters of an image as base64."""
    return -(-int(image["bytes"]) // 3) * 4


def answer_of(app: App, last: Record, wanted: str, status_url: str) -> Answer:
    """The answer to a call whose job is over. Raises OpenAIError for any end but success, and for
    images that an answer cannot hold."""
    manifest = last.manifest
    if last.erased is not None:
        raise errors.erased(last.job)
    if last.state != SUCCEEDED or manifest is None:
        raise failure(app, last)
    if wanted == BASE64:
        size = sum(map(base64_size, manifest.images))
        if size > ANSWER_BYTES:
            raise errors.answer_too_large(last.job, size, ANSWER_BYTES, status_url)
    return Answer(app, last, manifest, wanted == BASE64)


def failure(app: App, last: Record) -> errors.OpenAIError:
    """Why a job brought nothing, in the words that it has everywhere."""
    if last.state == REJECTED:
        return _rejection(app, last)
    error = error_of(last) or {}
    status = 400 if last.state == CANCELED else REFUSERS.get(str(error.get("class")), 500)
    message = str(error.get("message") or f"The job is {last.state}.")
    hint = f" {error['hint']}" if error.get("hint") else ""
    return errors.OpenAIError(
        status,
        f"{message}{hint} (job {last.job})",
        code=str(error.get("code") or last.state.lower()),
        kind=errors.REFUSED if status == 400 else "",
        headers=errors.STAY,
        extra={"job": last.job},
    )


def _rejection(app: App, last: Record) -> errors.OpenAIError:
    """All that is wrong with the request, under the names that it has for its fields; `param` is
    the first of them."""
    model, found = app.catalogue.get(last.model), list(last.violations)
    places = Places.of(model) if model else None
    params = [places.param_of(str(one["pointer"])) if places else "" for one in found]
    said = [_said(one, name) for one, name in zip(found[:MOST_MESSAGES], params, strict=False)]
    said += [f"and {len(found) - MOST_MESSAGES} more"] if len(found) > MOST_MESSAGES else []
    param = next(iter(params), None) or None
    return errors.OpenAIError(400, "; ".join(said), code="invalid_value", param=param)


def _said(violation: Mapping[str, Any], param: str) -> str:
    """The message, which begins with the field's place in a job file."""
    message = str(violation["message"])
    what = message.removeprefix("at ").partition(": ")[2]
    return f"{param}: {what}" if param and message.startswith("at /") and what else message
