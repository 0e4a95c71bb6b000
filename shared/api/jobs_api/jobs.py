"""`/jobs` and `/jobs/{job}`: submitting and looking."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import falcon

from shared.api.context import answer_json, app_of, base_url, caller_of
from shared.api.jobs_api.filters import PARAMETERS, job_filter, page_size
from shared.api.jobs_api.job_version import bare, mark_in, mark_of, tag_of
from shared.api.jobs_api.problems import Problem, no_such_job, wrong_parameter
from shared.api.jobs_api.taking import (
    owned,
    read_request_body,
    refuse_violated,
    refused,
    source_of,
    with_id,
)
from shared.api.waiting import record_when
from shared.app import App
from shared.catalogue.files import SCHEMAS, read_schema
from shared.jobfile import Document, Violation, check
from shared.jobfile.wording import expected
from shared.jobfile.written import job_file_of
from shared.jobs.intake import IntakeOutcome, Source, digest_of
from shared.ledger.record import FINAL, REJECTED, Record
from shared.storage import layout

LONGEST_WAIT = 30
WAITING = {"GET": ("wait",)}
"""What a look at a job reads of a query."""


class JobCollection:
    """`/jobs`"""

    parameters = PARAMETERS

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Some of the caller's jobs, the newest first."""
        size, wanted = page_size(request, 100), job_filter(request)
        page = app_of(request).listing(caller_of(request).sees).page(wanted, size)
        rows = [_in_both(row) for row in page.rows]
        answer_json(response, {"jobs": rows, "next": page.next, "searched": page.searched})

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Take in a job file; 202 if every document of it became a job."""
        app = app_of(request)
        limit = app.settings.job_file_bytes
        sent = read_request_body(request, limit)
        documents = owned(request, sent.documents(limit))
        taken = app.acceptance.documents(documents, source_of(request, sent))
        refuse_violated(taken)
        views = app.views(base_url(request))
        jobs = [views.brief(one.record) for one in taken]
        response.set_header("Retry-After", "2")
        if len(jobs) == 1:
            response.set_header("Location", jobs[0]["urls"]["status"])
        answer_json(response, jobs[0] if len(jobs) == 1 else {"jobs": jobs}, 202)


class Job:
    """`/jobs/{job}`"""

    parameters = WAITING

    def on_get(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """The job as it is now; with `wait`, as soon as its state changes, unless too many wait."""
        patience, tags = _patience(request), _given_tags(request)
        app, last = app_of(request), known_job(request, job)
        if patience and last.state not in FINAL and _knows(tags, last):
            with app.instance.waiting.place(caller_of(request).mark) as granted:
                last = _changed(app, last, patience) if granted else last
        views = app.views(base_url(request))
        told = views.deliveries(last)
        tag = tag_of(app, last, views.estimates.position(last)) + (f".{len(told)}" if told else "")
        response.set_header("ETag", f'W/"{tag}"')
        response.set_header("Cache-Control", "private, no-cache")
        if tag in tags:
            response.status = falcon.HTTP_304
            return
        if last.state not in FINAL:
            response.set_header("Retry-After", "2")
        answer_json(response, views.whole(last, deliveries=told))

    def on_put(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """Make the job, once: the same request again is the same job, another one is refused."""
        app, caller = app_of(request), caller_of(request)
        if not layout.is_job_id(job):
            raise _no_id(job)
        if not caller.sees(job):
            raise no_such_job(job)
        limit = app.settings.job_file_bytes
        sent = read_request_body(request, limit)
        document = _the_one(owned(request, sent.documents(limit)), job)
        last = app.ledger.records.last(job)
        if last is not None and _is_same(app, last, document):
            answer_made(request, response, app.acceptance.known(last))
            return
        _refuse_other(last, document)
        asked = f"http/job{sent.suffix}"
        source = Source(asked, job, prefix=caller.prefix, webhook=caller.webhook)
        taken = app.acceptance.documents([document], source)
        _refuse_clash(app, job, document, taken[0])
        refuse_violated(taken)
        answer_made(request, response, taken[0])


class JobResult:
    """`/jobs/{job}/result`"""

    def on_get(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """The manifest of a job that is over."""
        last = known_job(request, job)
        if last.manifest is None:
            detail = f"The job is {last.state}; ask for it with GET /jobs/{job}?wait=30 meanwhile."
            response.set_header("Retry-After", "2")
            raise Problem(404, "No result yet", detail)
        answer_json(response, last.manifest.document)


def _in_both(row: dict[str, Any]) -> dict[str, Any]:
    """A job of the list, with what went wrong in Chinese as well."""
    if not row["error"]:
        return row
    from shared.catalogue.words import all_in_chinese  # of a list without errors none is needed

    message = str(row["error"]["message"])
    said = all_in_chinese(message)
    more = {"message_zh": said} if said != message else {}
    return {**row, "error": {**row["error"], **more}}


def known_job(request: falcon.Request, job: str) -> Record:
    """The job's last record. Raises Problem for a job that is unknown or not the caller's."""
    mine = layout.is_job_id(job) and caller_of(request).sees(job)
    last = app_of(request).ledger.records.last(job) if mine else None
    if last is None:
        raise no_such_job(job)
    return last


def answer_made(request: falcon.Request, response: falcon.Response, made: IntakeOutcome) -> None:
    """The job and where to look at it: 202 if it is new, 200 if it was there already."""
    view = app_of(request).views(base_url(request)).brief(made.record)
    response.set_header("Location", view["urls"]["status"])
    response.set_header("Retry-After", "2")
    answer_json(response, view, 202 if made.new else 200)


def _changed(app: App, last: Record, patience: float) -> Record:
    """The next record as soon as there is one, or the same after `patience` seconds."""
    return record_when(app, last, patience, lambda now: now.state != last.state)


def _is_same(app: App, last: Record, document: Document) -> bool:
    """Whether a document asks for what a job was made for, however it is written.

    Defaults are added to a job's own file, and its images may be gone since.
    """
    first = app.ledger.records.with_spec(last)
    if last.state == REJECTED or first.spec is None:
        return False
    known = digest_of(with_id(Document(0, job_file_of(first.spec)), last.job))
    if digest_of(document) in (last.written, known):
        return True
    place = replace(app.acceptance.intake.place(), now=0.0)  # signed URLs may have ended since
    spec = check(document, app.catalogue, place).spec
    asked = with_id(Document(0, job_file_of(spec)), last.job) if spec else None
    return asked is not None and digest_of(asked) == known


def _refuse_other(last: Record | None, document: Document) -> None:
    if last is None or last.state == REJECTED:
        return
    if last.written != digest_of(document):
        raise _in_use(last.job)


def _refuse_clash(app: App, job: str, document: Document, taken: IntakeOutcome) -> None:
    """Somebody else may have made a job of this id at the same moment."""
    if taken.job != job and not taken.violations:
        raise _in_use(job)
    if taken.violations:
        _refuse_other(app.ledger.records.last(job), document)


def _patience(request: falcon.Request) -> int:
    text = request.get_param("wait")
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 3 or int(text) > LONGEST_WAIT:
        raise wrong_parameter("wait", f"a whole number of seconds from 0 to {LONGEST_WAIT}", text)
    return int(text)


def _knows(tags: set[str], last: Record) -> bool:
    """Whether the caller knows the job's last record; one without tags is taken to."""
    return not tags or mark_of(last) in set(map(mark_in, tags))


def _given_tags(request: falcon.Request) -> set[str]:
    parts = (request.get_header("If-None-Match") or "").split(",")
    return {bare(part) for part in parts if part.strip()}


def _the_one(documents: list[Document], job: str) -> Document:
    """The one document of a PUT, under the id of its URL. Raises Problem."""
    if len(documents) != 1:
        message = f"the body holds {len(documents)} jobs; PUT takes one, POST /jobs takes several"
        found = f"{len(documents)} jobs"
        violation = Violation("", None, "one job", found, message, "job file")
        raise refused([(job, violation)], 1)
    named = with_id(documents[0], job)
    given = documents[0].value.get("job") if isinstance(documents[0].value, dict) else None
    wanted = given.get("id", job) if isinstance(given, dict) else job
    if wanted != job:
        line = documents[0].line("/job/id")
        message = f"at /job/id: the URL names the job {job}; leave the id out, or write the same"
        violation = Violation("/job/id", line, job, str(wanted)[:80], message, "job file")
        raise refused([(job, violation)], 1)
    return named


def _no_id(job: str) -> Problem:
    """Not found would be wrong: no job can ever have this id."""
    options = read_schema(SCHEMAS / "job.schema.yaml")["properties"]["job"]["properties"]
    allowed = expected(options["id"])
    detail = f"{job[:80]!r} cannot be a job's id; choose {allowed}."
    violation = Violation("/job/id", None, allowed, job[:80], detail, "URL")
    return Problem(422, "Not an id", detail, refused([("", violation)], 1).extra)


def _in_use(job: str) -> Problem:
    detail = f"The job {job} was made from another request; choose another id, or GET it."
    return Problem(409, "Another job has this id", detail)
