"""The jobs over the HTTP API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from cli.backends.answers import (
    NO_ADDRESS,
    NO_JOB,
    document_of,
    expect,
    is_elsewhere,
    is_problem,
    not_offered,
    not_the_api,
    refuse,
    refused,
    says_no_job,
    unreachable,
)
from cli.backends.protocol import Listing, Submitted, View, Wanted
from cli.trouble import Refused, Trouble
from shared.platform.clock import iso
from shared.storage.layout import is_job_id

TIMEOUT = (3.05, 40)
MEDIA_TYPES = {
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
}
PAGE = 100
MOST_PAGES = 100
PIECE = 256 * 1024


class HttpBackend:
    """`cli.backends.protocol.Backend` on the API at `url`."""

    def __init__(self, url: str, token: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise Trouble(f"{url} is not an API address; write http:// or https:// before it.")
        if not token:
            raise Trouble("the API needs a token: give --token T, or set API_TOKEN.")
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    @property
    def place(self) -> str:
        return f"API {self._url}"

    def submit(self, body: bytes, name: str) -> list[Submitted]:
        """The key makes the same file the same job, also when an answer was lost."""
        suffix = Path(name).suffix.lower()
        key = hashlib.sha256(Path(name).name.encode() + b"\n" + body).hexdigest()
        headers = {
            "Content-Type": MEDIA_TYPES.get(suffix, "application/octet-stream"),
            "Idempotency-Key": key,
        }
        answer = self._call("POST", "/jobs", data=body, headers=headers)
        if answer.status_code == 422 and is_problem(answer):
            return refused(document_of(answer))
        document = self._known(answer, "jobs", "job")
        shown = document.get("jobs") or [document]
        return [Submitted(str(one.get("job")), str(one.get("state"))) for one in shown]

    def status(self, job: str) -> View | None:
        if not is_job_id(job):
            return None
        answer = self._call("GET", f"/jobs/{job}")
        if says_no_job(answer):
            return None
        view = self._known(answer, "state")
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
        query = {"limit": str(min(wanted.limit, PAGE)), **_filters(wanted)}
        while True:
            page = self._known(self._call("GET", "/jobs", params=query), "jobs")
            rows = page.get("jobs") or []
            yield [row for row in rows if not wanted.states or row["state"] in wanted.states]
            if not page.get("next"):
                return
            query["cursor"] = str(page["next"])

    def convert(self, body: bytes, name: str, to: str) -> list[Mapping[str, Any]]:
        """The jobs of a job file for the model `to`, each with its notes. Raises Refused."""
        headers = {"Content-Type": MEDIA_TYPES.get(Path(name).suffix.lower(), "")}
        path = f"/models/{quote(to, safe='')}/convert"
        answer = self._call("POST", path, data=body, headers=headers)
        refuse(answer)
        if answer.status_code == 404 and is_problem(answer):
            if document_of(answer).get("title") == "No such model":
                raise Refused(str(document_of(answer).get("detail")))
            raise not_offered("the command convert")
        return list(expect(answer, self._url, "jobs")["jobs"] or [])

    def decide(self, job: str, decision: str) -> Submitted:
        made, answered = self._changed(job, f"lost-call/{decision}")
        return Submitted(str(made.get("job")), str(made.get("state")), answered == 202)

    def cancel(self, job: str) -> View:
        return self._changed(job, "cancel")[0]

    def adopt(self, job: str, task: str) -> View:
        return self._changed(job, f"adopt/{quote(task, safe='')}")[0]

    def retry(self, job: str) -> Submitted:
        if self.status(job) is None:
            raise Refused(NO_JOB)
        made, answered = self._changed(job, "retry")
        return Submitted(str(made.get("job")), str(made.get("state")), answered == 202)

    def events(self, job: str) -> list[View] | None:
        if self.status(job) is None:
            return None
        answer = self._call("GET", f"/jobs/{job}/events")
        if is_problem(answer) and answer.status_code == 404:
            raise not_offered("logs")
        return list(expect(answer, self._url, "events")["events"] or [])

    def webhooks(self) -> Mapping[str, Any]:
        answer = self._call("GET", "/webhooks")
        return self._offered(answer, "webhooks")

    def redeliver(self, job: str) -> int:
        if not is_job_id(job):
            raise Refused(NO_JOB)
        answer = self._call("POST", f"/jobs/{job}/redeliver")
        return int(self._offered(answer, "try")["try"])

    def test_webhook(self, webhook: str) -> Mapping[str, Any]:
        return self._of_webhook("test", webhook, "delivered")

    def enable_webhook(self, webhook: str) -> bool:
        return bool(self._of_webhook("enable", webhook, "enabled")["enabled"])

    def webhook_secrets(self, webhook: str) -> list[str]:
        return list(self._of_webhook("secret", webhook, "secrets")["secrets"])

    def _of_webhook(self, verb: str, webhook: str, name: str) -> dict[str, Any]:
        answer = self._call("POST", f"/webhooks/{verb}", json={"webhook": webhook})
        return self._offered(answer, name)

    def _offered(self, answer: requests.Response, name: str) -> dict[str, Any]:
        """The document of an answer of an endpoint that older deployments lack. Raises Refused."""
        refuse(answer)
        if answer.status_code in (404, 405) and is_problem(answer):
            raise not_offered("the command webhooks")
        return expect(answer, self._url, name)

    def image(self, view: View, image: Mapping[str, Any], start: int) -> Iterator[bytes]:
        links = {one.get("key"): one.get("url") for one in view.get("images") or ()}
        url = image.get("url") or links.get(image.get("key"))
        if not url:
            raise not_offered("links to images")
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            # The link is signed by itself; the token is for the API alone.
            with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
                if answer.status_code == 404:
                    raise Refused(f"{image.get('key')} does not lie in the bucket any more")
                if answer.status_code not in (200, 206):
                    raise Trouble(f"the image's link answered HTTP {answer.status_code}.")
                if start and answer.status_code == 200:
                    raise Trouble("the image's link cannot go on in the middle.")
                yield from answer.iter_content(PIECE)
        except requests.RequestException as error:
            raise Trouble(f"the image could not be fetched ({type(error).__name__}).") from None

    def _changed(self, job: str, verb: str) -> tuple[View, int]:
        """The job's view and the answer's HTTP status. Raises Refused."""
        if not is_job_id(job):
            raise Refused(NO_JOB)
        answer = self._call("POST", f"/jobs/{job}/{verb}")
        refuse(answer)
        if answer.status_code in (404, 405) and is_problem(answer):
            self.status(job)  # tells a wrong address, where not even this is answered
            raise not_offered(f"the command {verb.partition('/')[0]}")
        return expect(answer, self._url, "state"), answer.status_code

    def _known(self, answer: requests.Response, *names: str) -> dict[str, Any]:
        """The document of an answer of an endpoint that every deployment has. Raises Trouble."""
        if answer.status_code in (404, 405) or is_elsewhere(answer):
            raise not_the_api(self._url, answer)
        return expect(answer, self._url, *names)

    def _call(self, method: str, path: str, **more: Any) -> requests.Response:
        try:
            return self._session.request(
                method, self._url + path, timeout=TIMEOUT, allow_redirects=False, **more
            )
        except NO_ADDRESS as error:
            raise unreachable(self._url, error) from None


def _filters(wanted: Wanted) -> dict[str, str]:
    query = {"model": wanted.model or ""}
    if len(wanted.states) == 1:
        query["state"] = wanted.states[0]
    if wanted.since:
        query["since"] = iso(wanted.since)
    return {name: value for name, value in query.items() if value}
