"""Refusals in the service's own words (error code page, 2025-12-26; task management page)."""

from __future__ import annotations

from collections.abc import Mapping

from shared.jobfile.wording import nearest

STAY = {"x-should-retry": "false"}
"""Tells the SDK's second client that sending the request again is no cure (SDK source:
`v2/transport/_retry.py`); otherwise it repeats a create after most error statuses."""


class DashScopeError(Exception):
    """A request that is refused: HTTP status, the service's code, a message, and headers."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}


def token_refused(given: str) -> DashScopeError:
    """No token, or none of ours."""
    text = "Invalid API-key provided." if given else "No API-key provided."
    return DashScopeError(401, "InvalidApiKey", text)


def synchronous() -> DashScopeError:
    """Create without the header X-DashScope-Async: enable."""
    return DashScopeError(
        403, "AccessDenied", "current user api does not support synchronous calls."
    )


def asynchronous() -> DashScopeError:
    """The header X-DashScope-Async: enable, sent to a path that answers with the result."""
    return DashScopeError(
        403, "AccessDenied", "current user api does not support asynchronous calls."
    )


def streaming() -> DashScopeError:
    """A request for server-sent events."""
    text = "server-sent events are not offered here; leave out stream and X-DashScope-SSE"
    return outside_specification(text)


def timed_out(job: str, seconds: float, status_url: str) -> DashScopeError:
    """A synchronous call whose job goes on; the same call waits for the same job."""
    text = (
        f"Request timed out, please try again later. (The job {job} was not over after"
        f" {seconds:.0f} s and goes on; the same request within an hour waits for the same job."
        f" Fetch it with GET {status_url}?wait=30, or as a task with GET /api/v1/tasks/{job}.)"
    )
    return DashScopeError(408, "RequestTimeOut", text)


def erased(job: str) -> DashScopeError:
    """A request whose job was erased: its results are gone, and it is not made again."""
    text = (
        f"The job of this request, {job}, was erased: its results are gone. Send the request under"
        " another Idempotency-Key, or a changed one, to have it run and paid for again."
    )
    return DashScopeError(410, "JobErased", text, STAY)


def too_many_waiting() -> DashScopeError:
    """As many calls wait as one token, or one instance, may have waiting."""
    text = (
        "Requests rate limit exceeded, please try again later. (Too many calls wait for their"
        " results here already; no job was made. Send it again in a few seconds, or ask for a"
        " task: X-DashScope-Async: enable.)"
    )
    return DashScopeError(429, "Throttling.RateQuota", text, {"Retry-After": "5"})


def key_invalid(expected: str) -> DashScopeError:
    """An Idempotency-Key that is none."""
    return outside_specification(f"Idempotency-Key must be {expected}")


def key_reused() -> DashScopeError:
    """An Idempotency-Key that was used for another request."""
    text = "the Idempotency-Key was used for another request; use a new key for each request"
    return DashScopeError(409, "InvalidParameter", text, STAY)


def wrong_path() -> DashScopeError:
    """A create path that no image model has."""
    return DashScopeError(400, "InvalidParameter", "url error, please check url!")


def body_invalid(detail: str) -> DashScopeError:
    """A body that cannot be read; `detail` is ours."""
    text = "Required body invalid, please check the request body format."
    return DashScopeError(400, "InvalidParameter", f"{text} ({detail})")


def field_invalid(names: str, detail: str) -> DashScopeError:
    """Fields that are missing or of a wrong JSON type; `detail` is ours."""
    text = (
        f"Required parameter({names}) missing or invalid, please check the request parameters."
        f" ({detail})"
    )
    return DashScopeError(400, "InvalidParameter", text)


def outside_specification(detail: str) -> DashScopeError:
    """A value that is not among those allowed."""
    text = f"the parameters must conform to the specification: {detail}."
    return DashScopeError(400, "InvalidParameter", text)


def model_unknown(name: str, known: list[str]) -> DashScopeError:
    """`Model not exist.` is the documented text; what follows is ours."""
    near = nearest(name, known)
    meant = f"did you mean {near}? " if near else ""
    text = f"Model not exist. ({name[:80]!r}; {meant}GET /models lists the {len(known)} known here)"
    return DashScopeError(400, "InvalidParameter", text)


def too_large(limit: int) -> DashScopeError:
    """A body above `limit` bytes."""
    text = f"Payload Too Large (at most {limit} bytes are taken; upload images to the bucket)"
    return DashScopeError(400, "BadRequest.TooLarge", text)


def not_pending() -> DashScopeError:
    """Cancel of what is not PENDING, or unknown."""
    text = "Failed to cancel the task, please confirm if the task is in PENDING status."
    return DashScopeError(400, "UnsupportedOperation", text)


def policy_expired() -> DashScopeError:
    """An upload under a policy whose time is over."""
    return DashScopeError(403, "AccessDenied", "Invalid according to Policy: Policy expired.")


def policy_refused(detail: str) -> DashScopeError:
    """An upload that its policy does not allow."""
    return DashScopeError(403, "AccessDenied", f"Invalid according to Policy: {detail}")


def upload_exists() -> DashScopeError:
    """An upload over another file."""
    text = (
        "The object you specified already exists and can not be overwritten. (Another file of"
        " the same name was sent under this policy; ask for a new policy, or rename the file.)"
    )
    return DashScopeError(409, "FileAlreadyExists", text)


def unavailable(detail: str) -> DashScopeError:
    """The SDK goes on polling after a 503 (SDK source)."""
    return DashScopeError(503, "ServiceUnavailable", f"{detail} Please try again in a few seconds.")
