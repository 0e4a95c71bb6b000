"""The SDK's uploads: a policy, then the file as a form (temporary file URL page)."""

from __future__ import annotations

from typing import Any

import falcon
from falcon.media import MultipartFormHandler
from falcon.media.multipart import BodyPart

from shared.api.context import app_of, base_url
from shared.api.dashscope import errors
from shared.api.dashscope.answers import answer
from shared.api.dashscope.policy import MOST_BYTES, allowed_key, make_policy, megabytes_for
from shared.jobs.input_urls import media_type_of
from shared.storage.objects import ObjectMissing, ObjectStore, ObjectTooLarge

FORM = "/api/v1/uploads/form"
MOST_FIELDS = 32
FIELD_BYTES = 16 * 1024


class Policies:
    """`/api/v1/uploads`"""

    needs = "submit"

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """A policy for files of one model."""
        if request.get_param("action") != "getPolicy":
            raise errors.field_invalid("action", "the only action is getPolicy")
        app = app_of(request)
        name, catalogue = request.get_param("model") or "", app.catalogue
        model = catalogue.get(name)
        if model is None:
            raise errors.model_unknown(name, catalogue.names())
        host, most = base_url(request) + FORM, megabytes_for(model)
        data = make_policy(app.settings, app.rng, app.clock.now(), host, most)
        answer(request, response, {"data": data})


class Form:
    """`/api/v1/uploads/form`"""

    def __init__(self) -> None:
        self._reader = _reader()

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Store the posted file under its policy's folder; answers 200 as the SDK wants it."""
        fields, file = self._read(request)
        app = app_of(request)
        key = allowed_key(app.settings, fields, len(file), app.clock.now())
        _store(app.store, key, file)
        answer(request, response, {})

    def _read(self, request: falcon.Request) -> tuple[dict[str, str], bytes]:
        """The form's fields and its file, which comes last. Raises DashScopeError, HTTPError."""
        kind = request.content_type or ""
        if not kind.lower().startswith("multipart/form-data"):
            raise errors.body_invalid("multipart/form-data is expected")
        form: Any = self._reader.deserialize(request.bounded_stream, kind, request.content_length)
        fields: dict[str, str] = {}
        try:
            for part in form:
                if part.name == "file":
                    return fields, _bounded(part, MOST_BYTES)
                fields[part.name or ""] = _bounded(part, FIELD_BYTES).decode("utf-8", "replace")
        except UnicodeDecodeError:
            raise errors.body_invalid("the name of a form field is not UTF-8") from None
        raise errors.field_invalid("file", "the form holds no field named file")


def _store(store: ObjectStore, key: str, file: bytes) -> None:
    """Never over another file: two files of one name would be taken for each other."""
    try:
        stored = store.read(key, MOST_BYTES).body
    except ObjectMissing:
        store.put(key, file, media_type_of(file))
        return
    except ObjectTooLarge:
        raise errors.upload_exists() from None
    if stored != file:
        raise errors.upload_exists()


def _reader() -> MultipartFormHandler:
    reader = MultipartFormHandler()
    reader.parse_options.max_body_part_count = MOST_FIELDS
    return reader


def _bounded(part: BodyPart, limit: int) -> bytes:
    data: bytes = part.stream.read(limit + 1)
    if len(data) > limit:
        raise errors.too_large(limit)
    return data
