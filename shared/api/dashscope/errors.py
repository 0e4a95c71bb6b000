"""Refusals in the service's own words (error code page, 2025-12-26; task management page)."""

from __future__ import annotations


class DashScopeError(Exception):
    """A request that is refused: HTTP status, the service's code, and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def token_refused(given: str) -> DashScopeError:
    """No token, or none of ours."""
    text = "Invalid API-key provided." if given else "No API-key provided."
    return DashScopeError(401, "InvalidApiKey", text)


def synchronous() -> DashScopeError:
    """Create without the header X-DashScope-Async: enable."""
    return DashScopeError(
        403, "AccessDenied", "current user api does not support synchronous calls."
    )


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
    text = f"Model not exist. ({name[:80]!r}; known here: {', '.join(known)})"
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
