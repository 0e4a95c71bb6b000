"""The HTTP endpoints, as a WSGI application (falcon)."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any

import falcon

from shared import keys
from shared.cancel import NotCancelable
from shared.clock import nonce
from shared.intake import Source, Taken
from shared.jobdata import spec_seq
from shared.jobfile import Violation
from shared.modelstudio import ServiceError
from shared.objects import StoreError
from shared.records import FINAL, Record
from shared.service import Service
from shared.wire import RequestIds, add_wire, answer_error, is_open, is_wire, token_refused

SUFFIX_OF = {
    "application/json": ".json",
    "application/yaml": ".yaml",
    "application/x-yaml": ".yaml",
    "text/yaml": ".yaml",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
}
PROBLEM = "application/problem+json"

log = logging.getLogger(__name__)


class Problem(Exception):
    """An error as RFC 9457 problem details. `extra` are further members of the document."""

    def __init__(
        self, status: int, title: str, detail: str, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.extra = dict(extra or {})


class Tokens:
    """Lets only callers pass whose bearer token's SHA-256 is in the settings."""

    def __init__(self, hashes: tuple[str, ...]) -> None:
        self._hashes = hashes

    def process_request(self, request: falcon.Request, _response: falcon.Response) -> None:
        if is_open(request.path):
            return
        scheme, _, token = (request.auth or "").partition(" ")
        given = hashlib.sha256(token.strip().encode()).hexdigest()
        known = [hmac.compare_digest(given, value) for value in self._hashes]
        if scheme.lower() == "bearer" and any(known):
            return
        if is_wire(request.path):
            raise token_refused(token.strip())
        raise Problem(401, "Not authorised", "Send a valid token: `Authorization: Bearer <token>`.")


class JobCollection:
    """`/jobs`"""

    def __init__(self, service: Service) -> None:
        self._service = service

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Take in a job file; 202 if every document of it became a job."""
        limit = self._service.settings.job_file_bytes
        body = request.bounded_stream.read(limit + 1)
        if len(body) > limit:
            raise Problem(413, "Too large", f"A request body may have at most {limit} bytes.")
        suffix = _suffix(request.content_type)
        mark = nonce(self._service.chance)
        taken = self._service.intake.take(body, Source(f"http/job{suffix}", mark))
        self._service.dispatch.ensure_polled(taken)
        refused = [one for one in taken if one.violations]
        if refused:
            raise _violated(taken, refused)
        base = _base(request, self._service)
        jobs = [describe(one.record, base) for one in taken]
        response.status = falcon.HTTP_202
        response.set_header("Retry-After", "2")
        if len(jobs) == 1:
            response.set_header("Location", jobs[0]["urls"]["status"])
        response.text = _json(jobs[0] if len(jobs) == 1 else {"jobs": jobs})


class Job:
    """`/jobs/{job}`"""

    def __init__(self, service: Service) -> None:
        self._service = service

    def on_get(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """The job's state; once it is over, with its manifest."""
        last = self._service.records.last(job) if keys.is_job_id(job) else None
        if last is None:
            raise Problem(404, "No such job", f"There is no job {job[:64]!r}.")
        shown = describe(last, _base(request, self._service))
        first = last if "spec" in last.data else self._service.records.get(job, spec_seq(last))
        shown["warnings"] = first.data.get("warnings", []) if first else []
        if last.state in FINAL:
            shown["result"] = last.data.get("manifest")
        response.text = _json(shown)


class JobCancel:
    """`/jobs/{job}/cancel`"""

    def __init__(self, service: Service) -> None:
        self._service = service

    def on_post(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """Cancel a job that waits, here or at the service; otherwise the answer says why not."""
        try:
            ended = self._service.canceling.cancel(job)
        except NotCancelable as error:
            if error.last is None:
                raise Problem(404, "No such job", f"There is no job {job[:64]!r}.") from None
            detail = f"The job is {error.last.state}; only a job that still waits can be canceled."
            raise Problem(409, "Too late to cancel", detail) from None
        except ServiceError as error:
            log.warning("job %s: the service could not be asked to cancel: %s", job, error)
            detail = "The model service cannot be asked at the moment; try again in a few seconds."
            raise Problem(503, "Service unavailable", detail) from None
        response.text = _json(describe(ended, _base(request, self._service)))


def create_app(service: Service) -> falcon.App[falcon.Request, falcon.Response]:
    """The application over one service."""
    steps: list[Any] = [RequestIds(service.chance), Tokens(service.settings.token_hashes)]
    app = falcon.App(middleware=steps)
    app.resp_options.default_media_type = falcon.MEDIA_JSON
    app.req_options.strip_url_path_trailing_slash = True
    app.add_route("/jobs", JobCollection(service))
    app.add_route("/jobs/{job}", Job(service))
    app.add_route("/jobs/{job}/cancel", JobCancel(service))
    add_wire(app, service)
    app.add_error_handler(Problem, _answer_problem)
    app.add_error_handler(StoreError, _answer_store_error)
    app.set_error_serializer(_serialize)
    return app


def describe(record: Record, base: str) -> dict[str, Any]:
    """A job as callers see it."""
    data = record.data
    return {
        "job": record.job,
        "state": record.state,
        "at": record.at,
        "model": data.get("model"),
        "task_id": data.get("task_id"),
        "attempt": data.get("attempt", 0),
        "warnings": data.get("warnings", []),
        "error": (data.get("manifest") or data).get("error"),
        "result_key": keys.result(record.job),
        "urls": {
            "status": f"{base}/jobs/{record.job}",
            "cancel": f"{base}/jobs/{record.job}/cancel",
        },
    }


def _suffix(content_type: str | None) -> str:
    media_type = (content_type or "application/json").split(";")[0].strip().lower()
    if media_type not in SUFFIX_OF:
        known = ", ".join(sorted(SUFFIX_OF))
        raise Problem(415, "Unknown media type", f"Content-Type is {media_type}; send {known}.")
    return SUFFIX_OF[media_type]


def _violated(taken: list[Taken], refused: list[Taken]) -> Problem:
    accepted = [one.job for one in taken if not one.violations]
    found = [_shown(one, violation) for one in refused for violation in one.violations]
    detail = f"{len(refused)} of {len(taken)} jobs cannot be submitted; see `violations`."
    if accepted:
        detail += " The others were accepted; see `accepted`."
    extra = {"violations": found, "accepted": accepted}
    return Problem(422, "The job file is not in order", detail, extra)


def _shown(one: Taken, violation: Violation) -> dict[str, Any]:
    return {"job": one.job, **violation.to_dict()}


def _base(request: falcon.Request, service: Service) -> str:
    return service.settings.api_url or f"https://{request.host}"


def _answer_problem(
    _request: falcon.Request, response: falcon.Response, problem: Problem, _params: object
) -> None:
    _write_problem(response, problem.status, problem.title, problem.detail, problem.extra)
    if problem.status == 401:
        response.set_header("WWW-Authenticate", "Bearer")


def _answer_store_error(
    request: falcon.Request, response: falcon.Response, error: StoreError, _params: object
) -> None:
    log.error("%s", error)
    detail = "The bucket cannot be asked at the moment; try again in a few seconds."
    if is_wire(request.path):
        answer_error(request, response, 503, detail)
        return
    _write_problem(response, 503, "Store unavailable", detail, {})
    response.set_header("Retry-After", "5")


def _serialize(request: falcon.Request, response: falcon.Response, error: falcon.HTTPError) -> None:
    if is_wire(request.path):
        message = error.description or f"{error.title}: {request.method} {request.path[:200]}"
        answer_error(request, response, error.status_code, message)
        return
    detail = error.description or "See the list of endpoints in the README."
    _write_problem(response, error.status_code, error.title or "Error", detail, {})


def _write_problem(
    response: falcon.Response, status: int, title: str, detail: str, extra: Mapping[str, Any]
) -> None:
    response.status = status
    response.content_type = PROBLEM
    response.text = _json({"title": title, "status": status, "detail": detail, **extra})


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)
