"""What the HTTP API answered, and whether it was our API that answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from cli.backends.protocol import Submitted
from cli.trouble import Refused, Trouble, WrongPlace

NO_ADDRESS = (requests.RequestException, HTTPError, UnicodeError)
"""What an address ends in that nobody answers at, or that cannot be one."""
NO_JOB = "there is no such job; `wanx list` shows those there are"
PASSING = (408, 413, 429, 500, 502, 503, 504)
"""What Function Compute, or a proxy, answers in the API's place."""


def document_of(answer: requests.Response) -> dict[str, Any]:
    """The JSON object in an answer, or an empty one."""
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def is_problem(answer: requests.Response) -> bool:
    """Whether an error is in our API's form (RFC 9457)."""
    kind = answer.headers.get("Content-Type", "")
    return kind.startswith("application/problem+json") and "title" in document_of(answer)


def says_no_job(answer: requests.Response) -> bool:
    """Whether our API knows no such job: an address that is wrong is answered otherwise."""
    title = str(document_of(answer).get("title"))
    return answer.status_code == 404 and is_problem(answer) and title == "No such job"


def is_elsewhere(answer: requests.Response) -> bool:
    """Whether another endpoint of our API answered, which reads other parameters."""
    title = document_of(answer).get("title")
    return answer.status_code == 400 and is_problem(answer) and title == "Unknown parameter"


def is_foreign(answer: requests.Response) -> bool:
    """Whether this is surely not an answer of our API."""
    if answer.status_code in (200, 201, 202):
        return not document_of(answer)
    return not is_problem(answer) and answer.status_code not in PASSING


def expect(answer: requests.Response, url: str, *names: str) -> dict[str, Any]:
    """The document of an answer that is as it should be, with one of these fields.

    Raises Trouble.
    """
    document = document_of(answer)
    if is_foreign(answer):
        raise not_the_api(url, answer)
    if answer.status_code in (200, 201, 202):
        if not any(name in document for name in names):
            raise not_the_api(url, answer)
        return document
    if answer.status_code == 401:
        raise Trouble("the API refuses the token; give the right one with --token or API_TOKEN.")
    detail = document.get("detail") or document.get("title") or "no explanation"
    raise Trouble(f"the API answered HTTP {answer.status_code}: {detail}")


def refuse(answer: requests.Response) -> None:
    """Raise Refused where the API says that this one job cannot have what was asked for."""
    if not is_problem(answer):
        return
    if says_no_job(answer):
        raise Refused(NO_JOB)
    if answer.status_code in (409, 422):
        document = document_of(answer)
        found = [str(one.get("message")) for one in document.get("violations") or ()]
        raise Refused("; ".join(found) or str(document.get("detail")))


def refused(document: Mapping[str, Any]) -> list[Submitted]:
    """The 422 names the violations of each job that was refused, and those that were accepted."""
    by_job: dict[str, list[Mapping[str, Any]]] = {}
    job = ""
    for one in document.get("violations") or ():
        job = str(one.get("job") or job)  # what counts the rest names no job
        by_job.setdefault(job, []).append(one)
    wrong = [Submitted(job, "REJECTED", None, tuple(all_)) for job, all_ in by_job.items()]
    return wrong + [Submitted(str(job), "QUEUED") for job in document.get("accepted") or ()]


def not_the_api(url: str, answer: requests.Response) -> Trouble:
    """Another server, or another path of ours."""
    return WrongPlace(
        f"{url} is not the API of Wanx Functions (it answered HTTP {answer.status_code}); check the"
        " address: it is the one of the function api, without the path of a page or a job."
    )


def not_offered(what: str) -> Trouble:
    """Our API, but without this endpoint."""
    return Trouble(
        f"this API does not offer {what} (HTTP 404): it is an older deployment."
        " Deploy the functions again, or work against the bucket (OSS_* in the environment)."
    )


def unreachable(url: str, error: Exception) -> Trouble:
    """Nobody answers there."""
    return Trouble(
        f"{url} could not be reached ({type(error).__name__}). Is the address right,"
        " and the laptop cloud up (`wanx up`)?"
    )
