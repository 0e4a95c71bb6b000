"""`/jobs/{job}/stream`: a job as server-sent events (WHATWG HTML, "Server-sent events").

Function Compute passes on the answer of a web function as it comes, if that is chunked (help page
"Does Function Compute support SSE streaming responses"), and ends a request after the function's
time-out, 120 s (s.yaml). So a stream ends before that; who asks again with `Last-Event-ID` misses
nothing. A stream holds a thread and a place among those who wait, as a long poll does.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import falcon

from shared.api.context import app_of, base_url, caller_of
from shared.api.jobs_api.job_version import bare, mark_of, tag_of
from shared.api.jobs_api.jobs import known_job
from shared.api.jobs_api.problems import Problem
from shared.api.waiting import record_when
from shared.app import App
from shared.ledger.record import FINAL, Record
from shared.platform.logs import about
from shared.storage.objects import StoreError

STREAM_SECONDS = 100.0
HEARTBEAT = 15.0
"""Seconds after which a comment shows that the stream lives, and whether the client does."""
RETRY_MS = 2000
EVENT_STREAM = "text/event-stream"

log = logging.getLogger(__name__)


class JobStream:
    """`/jobs/{job}/stream`"""

    def on_get(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """The job now and whenever it changes, until it is over; 204 if the caller has seen that,
        so that it does not ask again."""
        app, last = app_of(request), known_job(request, job)
        seen = bare(request.get_header("Last-Event-ID") or "")
        response.set_header("Cache-Control", "no-store")
        if last.state in FINAL and seen == tag_of(app, last, None):
            response.status = falcon.HTTP_204
            return
        held = ExitStack()
        if not held.enter_context(app.instance.waiting.place(caller_of(request).mark)):
            response.set_header("Retry-After", "5")
            detail = "Too many requests of this token, or of all, wait in this instance already."
            raise Problem(429, "Too many wait", f"{detail} Try again in a few seconds.")
        response.content_type = EVENT_STREAM
        response.stream = _Stream(_events(app, base_url(request), last, seen), held)


@dataclass
class _Stream:
    """What the server sends on; it closes it when that is over or the client has gone."""

    events: Generator[bytes, None, None]
    held: ExitStack

    def __iter__(self) -> Iterator[bytes]:
        return self.events

    def close(self) -> None:
        self.events.close()
        self.held.close()


def _events(app: App, base: str, last: Record, seen: str) -> Generator[bytes, None, None]:
    """What cannot be read ends the stream: its client asks again, and learns why."""
    try:
        yield from _told(app, base, last, seen)
    except StoreError as error:
        log.error("%s", error, extra=about("store.failed", step="GET /jobs/{job}/stream"))


def _told(app: App, base: str, last: Record, seen: str) -> Generator[bytes, None, None]:
    """Events, and comments where nothing has changed. Raises StoreError."""
    until = app.clock.monotonic() + STREAM_SECONDS
    last = replace(last, spec=None)  # which may be megabytes, and is read again to be shown
    yield f"retry: {RETRY_MS}\n\n".encode()
    while True:
        views = app.views(base)
        tag = tag_of(app, last, views.estimates.position(last))
        if tag == seen:
            yield b": nothing new\n\n"
        else:
            first = app.ledger.records.get(last.job, last.spec_seq) or last
            view = json.dumps(views.whole(last, first), ensure_ascii=False)
            yield f"id: {tag}\nevent: job\ndata: {view}\n\n".encode()
        seen, left = tag, until - app.clock.monotonic()
        if last.state in FINAL or left <= 0:
            return
        last = record_when(app, last, min(HEARTBEAT, left), partial(_has_changed, mark_of(last)))


def _has_changed(mark: str, last: Record) -> bool:
    return mark_of(last) != mark
