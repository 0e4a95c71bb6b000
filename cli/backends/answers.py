"""What the client of the HTTP API raises, in the words and exit codes of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cli.backends.protocol import Submitted
from cli.trouble import Refused, Trouble, WrongPlace
from wanx import NotTheApi, UnknownJob, Unreachable, WanxError
from wanx import Refused as Answered

NO_JOB = "there is no such job; `wanx list` shows those there are"


@contextmanager
def saying(url: str) -> Iterator[None]:
    """Raise Trouble for what the client raises."""
    try:
        yield
    except NotTheApi as error:
        raise not_the_api(url, error.status) from None
    except Unreachable as error:
        raise unreachable(url, error) from None
    except WanxError as error:
        if isinstance(error, Answered) and error.problem.status == 401:
            said = "the API refuses the token; give the right one with --token or API_TOKEN."
            raise Trouble(said) from None
        raise Trouble(str(error)) from None


@contextmanager
def refusing() -> Iterator[None]:
    """Raise Refused where the API says that this one job cannot have what was asked for."""
    try:
        yield
    except UnknownJob:
        raise Refused(NO_JOB) from None
    except Answered as error:
        if error.problem.status in (409, 422):
            raise Refused(error.problem.text) from None
        raise


def submitted(error: Answered) -> list[Submitted]:
    """The 422 names the violations of each job that was refused, and those that were accepted."""
    if error.problem.status != 422:
        raise error
    by_job: dict[str, list[Mapping[str, Any]]] = {}
    job = ""
    for one in error.problem.violations:
        job = str(one.get("job") or job)  # what counts the rest names no job
        by_job.setdefault(job, []).append(one)
    wrong = [Submitted(job, "REJECTED", None, tuple(all_)) for job, all_ in by_job.items()]
    accepted = error.problem.document.get("accepted") or ()
    return wrong + [Submitted(str(job), "QUEUED") for job in accepted]


def not_the_api(url: str, status: int) -> Trouble:
    """Another server, or another path of ours."""
    return WrongPlace(
        f"{url} is not the API of Wanx Functions (it answered HTTP {status}); check the"
        " address: it is the one of the function api, without the path of a page or a job."
    )


def not_offered(what: str) -> Trouble:
    """Our API, but without this endpoint."""
    return Trouble(
        f"this API does not offer {what} (HTTP 404): it is an older deployment."
        " Deploy the functions again, or work against the bucket (OSS_* in the environment)."
    )


def unreachable(url: str, error: Unreachable) -> Trouble:
    """Nobody answers there."""
    return Trouble(
        f"{url} could not be reached ({error.reason}). Is the address right,"
        " and the laptop cloud up (`wanx up`)?"
    )
