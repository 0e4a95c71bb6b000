"""Errors as RFC 9457 problem details."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import falcon

from shared.api import wires
from shared.jobfile.wording import nearest
from shared.platform.logs import about
from shared.storage.objects import ObjectDamaged, ObjectNewer, StoreError

PROBLEM = "application/problem+json"
_OTHER_WORDS = {
    "status": "state",
    "page": "cursor",
    "offset": "cursor",
    "next": "cursor",
    "size": "limit",
    "page_size": "limit",
    "per_page": "limit",
    "count": "limit",
    "from": "since",
    "after": "since",
    "tag": "label",
    "timeout": "wait",
}
"""What other APIs call our query parameters."""

log = logging.getLogger(__name__)


class Problem(Exception):
    """An error that is sent to the caller. `extra` are further members of the document."""

    def __init__(
        self, status: int, title: str, detail: str, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.extra = dict(extra or {})


def no_such_job(job: str) -> Problem:
    """Unknown, or not the caller's: the answer is the same."""
    return Problem(404, "No such job", f"There is no job {job[:64]!r}.")


def key_reused() -> Problem:
    """The Idempotency-Key belongs to another request."""
    detail = "This Idempotency-Key was sent before with another body; choose a new one."
    return Problem(409, "Idempotency-Key in use", detail)


def wrong_parameter(name: str, expected: str, found: str) -> Problem:
    """A query parameter or header that cannot be read."""
    detail = f"{name} must be {expected}, not {found[:80]!r}."
    violation = {"pointer": "", "parameter": name, "expected": expected, "found": found[:80]}
    return Problem(
        400, "Wrong parameter", detail, {"violations": [{**violation, "message": detail}]}
    )


def unknown_parameter(name: str, known: Iterable[str]) -> Problem:
    """A query parameter that the endpoint does not read."""
    expected = ", ".join(sorted(known)) or "no parameter"
    detail = f"The query parameter {name[:80]!r} is not known; known here: {expected}."
    if meant := _meant(name, known):
        detail = f"{detail} Did you mean {meant}?"
    violation = {"pointer": "", "parameter": name[:80], "expected": expected, "found": name[:80]}
    return Problem(
        400, "Unknown parameter", detail, {"violations": [{**violation, "message": detail}]}
    )


def _meant(name: str, known: Iterable[str]) -> str | None:
    here = list(known)
    other = _OTHER_WORDS.get(name.lower())
    return other if other in here else nearest(name, here)


def add_handlers(app: falcon.App[falcon.Request, falcon.Response]) -> None:
    """Let the app answer every error in the form of the API that the path belongs to."""
    app.add_error_handler(Problem, _answer_problem)
    app.add_error_handler(StoreError, _answer_store_error)
    app.add_error_handler(Exception, _answer_defect)
    app.set_error_serializer(_serialize)


def _answer_problem(
    _request: falcon.Request, response: falcon.Response, problem: Problem, _params: object
) -> None:
    _write(response, problem.status, problem.title, problem.detail, problem.extra)
    if problem.status == 401:
        response.set_header("WWW-Authenticate", "Bearer")


def _answer_store_error(
    request: falcon.Request, response: falcon.Response, error: StoreError, _params: object
) -> None:
    log.error("%s", error, extra=about("store.failed", step=f"{request.method} {request.path}"))
    status, title, detail = _said_of(error)
    if wires.answer_error(request, response, status, detail):
        return
    _write(response, status, title, detail, {})
    if status == 503:
        response.set_header("Retry-After", "5")


def _said_of(error: StoreError) -> tuple[int, str, str]:
    """Status, title and detail."""
    if isinstance(error, ObjectNewer):
        return 503, "Job of a newer release", str(error)
    if isinstance(error, ObjectDamaged):  # asking again does not help: a person has to act
        return 500, "Record damaged", str(error)
    detail = "The bucket cannot be asked at the moment; try again in a few seconds."
    return 503, "Store unavailable", detail


def _answer_defect(
    request: falcon.Request, _response: falcon.Response, error: Exception, _params: object
) -> None:
    """What should not happen goes into the log with its stack; the caller gets a plain 500."""
    if isinstance(error, (falcon.HTTPError, falcon.HTTPStatus)):
        raise error
    step = f"{request.method} {request.path}"
    log.exception("%s failed: %s", step, error, extra=about("http.failed", step=step))
    raise falcon.HTTPInternalServerError() from None


def _serialize(request: falcon.Request, response: falcon.Response, error: falcon.HTTPError) -> None:
    message = error.description or f"{error.title}: {request.method} {request.path[:200]}"
    if wires.answer_error(request, response, error.status_code, message):
        return
    detail = error.description or "The endpoints are described at /openapi.json."
    _write(response, error.status_code, error.title or "Error", detail, {})


def _write(
    response: falcon.Response, status: int, title: str, detail: str, extra: Mapping[str, Any]
) -> None:
    response.status = status
    response.content_type = PROBLEM
    document = {"title": title, "status": status, "detail": detail, **extra}
    response.text = json.dumps(_in_both(document), ensure_ascii=False)


def _in_both(document: Mapping[str, Any]) -> dict[str, Any]:
    """The problem in Chinese as well: `title_zh`, `detail_zh`, and of each violation
    `message_zh` and so on."""
    from shared.catalogue.words import with_chinese  # most starts of an instance do without

    both = with_chinese(document)
    if "violations" in document:
        both["violations"] = [with_chinese(one) for one in document["violations"]]
    return both
