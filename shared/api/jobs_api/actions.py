"""What is done to one job, and what is told of it beside its state."""

from __future__ import annotations

import logging

import falcon

from shared.api.jobs_api.access import caller_of
from shared.api.jobs_api.jobfiles import as_yaml, shown, whole
from shared.api.jobs_api.jobs import known_job
from shared.api.jobs_api.problems import Problem, no_such_job
from shared.api.jobs_api.taking import refuse_violated
from shared.api.jobs_api.views import Views, answer, base_url, event_of
from shared.app import App
from shared.jobs.cancel import NotCancelable
from shared.jobs.intake import Source
from shared.jobs.retry import MOST_RETRIES, retry_names
from shared.ledger.records import RETRYABLE, Record
from shared.modelstudio.client import ServiceError
from shared.platform.logs import about

log = logging.getLogger(__name__)


class JobCancel:
    """`/jobs/{job}/cancel`"""

    def __init__(self, app: App) -> None:
        self._app = app

    def on_post(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """Cancel a job that waits, here or at the service; otherwise the answer says why not."""
        known_job(request, self._app, job)
        try:
            ended = self._app.cancellation.cancel(job)
        except NotCancelable as error:
            if error.last is None:
                raise no_such_job(job) from None
            detail = f"The job is {error.last.state}; only a job that still waits can be canceled."
            raise Problem(409, "Too late to cancel", detail) from None
        except ServiceError as error:
            log.warning(
                "job %s: the service could not be asked to cancel: %s",
                job,
                error,
                extra=about(
                    "cancel.unanswered",
                    job=job,
                    code=error.code,
                    http=error.http,
                    request_id=error.request_id or None,
                ),
            )
            detail = "The model service cannot be asked at the moment; try again in a few seconds."
            raise Problem(503, "Service unavailable", detail) from None
        answer(response, Views(self._app, base_url(request, self._app)).brief(ended))


class JobRetry:
    """`/jobs/{job}/retry`"""

    def __init__(self, app: App) -> None:
        self._app = app

    def on_post(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """A new job that asks for the same as one that brought nothing."""
        app, caller = self._app, caller_of(request)
        views = Views(app, base_url(request, app))
        last = known_job(request, app, job)
        first = views.first(last)
        spec = first.data.get("spec")
        if last.state not in RETRYABLE or spec is None:
            detail = (
                f"The job is {last.state}; a job can be retried if it is {', '.join(RETRYABLE)}."
            )
            raise Problem(409, "Nothing to retry", detail)
        value = whole(spec)
        made = self._free_id(job, first)
        value["job"] = {**value.get("job", {}), "id": made}
        facts = {"retried_from": job}
        source = Source("http/retry.json", made, prefix=caller.prefix, facts=facts)
        taken = [app.intake.take_value(value, source)]
        app.dispatch.ensure_polled(taken)
        refuse_violated(taken)
        view = views.brief(taken[0].record)
        response.set_header("Location", view["urls"]["status"])
        response.set_header("Retry-After", "2")
        answer(response, view, 202)

    def _free_id(self, job: str, first: Record) -> str:
        for name in retry_names(job, "retried_from" in first.data):
            if self._app.records.get(name, 1) is None:
                return name
        raise Problem(409, "Too many retries", f"The job was retried {MOST_RETRIES} times.")


class JobEvents:
    """`/jobs/{job}/events`"""

    def __init__(self, app: App) -> None:
        self._app = app

    def on_get(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """The job's records in order."""
        known_job(request, self._app, job)
        events = [event_of(record) for record in self._app.records.chain(job)]
        answer(response, {"job": job, "events": events})


class JobFile:
    """`/jobs/{job}/jobfile`"""

    def __init__(self, app: App) -> None:
        self._app = app

    def on_get(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """The job as a job file, to copy and to submit again."""
        last = known_job(request, self._app, job)
        first = Views(self._app, "").first(last)
        spec = first.data.get("spec")
        rejected = (last.data.get("manifest") or {}).get("spec")
        response.content_type = "application/yaml; charset=utf-8"
        response.text = as_yaml(whole(spec) if spec is not None else shown(rejected))
