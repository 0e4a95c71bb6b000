"""The laptop's servers are for programs of this computer and of this user.

They trust who reaches them, so a web page that the user happens to visit must not: a browser sends
"simple" requests to any address without asking, and a name that somebody else owns may be made to
lead here (DNS rebinding). What gives a page away are the headers Origin and Sec-Fetch-Site, which
it cannot change, and a Host that is neither an address nor localhost (Fetch standard).
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from aiohttp import web


def keep_files_private() -> None:
    """Let what this process and its children create be read by this user alone."""
    os.umask(0o077)


def refusal(request: web.Request, *, pages: bool) -> str:
    """Why the request is refused; empty where it is not.

    `pages`: pages of other origins may ask, because a token, a signature or a CORS rule decides.
    """
    if not _is_here(request.host):
        return (
            f"the request's Host is {request.host[:100]!r}; this server answers to addresses such"
            " as 127.0.0.1 and to localhost"
        )
    origin = request.headers.get("Origin")
    foreign = origin is not None and _authority(origin) != request.host
    site = request.headers.get("Sec-Fetch-Site", "none")
    if not pages and (foreign or site not in ("none", "same-origin")):
        return "a web page of another origin may not ask this; ask from a program"
    return ""


def _authority(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _is_here(host: str) -> bool:
    """Whether a Host is an address, or a name that only leads to this computer (RFC 6761), or one
    of Alibaba Cloud, which nobody else makes lead here: SDKs send those through a proxy setting.

    No name of the DNS ends with a label of digits, so a bucket before an address is fine.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    last = name.rpartition(".")[2]
    is_address = ":" in name or (last.isascii() and last.isdigit())
    return is_address or last == "localhost" or name.endswith(".aliyuncs.com")
