"""`/changes`: one request that waits for the first change among many jobs, or for a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import falcon

from shared.api.context import answer_json, app_of, base_url, caller_of
from shared.api.jobs_api.filters import milliseconds
from shared.api.jobs_api.job_version import bare, mark_in, mark_of, number_in, tag_of
from shared.api.jobs_api.json_body import Wrong, read_object, short, wrong
from shared.api.tokens import Caller
from shared.api.waiting import records_when
from shared.app import App
from shared.catalogue.plain import escape
from shared.ledger.record import FINAL, QUEUED, STATES, Record
from shared.storage import layout
from shared.storage.objects import FULL_PAGE, ObjectDamaged

MOST_JOBS = 50
MOST_SHOWN = 10
"""Jobs in an answer, which may be large; the others are in the next one, which comes at once."""
MOST_SEEN = 100
MOST_NEW = 50
LOOK_FOR_NEW = 3.0
"""Seconds between two looks for new jobs, each of which is a listing."""
LONGEST_WAIT = 30
LONGEST_TAG = 64
SEEN = f"a list of up to {MOST_SEEN} ids of jobs"
SINCE = "a time such as 2026-11-20T05:12:00Z"


@dataclass(frozen=True)
class Known:
    """What a caller knows of its jobs: by job a bare ETag, a state, or None for nothing."""

    jobs: Mapping[str, str | None]

    def is_old(self, last: Record) -> bool:
        """Whether the caller has not seen the job as it is now."""
        known = self.jobs[last.job]
        if known in STATES:
            return known != last.state
        return known is None or mark_in(known) != mark_of(last)


@dataclass
class Newcomers:
    """Jobs made at `since_ms` or later, other than those in `seen`; `found` at the last look."""

    app: App
    caller: Caller
    since_ms: int
    seen: frozenset[str]
    found: Sequence[str] = ()
    looked: float | None = None

    def look(self) -> bool:
        """Whether there are any, as seen lately. Raises StoreError."""
        now = self.app.clock.monotonic()
        if self.looked is None or now - self.looked >= LOOK_FOR_NEW:
            self.looked = now
            listed = self.app.ledger.index.after(None, self.since_ms, len(self.seen) + 2)
            jobs = (entry.job for entry in islice(listed, FULL_PAGE))
            mine = (job for job in jobs if job not in self.seen and self.caller.sees(job))
            self.found = list(islice(mine, MOST_NEW))
        return bool(self.found)


@dataclass(frozen=True)
class Question:
    """What a caller knows, how many seconds it waits, and the new jobs it asks for."""

    known: Known
    wait: int
    newer: Newcomers | None

    def has_new(self) -> bool:
        """Raises StoreError."""
        return self.newer is not None and self.newer.look()


class Changes:
    """`/changes`"""

    needs = "read"

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """The jobs that are not as the caller knows them, and new ones if it asks for them; with
        `wait`, as soon as there is one."""
        asked = _read(request)
        known, app, caller = asked.known, app_of(request), caller_of(request)
        mine = [job for job in known.jobs if layout.is_job_id(job) and caller.sees(job)]
        last = _looked(app, known, mine)
        missing = [job for job in known.jobs if job not in {one.job for one in last}]
        open_ones = [one for one in last if one.state not in FINAL]
        is_news = missing or any(map(known.is_old, last)) or asked.has_new()
        if asked.wait and (open_ones or asked.newer) and not is_news:
            with app.instance.waiting.place(caller.mark) as granted:
                if granted:
                    last = records_when(app, open_ones, asked.wait, known.is_old, asked.has_new)
                else:
                    response.set_header("Retry-After", "2")
        response.set_header("Cache-Control", "no-store")
        shown = list(_shown(app, base_url(request), known, last))
        new = {"new": asked.newer.found} if asked.newer else {}
        answer_json(response, {"jobs": shown, "missing": missing, **new})


def _looked(app: App, known: Known, jobs: Sequence[str]) -> list[Record]:
    """The last records of those that there are, without what may be megabytes of images.

    Raises StoreError.
    """
    look = partial(_last, app, known)
    found = app.instance.map_fn(look, jobs)
    return [replace(last, spec=None) for last in found if last is not None]


def _last(app: App, known: Known, job: str) -> Record | None:
    """None for a job that there is not, and for one whose record was spoiled by hand: it must not
    hide the others."""
    begun = app.clock.monotonic()
    seen = max(number_in(known.jobs[job] or ""), app.instance.sightings.number(job))
    try:
        last = app.ledger.records.last_since(job, seen)
    except ObjectDamaged:
        return None
    if last is not None:
        app.instance.sightings.note(last, begun)
    return last


def _shown(app: App, base: str, known: Known, last: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """What is new first; else the waiting jobs whose place has changed, the next one first."""
    views, records = app.views(base), app.ledger.records
    found = [(one, views.estimates.position(one)) for one in last]
    chosen = [one for one in found if known.is_old(one[0])] or sorted(
        (one for one in found if _has_moved(app, known, *one)), key=lambda one: one[1] or 0
    )
    for one, position in chosen[:MOST_SHOWN]:
        first = records.get(one.job, one.spec_seq) or one
        yield {**views.whole(one, first), "etag": f'W/"{tag_of(app, one, position)}"'}


def _has_moved(app: App, known: Known, last: Record, position: int | None) -> bool:
    """A caller that knows the state alone does not care for the place."""
    tag = known.jobs[last.job]
    return last.state == QUEUED and tag not in STATES and tag != tag_of(app, last, position)


def _read(request: falcon.Request) -> Question:
    """Raises Problem with all violations."""
    title = "The question is not in order"
    value = read_object(request, title, "jobs, wait and newer")
    found = [*_violations(value), *_newer_violations(value.get("newer"))]
    if found:
        raise wrong(title, found)
    jobs = {job: None if tag is None else bare(tag) for job, tag in value["jobs"].items()}
    return Question(Known(jobs), value.get("wait", 0), _newcomers(request, value.get("newer")))


def _newcomers(request: falcon.Request, newer: Mapping[str, Any] | None) -> Newcomers | None:
    if newer is None:
        return None
    since_ms, seen = milliseconds(newer["since"]) or 0, frozenset(newer["seen"])
    return Newcomers(app_of(request), caller_of(request), since_ms, seen)


def _newer_violations(newer: Any) -> Iterator[Wrong]:
    if newer is None:
        return
    if not isinstance(newer, dict):
        yield "/newer", "an object with since and seen", short(newer)
        return
    since, seen = newer.get("since"), newer.get("seen")
    if not isinstance(since, str) or milliseconds(since) is None:
        yield "/newer/since", SINCE, short(since)
    if not isinstance(seen, list) or len(seen) > MOST_SEEN or not all(map(_is_id, seen)):
        yield "/newer/seen", SEEN, f"{len(seen)} ids" if isinstance(seen, list) else short(seen)
    for name in newer.keys() - {"since", "seen"}:
        yield f"/newer/{escape(name[:64])}", "since and seen alone", short(newer[name])


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and layout.is_job_id(value)


def _violations(value: Mapping[str, Any]) -> Iterator[Wrong]:
    jobs, wait = value.get("jobs"), value.get("wait", 0)
    least = 0 if value.get("newer") is not None else 1
    if not isinstance(jobs, dict) or not least <= len(jobs) <= MOST_JOBS:
        expected = f"an object with 1 to {MOST_JOBS} jobs, what is known of each by its id"
        yield "/jobs", expected, f"{len(jobs)} jobs" if isinstance(jobs, dict) else short(jobs)
    else:
        for job, tag in jobs.items():
            if tag is not None and not (isinstance(tag, str) and len(tag) <= LONGEST_TAG):
                expected = "the etag of an earlier answer, a state, or null"
                yield f"/jobs/{escape(job[:64])}", expected, short(tag)
    if not isinstance(wait, int) or isinstance(wait, bool) or not 0 <= wait <= LONGEST_WAIT:
        yield "/wait", f"a whole number of seconds from 0 to {LONGEST_WAIT}", short(wait)
    for name in value.keys() - {"jobs", "wait", "newer"}:
        yield f"/{escape(name[:64])}", "jobs, wait and newer alone", short(value[name])
