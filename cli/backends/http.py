"""The jobs over the HTTP API, through the client of clients/python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote

from cli.backends.answers import NO_JOB, not_offered, refusing, saying, submitted
from cli.backends.protocol import Listing, Submitted, View, Wanted
from cli.trouble import Refused, Trouble
from shared.platform.clock import iso
from shared.storage.layout import is_job_id
from wanx import Client, Image, ImageFailed, Job, UnknownJob
from wanx import Refused as Answered

T = TypeVar("T")

PAGE = 100
MOST_PAGES = 100


class HttpBackend:
    """`cli.backends.protocol.Backend` on the API at `url`."""

    def __init__(self, url: str, token: str) -> None:
        if not token:
            raise Trouble("the API needs a token: give --token T, or set API_TOKEN.")
        with saying(url):
            self._client = Client(url, token)

    @property
    def place(self) -> str:
        return f"API {self._client.url}"

    def submit(self, body: bytes, name: str) -> list[Submitted]:
        """The client's key makes the same file the same job, also when an answer was lost."""
        with saying(self._client.url):
            try:
                jobs = self._client.submit_file(name, body)
            except Answered as error:
                return submitted(error)
        return [Submitted(job.id, job.state) for job in jobs]

    def status(self, job: str) -> View | None:
        if not is_job_id(job):
            return None
        with saying(self._client.url):
            try:
                view = _view(self._client.get(job))
            except UnknownJob:
                return None
        view.setdefault("prompt", ((view.get("spec") or {}).get("input") or {}).get("prompt"))
        return view

    def listing(self, wanted: Wanted) -> Listing:
        """Page after page; the API filters by one state at most, so the rest is done here."""
        found: list[View] = []
        pages = self.pages(wanted)
        for rows in islice(pages, MOST_PAGES):
            found += rows
            if len(found) >= wanted.limit:
                return Listing(found[: wanted.limit], "there may be older ones: --limit")
        if next(pages, None) is None:
            return Listing(found)
        return Listing(found, "the search stopped there; narrow it with --since")

    def pages(self, wanted: Wanted) -> Iterator[list[View]]:
        with saying(self._client.url):
            for page in self._client.pages(limit=str(min(wanted.limit, PAGE)), **_filters(wanted)):
                yield [
                    _view(one) for one in page if not wanted.states or one.state in wanted.states
                ]

    def convert(self, body: bytes, name: str, to: str) -> list[Mapping[str, Any]]:
        """The jobs of a job file for the model `to`, each with its notes. Raises Refused."""
        with saying(self._client.url), refusing():
            try:
                return list(self._client.convert(name, body, to))
            except Answered as error:
                if error.problem.title == "No such model":
                    raise Refused(error.problem.detail) from None
                if error.problem.status == 404:
                    raise not_offered("the command convert") from None
                raise

    def decide(self, job: str, decision: str) -> Submitted:
        made, new = self._changed(job, f"lost-call/{decision}")
        return Submitted(made.id, made.state, new)

    def cancel(self, job: str) -> View:
        return _view(self._changed(job, "cancel")[0])

    def erase(self, job: str, all_inputs: bool) -> Mapping[str, Any]:
        if not is_job_id(job):
            raise Refused(NO_JOB)
        return self._offered("erase", partial(self._client.erase, job, all_inputs=all_inputs))

    def hide(self, job: str, hidden: bool) -> None:
        if not is_job_id(job):
            raise Refused(NO_JOB)
        command = "hide" if hidden else "unhide"
        self._offered(command, partial(self._client.hide, job, hidden=hidden))

    def adopt(self, job: str, task: str) -> View:
        return _view(self._changed(job, f"adopt/{quote(task, safe='')}")[0])

    def retry(self, job: str) -> Submitted:
        if self.status(job) is None:
            raise Refused(NO_JOB)
        made, new = self._changed(job, "retry")
        return Submitted(made.id, made.state, new)

    def events(self, job: str) -> list[View] | None:
        if self.status(job) is None:
            return None
        with saying(self._client.url):
            try:
                return self._client.events(job)
            except Answered as error:
                if error.problem.status == 404:
                    raise not_offered("logs") from None
                raise

    def webhooks(self) -> Mapping[str, Any]:
        return self._of_webhooks(self._client.webhooks)

    def redeliver(self, job: str) -> int:
        if not is_job_id(job):
            raise Refused(NO_JOB)
        return self._of_webhooks(partial(self._client.redeliver, job))

    def test_webhook(self, webhook: str) -> Mapping[str, Any]:
        return self._of_webhooks(partial(self._client.webhook, "test", webhook))

    def enable_webhook(self, webhook: str) -> bool:
        answer = self._of_webhooks(partial(self._client.webhook, "enable", webhook))
        return bool(answer["enabled"])

    def webhook_secrets(self, webhook: str) -> list[str]:
        answer = self._of_webhooks(partial(self._client.webhook, "secret", webhook))
        return list(answer["secrets"])

    def _of_webhooks(self, ask: Callable[[], T]) -> T:
        return self._offered("webhooks", ask)

    def _offered(self, command: str, ask: Callable[[], T]) -> T:
        """What an endpoint answers that older deployments lack. Raises Refused, Trouble."""
        with saying(self._client.url), refusing():
            try:
                return ask()
            except UnknownJob:
                raise
            except Answered as error:
                if error.problem.status in (404, 405):
                    raise not_offered(f"the command {command}") from None
                raise

    def image(self, view: View, image: Mapping[str, Any], start: int) -> Iterator[bytes]:
        links = {one.get("key"): one.get("url") for one in view.get("images") or ()}
        linked = Image.of({**image, "url": image.get("url") or links.get(image.get("key"))})
        if not linked.url:
            raise not_offered("links to images")
        try:
            yield from self._client.fetch(linked, start)
        except ImageFailed as error:
            raise (Refused if error.status == 404 else Trouble)(str(error)) from None

    def _changed(self, job: str, verb: str) -> tuple[Job, bool]:
        """The job, and whether the call made it. Raises Refused."""
        if not is_job_id(job):
            raise Refused(NO_JOB)
        with saying(self._client.url), refusing():
            try:
                return self._client.change(job, verb)
            except UnknownJob:
                raise
            except Answered as error:
                if error.problem.status in (404, 405):
                    self.status(job)  # tells a wrong address, where not even this is answered
                    raise not_offered(f"the command {verb.partition('/')[0]}") from None
                raise


def _view(job: Job) -> View:
    return dict(job.document)


def _filters(wanted: Wanted) -> dict[str, Any]:
    query: dict[str, Any] = {"model": wanted.model or "", "search": wanted.search}
    query["label"] = [f"{name}:{value}" for name, value in wanted.labels]
    if wanted.hidden:
        query["hidden"] = "true"
    if len(wanted.states) == 1:
        query["state"] = wanted.states[0]
    if wanted.since:
        query["since"] = iso(wanted.since)
    if wanted.until is not None:
        query["until"] = iso(wanted.until)
    return {name: value for name, value in query.items() if value}
