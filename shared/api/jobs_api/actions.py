"""What can be done with one job: cancel, retry, hide, adopt a task, decide about a lost call, read
its events or its job file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import falcon

from shared.api.context import answer_json, app_of, base_url, caller_of
from shared.api.jobs_api.jobs import answer_made, known_job
from shared.api.jobs_api.problems import Problem, key_reused, no_such_job, wrong_parameter
from shared.api.jobs_api.taking import idempotency_key, refuse_violated
from shared.jobfile.written import job_file_of
from shared.jobs.adopt import NotAdoptable
from shared.jobs.cancel import NotCancelable
from shared.jobs.erase import MOST_LOOKED_AT, NotErasable
from shared.jobs.idempotency import KeyReused
from shared.jobs.lost_calls import DECISIONS, NotLost
from shared.jobs.retry import NotRetryable
from shared.jobs.tries import shown
from shared.jobs.view import events_of, written_of
from shared.modelstudio.client import ServiceError
from shared.platform.logs import about

UNUSED, ALL = "unused", "all"
"""Which input pictures of a job are erased with it."""

log = logging.getLogger(__name__)


class JobCancel:
    """`/jobs/{job}/cancel`"""

    def on_post(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """Cancel a job that waits, here or at the service; otherwise the answer says why not."""
        app = app_of(request)
        known_job(request, job)
        try:
            ended = app.cancellation.cancel(job)
        except NotCancelable as error:
            if error.last is None:
                raise no_such_job(job) from None
            detail = f"The job is {error.last.state}; only a job that still waits can be canceled."
            raise Problem(409, "Too late to cancel", detail) from None
        except ServiceError as error:
            raise _unanswered(job, error, "cancel") from None
        answer_json(response, app.views(base_url(request)).brief(ended))


class JobAdopt:
    """`/jobs/{job}/adopt/{task}`"""

    needs = "admin"

    def on_post(
        self, request: falcon.Request, response: falcon.Response, job: str, task: str
    ) -> None:
        """Let a job whose submission was not answered go on with a task of the service."""
        app = app_of(request)
        known_job(request, job)
        try:
            made = app.adoption.adopt(job, task)
        except NotAdoptable as error:
            raise Problem(409, "Not adopted", str(error)) from None
        except ServiceError as error:
            raise _unanswered(job, error, "adopt") from None
        answer_json(response, app.views(base_url(request)).brief(made))


class JobErase:
    """`/jobs/{job}/erase`"""

    needs = "admin"
    parameters: Mapping[str, tuple[str, ...]] = {"POST": ("inputs",)}

    def on_post(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """Remove a job's pictures and texts; with `inputs=all` also inputs that others may use."""
        known_job(request, job)
        inputs = request.get_param("inputs") or UNUSED
        if inputs not in (UNUSED, ALL):
            raise wrong_parameter("inputs", f"{UNUSED} or {ALL}", inputs)
        try:
            erasure = replace(app_of(request).erasure, most_jobs=MOST_LOOKED_AT)
            done = erasure.erase(job, all_inputs=inputs == ALL)
        except NotErasable as error:
            raise Problem(409, "Not erased", str(error)) from None
        answer_json(response, done.to_dict())


class JobRetry:
    """`/jobs/{job}/retry`"""

    def on_post(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """Run a job again as a new job, or answer with the retry that is there already."""
        app, caller = app_of(request), caller_of(request)
        last = known_job(request, job)
        try:
            made = app.retries.retry(last, caller.prefix, idempotency_key(request))
        except NotRetryable as error:
            raise Problem(409, "Nothing to retry", str(error)) from None
        except KeyReused:
            raise key_reused() from None
        refuse_violated([made])
        answer_made(request, response, made)


class JobHide:
    """`/jobs/{job}/hide` and `/jobs/{job}/unhide`"""

    def __init__(self, hidden: bool) -> None:
        self._hidden = hidden

    def on_post(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """Leave the job out of lists, or list it again; the same once more changes nothing."""
        hiding, last = app_of(request).hiding, known_job(request, job)
        (hiding.hide if self._hidden else hiding.show)(last)
        answer_json(response, {"job": job, "hidden": self._hidden})


class JobLostCall:
    """`/jobs/{job}/lost-call/{decision}`"""

    def on_post(
        self, request: falcon.Request, response: falcon.Response, job: str, decision: str
    ) -> None:
        """Run a job again whose call was lost, or end it as failed; the job is over then."""
        app, caller = app_of(request), caller_of(request)
        known_job(request, job)
        if decision not in DECISIONS:
            raise wrong_parameter("The decision", " or ".join(DECISIONS), decision)
        try:
            done = app.lost_calls.decide(job, decision, caller.prefix)
        except NotLost as error:
            raise Problem(409, "No lost call", str(error)) from None
        except NotRetryable as error:
            raise Problem(409, "Nothing to retry", str(error)) from None
        if done.retry is None:
            answer_json(response, app.views(base_url(request)).brief(done.record))
            return
        refuse_violated([done.retry])
        answer_made(request, response, done.retry)


class JobEvents:
    """`/jobs/{job}/events`"""

    def on_get(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """The job's records in order."""
        known_job(request, job)
        ledger = app_of(request).ledger
        chain = ledger.records.chain(job)
        tries = ledger.outbox.tries(job) if any(one.webhook for one in chain) else []
        told = [shown(one) for one in tries]
        answer_json(response, {"job": job, "events": events_of(chain), "deliveries": told})


class JobFile:
    """`/jobs/{job}/jobfile`"""

    def on_get(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """The job as a job file, to copy and to submit again."""
        # Imported late: nothing else here needs PyYAML.
        from shared.jobfile.yaml_text import as_yaml

        last = known_job(request, job)
        first = app_of(request).ledger.records.with_spec(last)
        response.content_type = "application/yaml; charset=utf-8"
        written = job_file_of(first.spec) if first.spec else written_of(last, first)
        response.text = as_yaml(written)


def _unanswered(job: str, error: ServiceError, verb: str) -> Problem:
    log.warning(
        "job %s: the service could not be asked to %s: %s",
        job,
        verb,
        error,
        extra=about(
            "action.unanswered",
            job=job,
            step=verb,
            code=error.code,
            http=error.http,
            request_id=error.request_id or None,
        ),
    )
    detail = "The model service cannot be asked at the moment; try again in a few seconds."
    return Problem(503, "Service unavailable", detail)
