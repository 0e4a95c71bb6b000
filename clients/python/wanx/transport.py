"""Requests to the API, repeated where that is safe, and whether it was the API that answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from wanx.errors import ImageFailed, NotTheApi, Refused, UnknownJob, Unreachable, WanxError
from wanx.results import Image, Problem

TIMEOUT = (3.05, 40)
"""Seconds to connect, and without a byte of an answer; `?wait=30` stays below it."""
NO_ANSWER = (requests.RequestException, HTTPError, UnicodeError)
"""What an address ends in that nobody answers at, or that cannot be one."""
PASSING = (408, 413, 429, 500, 502, 503, 504)
"""What Function Compute, or a proxy, answers in the API's place."""
AGAIN = (429, 502, 503, 504)
"""Answers after which the same request may succeed soon."""
LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
FIRST_PAUSE = 0.25
"""Seconds before the first repetition; each further pause is twice as long."""
LONGEST_PAUSE = 30.0
PIECE = 256 * 1024
KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Answer:
    """A good answer: status and document."""

    status: int
    document: dict[str, Any]


class Transport:
    """One API. `sleep` takes seconds; a request is sent at most `attempts` times."""

    def __init__(
        self,
        url: str,
        token: str,
        session: requests.Session,
        sleep: Callable[[float], None],
        attempts: int,
    ) -> None:
        self.url = url.rstrip("/")
        if "?" in url or "#" in url:  # which may hold a secret, so that it is not shown
            raise WanxError(
                "the address holds a query or a fragment (`?…` or `#…`); leave it out, and give the"
                " token apart from it."
            )
        if not self.url.startswith(("http://", "https://")):
            raise WanxError(f"{url} is not an API address; write http:// or https:// before it.")
        if "@" in self.url.split("://", 1)[1].partition("/")[0]:
            raise WanxError("the address holds a user name; the token is given apart from it.")
        if not token or not token.isascii() or not token.isprintable():
            raise WanxError("the token is empty or has characters that no token has.")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session, self._sleep, self._attempts = session, sleep, max(1, attempts)

    def ask(
        self,
        method: str,
        path: str,
        *fields: str,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A good answer that has one of `fields`. GET, and POST with a key, are repeated.

        Raises Unreachable, NotTheApi, UnknownJob, Refused.
        """
        more = {"data": body, "params": params, "headers": {**self._headers, **(headers or {})}}
        send = partial(self._send, method, path, **more)
        safe = method == "GET" or KEY in (headers or {})
        return self._read(self._answered(send, self._attempts if safe else 1), fields)

    def fetch(self, image: Image, start: int = 0) -> Iterator[bytes]:
        """An image's bytes from `start` on, in pieces. Raises ImageFailed."""
        if not image.url:
            raise ImageFailed(f"the API gave no link to {image.key}.")
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            # The link is signed by itself; the token is for the API alone.
            with requests.get(image.url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
                _refuse_link(image, answer.status_code, start)
                yield from answer.iter_content(PIECE)
        except requests.RequestException as error:
            kind = type(error).__name__
            raise ImageFailed(f"the image could not be fetched ({kind}).") from None

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        address = self.url + path
        return self._session.request(
            method, address, timeout=TIMEOUT, allow_redirects=False, **more
        )

    def _answered(self, send: Callable[[], requests.Response], attempts: int) -> requests.Response:
        """The first answer that stands, or the last one. Raises Unreachable."""
        for attempt in range(1, attempts + 1):
            pause = FIRST_PAUSE * 2 ** (attempt - 1)
            try:
                answer = send()
            except NO_ANSWER as error:
                if attempt == attempts or not isinstance(error, LOST):
                    raise Unreachable(self.url, type(error).__name__) from None
            else:
                if attempt == attempts or answer.status_code not in AGAIN:
                    return answer
                pause = _asked_for(answer, pause)
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _read(self, answer: requests.Response, fields: tuple[str, ...]) -> Answer:
        document, status = _document(answer), answer.status_code
        if status in (200, 201, 202):
            if not any(name in document for name in fields):
                raise NotTheApi(self.url, status)
            return Answer(status, document)
        if _is_problem(answer, document):
            problem = Problem.of(status, document)
            unknown = status == 404 and problem.title == "No such job"
            raise UnknownJob(problem) if unknown else Refused(problem)
        if status in PASSING:
            raise Refused(Problem(status))
        raise NotTheApi(self.url, status)


def _document(answer: requests.Response) -> dict[str, Any]:
    """The JSON object in an answer, or an empty one."""
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _is_problem(answer: requests.Response, document: Mapping[str, Any]) -> bool:
    """Whether an error is in our API's form (RFC 9457)."""
    kind = answer.headers.get("Content-Type", "")
    return kind.startswith("application/problem+json") and "title" in document


def _asked_for(answer: requests.Response, otherwise: float) -> float:
    """The seconds of Retry-After, bounded."""
    text = answer.headers.get("Retry-After", "")
    asked = float(text) if text.isascii() and text.isdigit() and len(text) < 9 else otherwise
    return min(asked, LONGEST_PAUSE)


def _refuse_link(image: Image, status: int, start: int) -> None:
    if status == 404:
        raise ImageFailed(f"{image.key} does not lie in the bucket any more", status)
    if status not in (200, 206):
        raise ImageFailed(f"the image's link answered HTTP {status}.", status)
    if start and status == 200:
        raise ImageFailed("the image's link cannot go on in the middle.", status)
