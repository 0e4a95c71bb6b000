"""What a request asks for: its fields, and the images that come with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import falcon
from falcon.media import MultipartFormHandler
from falcon.media.multipart import BodyPart

from shared.api.openai import errors
from shared.catalogue.models import Model
from shared.catalogue.plain import Plain, TextUnreadable
from shared.jobfile import ParseLimits
from shared.jobfile.json_reader import read_json
from shared.jobfile.openai_form import IMAGE, MASK, OF_THE_ANSWER

FORM = "multipart/form-data"
MOST_FIELDS = 64
MOST_IMAGES = 16
FIELD_BYTES = 64 * 1024
IMAGE_FIELDS = (IMAGE, "image[]", "images", "images[]")


@dataclass
class Sent:
    """A request as it was sent. Images are files, or references as a job file has them."""

    fields: dict[str, Plain]
    images: list[bytes | Plain] = field(default_factory=list)
    mask: bytes | Plain = None
    is_form: bool = False

    def content(self, path: str) -> bytes:
        """The same for two requests that ask for the same, whatever the form of the answer."""
        digest = hashlib.sha256(path.encode())
        asked = {name: value for name, value in self.fields.items() if name != OF_THE_ANSWER}
        for part in (_canonical(asked), *map(_bytes_of, self.images), _bytes_of(self.mask)):
            digest.update(b"\n" + hashlib.sha256(part).digest())
        return digest.digest()

    def typed(self, model: Model) -> dict[str, Plain]:
        """The fields; those of a form, which are texts, in the JSON types that the model has."""
        if not self.is_form:
            return self.fields
        return {name: _typed(name, value, model) for name, value in self.fields.items()}


def read(request: falcon.Request, limit: int) -> Sent:
    """The request, of at most `limit` bytes. Raises OpenAIError."""
    if (request.content_length or 0) > limit:
        raise errors.too_large(limit)
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    if kind == FORM:
        return _form(request, limit)
    if kind != falcon.MEDIA_JSON:
        raise errors.body_invalid(f"Content-Type must be {falcon.MEDIA_JSON} or {FORM}.")
    return sent_as_json(_object(request.bounded_stream.read(limit + 1), limit))


def sent_as_json(body: dict[str, Plain]) -> Sent:
    """A JSON body, in which images are references: texts, or objects with `image_url`."""
    fields = {name: value for name, value in body.items() if name not in (*IMAGE_FIELDS, MASK)}
    given = [body[name] for name in IMAGE_FIELDS if body.get(name) is not None]
    flat = [one for some in given for one in (some if isinstance(some, list) else [some])]
    return Sent(fields, [_reference(one) for one in flat], _reference(body.get(MASK)))


def _reference(value: Plain) -> Plain:
    return value.get("image_url") if isinstance(value, dict) else value


def _object(raw: bytes, limit: int) -> dict[str, Plain]:
    if len(raw) > limit:
        raise errors.too_large(limit)
    try:
        value = read_json(raw.decode("utf-8"), ParseLimits().bounds())
    except UnicodeDecodeError as error:
        raise errors.body_invalid(f"Byte {error.start + 1} of the body is not UTF-8.") from None
    except TextUnreadable as error:
        raise errors.body_invalid(f"The body is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise errors.body_invalid("The body must be a JSON object with model and prompt.")
    return value


def _form(request: falcon.Request, limit: int) -> Sent:
    reader, sent = MultipartFormHandler(), Sent({}, is_form=True)
    reader.parse_options.max_body_part_count = MOST_FIELDS
    parts: Any = reader.deserialize(
        request.bounded_stream, request.content_type or "", request.content_length
    )
    try:
        for part in parts:
            _take(part, sent, limit)
    except UnicodeDecodeError:
        raise errors.body_invalid("The name of a form field is not UTF-8.") from None
    return sent


def _take(part: BodyPart, sent: Sent, limit: int) -> None:
    name = part.name or ""
    if name in IMAGE_FIELDS:
        if len(sent.images) == MOST_IMAGES:
            raise errors.field_invalid(IMAGE, f"At most {MOST_IMAGES} images are taken.")
        sent.images.append(_file(part, limit))
    elif name in (MASK, f"{MASK}[]"):
        if sent.mask is not None:
            raise errors.field_invalid(MASK, "There are two masks; send one.")
        sent.mask = _file(part, limit)
    elif name in sent.fields:
        raise errors.field_invalid(name[:80], f"The field {name[:80]!r} is sent twice.")
    else:
        sent.fields[name] = _text(part, name)


def _file(part: BodyPart, limit: int) -> bytes | str:
    """A file; a field without a file name is a reference."""
    if part.filename is None:
        return _text(part, part.name or "")
    body: bytes = part.stream.read(limit + 1)
    if len(body) > limit:
        raise errors.too_large(limit)
    return body


def _text(part: BodyPart, name: str) -> str:
    data: bytes = part.stream.read(FIELD_BYTES + 1)
    if len(data) > FIELD_BYTES:
        raise errors.field_invalid(name[:80], f"{name[:80]!r} has more than {FIELD_BYTES} bytes.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"Byte {error.start + 1} of {name[:80]!r} is not UTF-8; send texts in UTF-8."
        raise errors.field_invalid(name[:80], message) from None


def _typed(name: str, value: Plain, model: Model) -> Plain:
    described: Mapping[str, Any] = (
        model.field("parameters", name) or model.field("input", name) or {}
    )
    kind = described.get(
        "type", "integer" if name in ("n", "output_compression", "partial_images") else "string"
    )
    if kind == "string" and name != "stream":
        return value
    try:
        return read_json(str(value), ParseLimits().bounds())
    except TextUnreadable:
        return value  # the check says what is expected


def _canonical(fields: Mapping[str, Plain]) -> bytes:
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _bytes_of(value: bytes | Plain) -> bytes:
    return b"file " + value if isinstance(value, bytes) else _canonical({"": value})
