"""Whether the model service could fetch an http(s) address: what its text alone tells."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from urllib.parse import SplitResult, parse_qs, urlsplit

from shared.platform.addresses import is_public_name

_EXPECTED = "http:// or https://, a host and a path, without credentials"
_PUBLIC = "an address that can be reached from the internet"
_OSS_INTERNAL = re.compile(r"-internal\.aliyuncs\.com\.?\Z", re.IGNORECASE)
"""The service cannot reach these (AI try-on plus API reference, error table)."""
_MOST_FIELDS = 100
_COMPACT = "%Y%m%dT%H%M%SZ"


def bad_address(
    text: str, *, ascii_url: bool, own_hosts: Collection[str] | None, now: float
) -> tuple[str, str] | None:
    """What would be right, and what is wrong with the address; None if nothing is.

    `own_hosts` are hosts with port that are reachable, whatever they look like; None if nobody
    knows which are. `now` in seconds since 1970, 0 if nobody knows the time.
    """
    if re.search(r"[\s\x00-\x1f\x7f<>\"]", text):
        return _EXPECTED, "the URL holds a space or another character that must be percent-encoded"
    if ascii_url and not text.isascii():
        message = (
            "the URL holds characters that are not ASCII, such as Chinese; percent-encode them"
        )
        return "a URL of ASCII characters alone", message
    parts = _parts(text)
    if parts is None:
        return _EXPECTED, "the URL names no valid host; write https://host/path"
    if "@" in parts.netloc:
        message = "the URL holds a user name or password, which would be stored; use a signed URL"
        return _EXPECTED, message
    if _OSS_INTERNAL.search(str(parts.hostname)):
        message = "an endpoint inside one region's network; use the one without -internal"
        return _PUBLIC, message
    if not _is_own(parts.netloc.lower(), own_hosts) and not is_public_name(str(parts.hostname)):
        message = (
            f"`{str(parts.hostname)[:80]}` is an address inside a network, which the service cannot"
            " reach; upload the image and write oss:///inputs/name.png"
        )
        return _PUBLIC, message
    return _expired(parts, now) if now else None


def expired(text: str, now: float) -> str | None:
    """What is wrong with a signed URL whose time is over at `now`; None if it is not."""
    parts = _parts(text)
    found = _expired(parts, now) if parts else None
    return found[1] if found else None


def own_hosts(service: str, *endpoints: str) -> frozenset[str] | None:
    """The hosts of our endpoints; None where the model service itself is on this machine, for then
    it reaches what this machine reaches."""
    if (urlsplit(service).hostname or "") in ("127.0.0.1", "::1", "localhost"):
        return None
    return hosts_of(*endpoints)


def hosts_of(*endpoints: str) -> frozenset[str]:
    """The hosts with port of these endpoints, as `own_hosts` holds them."""
    found = (_parts(endpoint) for endpoint in endpoints)
    return frozenset(parts.netloc.lower() for parts in found if parts)


def _parts(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        return parts if parts.hostname and (parts.port is None or parts.port > 0) else None
    except ValueError:
        return None


def _is_own(netloc: str, own_hosts: Collection[str] | None) -> bool:
    """An endpoint itself, or a bucket's name before it."""
    return own_hosts is None or any(f".{netloc}".endswith(f".{host}") for host in own_hosts)


def _expired(parts: SplitResult, now: float) -> tuple[str, str] | None:
    until = _until(parts.query)
    if until is None or until > now:
        return None
    day = f"{datetime.fromtimestamp(until, timezone.utc):%Y-%m-%d %H:%M} UTC"
    message = (
        f"the signed URL expired on {day}; sign it again for longer than the job may wait, or"
        " upload the image and write oss:///inputs/name.png"
    )
    return "a signed URL that has not expired", message


def _until(query: str) -> float | None:
    """When a signed URL ends, in seconds since 1970: OSS (versions 1, 2 and 4) and S3."""
    try:
        fields = parse_qs(query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    held = {name.lower(): values[-1] for name, values in fields.items()}
    if "signature" in held and "expires" in held:
        return _moment(held["expires"])
    for prefix in ("x-oss-", "x-amz-"):
        if f"{prefix}signature" in held and f"{prefix}expires" in held:
            began, expires = held.get(f"{prefix}date"), held[f"{prefix}expires"]
            return _sum(began, expires) if began else _moment(expires)
    return None


def _moment(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 11 else None


def _sum(began: str, seconds: str) -> float | None:
    length = _moment(seconds)
    try:
        start = datetime.strptime(began, _COMPACT).replace(tzinfo=timezone.utc)
        return None if length is None else (start + timedelta(seconds=length)).timestamp()
    except (ValueError, OverflowError):
        return None
