"""The rules of the bucket: which objects OSS removes by itself, and which pages may use it.

Facts: GetBucketLifecycle and GetBucketCors pages of OSS.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.bucket_checks import Bad, Bucket, Cause
from shared.platform.slim_imports import oss2, requests

STATE = "state/"
ENABLED = "Enabled"
PAGE = ("GET", "PUT")
"""What a page asks of the bucket."""


@dataclass(frozen=True)
class Removal:
    """Objects below `prefix` are removed so many days after their last change; 0: at a date."""

    prefix: str
    days: int


def removals(bucket: Bucket) -> list[Removal]:
    """What the lifecycle rules remove. Raises Bad."""
    rules = _asked(bucket.store.bucket.get_bucket_lifecycle, "lifecycle rules")
    return [
        Removal(rule.prefix or "", rule.expiration.days or 0)
        for rule in (rules.rules if rules else ())
        if rule.status == ENABLED and rule.expiration is not None
    ]


def wrong_removals(found: Iterable[Removal], least: Mapping[str, int]) -> Iterator[str]:
    """What the rules remove that must stay, in words."""
    for one in found:
        if STATE.startswith(one.prefix):
            yield f"a rule for {one.prefix or 'all objects'} removes all of {STATE}"
            continue
        concerned = [
            key for key in least if key.startswith(one.prefix) or one.prefix.startswith(key)
        ]
        if one.prefix.startswith(STATE) and not concerned:
            yield f"a rule removes {one.prefix}, where no object may go because of its age"
        for key in concerned:
            if one.days < least[key]:
                yield f"a rule removes {one.prefix} after {one.days} d, not {least[key]} or more"


def lacking(found: Iterable[Removal], wanted: Iterable[str]) -> list[str]:
    """Folders that no rule empties."""
    emptied = [one.prefix for one in found]
    return [key for key in wanted if not any(key.startswith(prefix) for prefix in emptied)]


def lets_a_page_in(bucket: Bucket, origin: str, methods: Collection[str] = PAGE) -> bool:
    """Whether pages of this origin, of any if it is empty, may use these methods. Raises Bad."""
    rules = _asked(bucket.store.bucket.get_bucket_cors, "CORS rules")
    return any(
        set(methods) <= set(rule.allowed_methods)
        and any(not origin or allowed in ("*", origin) for allowed in rule.allowed_origins)
        for rule in (rules.rules if rules else ())
    )


def _asked(ask: Any, what: str) -> Any:
    """The answer; None where there are no such rules."""
    try:
        return ask()
    except oss2.exceptions.ServerError as error:
        if error.status == 404:
            return None
        raise Bad(
            f"the {what} cannot be read ({error.status} {error.code}); give the RAM user the policy"
            " of docs/permissions.md (operator).",
            Cause.REFUSED if error.status == 403 else Cause.BUSY,
        ) from None
    except (oss2.exceptions.OssError, requests.RequestException) as error:
        raise Bad(
            f"the {what} cannot be read ({type(error).__name__}); try again.", Cause.UNREACHABLE
        ) from None
