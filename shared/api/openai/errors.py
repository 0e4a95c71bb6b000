"""Refusals in OpenAI's form: `{"error": {message, type, param, code}}` (its API reference)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.jobfile.wording import nearest

STAY = {"x-should-retry": "false"}
"""Tells the official clients that sending the request again is no cure; otherwise they repeat it
twice after 408, 409, 429 and 5xx (`openai/_base_client.py`)."""
INVALID, REFUSED = "invalid_request_error", "image_generation_user_error"
_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    504: "timeout_error",
}
_CODES: Mapping[int, str] = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class OpenAIError(Exception):
    """A request that is refused. `param`: the field that is wrong; `headers` beside the answer;
    `extra`: members of the error that OpenAI's has not."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "",
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.kind, self.headers, self.extra = kind, dict(headers or {}), dict(extra or {})

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        usual = _TYPES.get(self.status) or (INVALID if self.status < 500 else "server_error")
        code = self.code or _CODES.get(self.status)
        error = {"message": self.message, "type": self.kind or usual, "param": self.param}
        return {"error": {**error, "code": code, **self.extra}}


def token_refused(given: str) -> OpenAIError:
    """No token, or none of ours."""
    what = "This API key is none of this deployment's" if given else "There is no API key"
    message = f"{what}; give one of its tokens (Authorization: Bearer TOKEN)."
    return OpenAIError(401, message, code="invalid_api_key")


def body_invalid(detail: str) -> OpenAIError:
    """A body that cannot be read."""
    return OpenAIError(400, detail, code="invalid_body")


def field_invalid(param: str, detail: str) -> OpenAIError:
    """A field that is wrong, before a job is made of it."""
    return OpenAIError(400, detail, code="invalid_value", param=param)


def model_unknown(name: str, known: Iterable[str]) -> OpenAIError:
    """A model that is not in the catalogue."""
    names = list(known)
    near = nearest(name, names)
    cure = f"did you mean {near}?" if near else f"use one of {', '.join(names)}"
    message = f"The model {name[:80]!r} is not known; {cure}"
    return OpenAIError(404, message, code="model_not_found", param="model")


def too_large(limit: int) -> OpenAIError:
    """A body, or the files in it, above `limit` bytes."""
    message = (
        f"A request may have at most {limit} bytes, images included; make the images smaller, or"
        " upload them (POST /uploads) and name them in a JSON body: image: oss:///inputs/…"
    )
    return OpenAIError(413, message, code="too_large")


def too_many_waiting() -> OpenAIError:
    """As many calls wait as one token, or one instance, may have waiting."""
    message = (
        "Too many calls wait for their images here already; no job was made. Send it again in a few"
        " seconds, or submit a job file (POST /jobs), which waits for nobody."
    )
    return OpenAIError(429, message, code="too_many_waiting", headers={"Retry-After": "5"})


def key_invalid(expected: str) -> OpenAIError:
    """An Idempotency-Key that is none."""
    return field_invalid("Idempotency-Key", f"Idempotency-Key must be {expected}.")


def key_reused() -> OpenAIError:
    """An Idempotency-Key that was used for another request."""
    message = "The Idempotency-Key was used for another request; use a new key for each request."
    return OpenAIError(409, message, code="idempotency_key_reused", kind=INVALID, headers=STAY)


def timed_out(job: str, seconds: float, status_url: str) -> OpenAIError:
    """A call whose job goes on."""
    message = (
        f"The job {job} was not over after {seconds:.0f} s and goes on. Fetch it with GET"
        f" {status_url}?wait=30, or send the same request again within an hour: it waits for the"
        " same job, which is paid once."
    )
    extra = {"job": job, "status_url": status_url}
    return OpenAIError(504, message, code="job_not_over", headers=STAY, extra=extra)


def erased(job: str) -> OpenAIError:
    """A call whose job was erased: its images are gone, and it is not made again."""
    message = (
        f"The job of this request, {job}, was erased: its images are gone. Send the request under"
        " another Idempotency-Key, or a changed one, to have images made and paid for again."
    )
    return OpenAIError(410, message, code="job_erased", headers=STAY, extra={"job": job})


def answer_too_large(job: str, size: int, limit: int, status_url: str) -> OpenAIError:
    """Images that an answer cannot hold; they are there."""
    message = (
        f"The images of the job {job} take {size} bytes as b64_json, and an answer holds {limit}."
        " They are made and kept: send the same request with response_format: url, which gets this"
        f" job's images and makes no others, or look at GET {status_url}."
    )
    extra = {"job": job, "status_url": status_url}
    return OpenAIError(
        400, message, code="answer_too_large", param="response_format", headers=STAY, extra=extra
    )
