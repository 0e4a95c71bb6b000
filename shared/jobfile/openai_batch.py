"""A line of OpenAI's batch form, `{custom_id, method, url, body}`, written as a job."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from shared.catalogue.models import Catalogue, Model
from shared.catalogue.plain import Plain, escape
from shared.jobfile.document import BATCH, CUSTOM_ID, Document
from shared.jobfile.findings import Violation
from shared.jobfile.image_probe import ProbeError, look
from shared.jobfile.openai_form import IMAGE, MASK, OF_THE_ANSWER, NotWritable, Places, job_of
from shared.jobfile.openai_mask import mask_for
from shared.jobfile.references import BadReference, Place, read_reference
from shared.storage.objects import ObjectMissing

URLS = ("/v1/images/generations", "/v1/images/edits")
FIELDS = ("custom_id", "method", "url", "body")
LONGEST_ID = 256


def read_line(
    line: Document, batch: str, catalogue: Catalogue, place: Place
) -> tuple[Document, Violation | None]:
    """The job of a line, or what is known of it and why none can be made of it. Raises StoreError.

    `batch` names the file that it is in.
    """
    try:
        return written(line, batch, catalogue, place), None
    except NotWritable as error:
        own = error.param in FIELDS or error.param in line.value
        pointer = f"{'' if own else '/body'}/{escape(error.param)}"
        expected = "a line of OpenAI's batch form"
        message = f"at {pointer}: {error}"
        wrong = Violation(pointer, line.line(pointer), expected, "", message, "batch line")
        return replace(line, value=labelled(line.value, batch)), wrong


def labelled(value: Mapping[str, Any], batch: str) -> dict[str, Any]:
    """What is known of a line before it is read: where it belongs."""
    own = value[CUSTOM_ID]
    labels = {BATCH: batch, CUSTOM_ID: own[:LONGEST_ID] if isinstance(own, str) else ""}
    return {"job": {"labels": labels}}


def written(document: Document, batch: str, catalogue: Catalogue, place: Place) -> Document:
    """The job of a line. What is wrong with the job is for the check to say. Raises NotWritable for
    a line of which none can be made, StoreError."""
    line = document.value
    _check_line(line)
    body: dict[str, Any] = line["body"]
    base = labelled(line, batch)
    model = catalogue.get(str(body.get("model")))
    if model is None:
        return replace(document, value={**base, "model": body.get("model"), "input": {}})
    if line["url"] == URLS[0] and any(body.get(name) for name in (IMAGE, "images", MASK)):
        raise NotWritable(IMAGE, f"images belong to a line with url: {URLS[1]}")
    images = [_reference(one) for one in _listed(body)]
    job = job_of(body, model, images, _mask(body, model, place))
    labels = job.pop("job", {}).get("labels", {}) | base["job"]["labels"]
    return replace(document, value={"job": {"labels": labels}, **job})


def _check_line(line: Mapping[str, Any]) -> None:
    for name in line:
        if name not in FIELDS:
            raise NotWritable(name, f"the key {name[:80]!r} is not known in a batch line")
    own = line[CUSTOM_ID]
    if not isinstance(own, str) or not 0 < len(own) <= LONGEST_ID:
        raise NotWritable(CUSTOM_ID, f"custom_id must be a text of 1 to {LONGEST_ID} characters")
    if line.get("method", "POST") != "POST":
        raise NotWritable("method", "method must be POST")
    if line.get("url") not in URLS:
        raise NotWritable("url", f"url must be {' or '.join(URLS)}")
    if not isinstance(line["body"], dict):
        raise NotWritable("body", "body must be an object with model and prompt")
    if line["body"].get(OF_THE_ANSWER) not in (None, "url"):
        raise NotWritable(OF_THE_ANSWER, "a batch answers with url; write that, or leave it out")


def _listed(body: Mapping[str, Any]) -> list[Plain]:
    given = [body[name] for name in (IMAGE, "images") if body.get(name) is not None]
    return [one for some in given for one in (some if isinstance(some, list) else [some])]


def _reference(value: Plain) -> Plain:
    return value.get("image_url") if isinstance(value, dict) else value


def _mask(body: Mapping[str, Any], model: Model, place: Place) -> Plain:
    """The mask as the model wants it: one that is changed is written into the job."""
    given, rule = _reference(body.get(MASK)), Places.of(model).mask
    if not isinstance(given, str) or rule is None:
        return given
    try:
        reference = read_reference(given, place, inline=True, ascii_url=False)
        if reference.key is not None:
            seen = look(partial(place.images.read_range, reference.key), rule.max_bytes).body or b""
        elif reference.form == "data":
            seen = base64.b64decode(given.partition(",")[2], validate=True)
        else:
            raise NotWritable(MASK, "a mask at an address cannot be read; write oss:///inputs/…")
    except (BadReference, ProbeError, ObjectMissing, ValueError) as error:
        raise NotWritable(MASK, f"the mask cannot be read: {error}") from None
    made = mask_for(rule, seen, place.pixels)
    if made is seen:
        return given
    if not rule.inline or not place.pixels.take(len(made)):
        raise NotWritable(
            MASK,
            f"{model.name} takes no inline mask, or the file has too many;"
            " write the mask black and white: the white part is what changes",
        )
    return f"data:image/png;base64,{base64.b64encode(made).decode()}"
