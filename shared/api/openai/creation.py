"""Images made or edited: a call that waits for its job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import falcon

from shared.api.calls import LONGEST_CALL, Asked, Call
from shared.api.context import app_of, base_url, caller_of, free_room
from shared.api.delivery import tried_before
from shared.api.openai import errors
from shared.api.openai.files import Files
from shared.api.openai.reading import Sent, read
from shared.api.openai.view import BASE64, URL, answer_of
from shared.api.ownership import foreign_objects
from shared.api.tokens import Caller
from shared.app import App
from shared.catalogue.models import Model
from shared.jobfile.openai_form import IMAGE, OF_THE_ANSWER, NotWritable, Places, job_of
from shared.jobs.idempotency import ALLOWED_KEYS, IdempotencyKey, KeyReused
from shared.jobs.intake import Source
from shared.ledger.record import Record
from shared.platform.clock import nonce

OPENAI_SOURCE = "http/openai"
READ_TIMEOUT = "x-stainless-read-timeout"
"""Seconds after which the client gives up (`openai/_base_client.py`)."""
MARGIN = 1.0
"""Seconds that an answer may need to the client."""


class Generations:
    """`/v1/images/generations`"""

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Images made after a prompt."""
        sent = _read(request)
        if sent.images or sent.mask is not None:
            raise errors.field_invalid(IMAGE, "images are sent to /v1/images/edits")
        _answer(_Asked(request, sent), response)


class Edits:
    """`/v1/images/edits`"""

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Images made of others."""
        sent = _read(request)
        if not sent.images:
            raise errors.field_invalid(IMAGE, "there is no image; send one or more as image[]")
        _answer(_Asked(request, sent), response)


def _read(request: falcon.Request) -> Sent:
    return read(request, app_of(request).settings.job_file_bytes)


def _answer(asked: _Asked, response: falcon.Response) -> None:
    request, app = asked.request, asked.app
    wanted = asked.form_of_answer()
    call, patience = asked.call(), _patience(request)
    asked.begin(call)
    with call.kept(), app.instance.waiting.place(asked.caller.mark) as granted:
        if not granted:
            raise errors.too_many_waiting()
        begun = call.start()
        asked.forget()
        free_room(request)
        last = call.wait(begun, patience, request)
    status_url = f"{base_url(request)}/jobs/{last.job}"
    response.set_headers({"Location": status_url, "x-request-id": asked.id})
    if not last.is_final:
        call.leave()
        raise errors.timed_out(last.job, patience, status_url)
    _send(call, last, wanted, status_url, response)


def _send(
    call: Call, last: Record, wanted: str, status_url: str, response: falcon.Response
) -> None:
    try:
        shown = answer_of(call.app, last, wanted, status_url)
    except errors.OpenAIError as error:
        end = call.leave if error.param == OF_THE_ANSWER else call.delivered
        end()
        raise
    response.content_type = falcon.MEDIA_JSON
    call.answer(response, shown.body(), shown.size())


def _patience(request: falcon.Request) -> float:
    """Seconds that a call waits: less than its client does, where that says how long."""
    text = request.get_header(READ_TIMEOUT) or ""
    try:
        given = float(text[:20])
    except ValueError:
        return LONGEST_CALL
    return min(max(given - MARGIN, 0.0), LONGEST_CALL) if given > 0 else LONGEST_CALL


@dataclass
class _Asked:
    """A request for images."""

    request: falcon.Request
    sent: Sent

    @property
    def app(self) -> App:
        return app_of(self.request)

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    @property
    def id(self) -> str:
        return str(self.request.context.request_id)

    def form_of_answer(self) -> str:
        """`url` or `b64_json`. Raises OpenAIError."""
        wanted = self.sent.fields.get(OF_THE_ANSWER)
        if wanted not in (None, URL, BASE64):
            raise errors.field_invalid(OF_THE_ANSWER, f"it must be {URL} or {BASE64}")
        return str(wanted or URL)

    def call(self) -> Call:
        """What is asked for, as a call; nothing is stored yet. Raises OpenAIError, StoreError."""
        model, content = self._model(), self.sent.content(self.request.path)
        files = Files(self.app, self.caller.mark, content)
        files.check(self.sent)
        places = Places.of(model)
        try:
            self._refuse_foreign(self._job(model, self.sent.images, self.sent.mask), places)
            self.sent.mask = files.masked(self.sent, places)
        except NotWritable as error:
            raise errors.field_invalid(error.param, str(error)) from None
        make = partial(self._made, model, files)
        repeated = tried_before(self.request)
        return Call(self.app, Asked(self.caller, content, self._key(), repeated, make))

    def begin(self, call: Call) -> None:
        """Write the call down. Raises OpenAIError, StoreError."""
        try:
            call.begin(f"{self.caller.prefix}images-{nonce(self.app.rng)}")
        except KeyReused:
            raise errors.key_reused() from None

    def forget(self) -> None:
        """Let go of the files: many calls wait at once."""
        self.sent = Sent(self.sent.fields)

    def _made(self, model: Model, files: Files, job: str) -> Record:
        images, mask = files.stored(self.sent.images, self.sent.mask)
        value = self._job(model, images, mask)
        options = {**value.get("job", {}), "id": job}
        source = Source(
            OPENAI_SOURCE, self.id, prefix=self.caller.prefix, webhook=self.caller.webhook
        )
        return self.app.acceptance.value({**value, "job": options}, source).record

    def _job(self, model: Model, images: Sequence[Any], mask: Any) -> dict[str, Any]:
        return job_of(self.sent.typed(model), model, images, mask)

    def _model(self) -> Model:
        name, catalogue = self.sent.fields.get("model"), self.app.catalogue
        if not isinstance(name, str) or not name:
            known = ", ".join(catalogue.names())
            raise errors.field_invalid("model", f"model must be the name of a model: {known}")
        model = catalogue.get(name)
        if model is None:
            raise errors.model_unknown(name, catalogue.names())
        return model

    def _refuse_foreign(self, job: Mapping[str, Any], places: Places) -> None:
        bucket = self.app.settings.oss_bucket
        for pointer, message in foreign_objects(job["input"], self.caller, bucket):
            raise errors.field_invalid(places.param_of(pointer), message)

    def _key(self) -> IdempotencyKey | None:
        given = self.request.get_header("Idempotency-Key")
        if given is None:
            return None
        key = IdempotencyKey(self.caller.mark, given)
        if not key.is_allowed:
            raise errors.key_invalid(ALLOWED_KEYS)
        return key
