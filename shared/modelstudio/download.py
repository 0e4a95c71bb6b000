"""Fetching result images: GET only, from the hosts results come from, bounded in size.

An image may have tens of megabytes and several are fetched at once, so they go to disk (the
function has 512 MB of it), not into memory.
"""

from __future__ import annotations

import hashlib
import logging
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from shared.modelstudio.answers import RETENTION, pieces
from shared.platform.addresses import may_answer, peer_of
from shared.platform.clock import Clock, SystemClock
from shared.platform.logs import about
from shared.platform.slim_imports import requests
from shared.storage.objects import Slice

CHUNK = 256 * 1024
IN_MEMORY = 1024 * 1024
"""Bytes of a file that are kept in memory; a larger one goes to disk."""
TIMEOUT = (3.05, 30)
REFUSED = 1800.0
"""Seconds for which even a refused download is tried again: the image is paid for."""
TRUSTED_DOMAIN = ".aliyuncs.com"
FOR_GOOD = frozenset({"ResultTooLarge", "ResultHostRefused"})
"""What no other scheme would change."""
LONGEST = 120.0
"""Seconds for one image as a whole."""
_AFTER_HOST = re.compile("[/?#]")

log = logging.getLogger(__name__)


class DownloadFailed(Exception):
    """An image could not be fetched.

    `code` is one of `ours` in schemas/errors.yaml. `retry_for`: trying again makes sense until so
    many seconds after the task's submission.
    """

    def __init__(self, code: str, message: str, *, retry_for: float) -> None:
        super().__init__(message)
        self.code = code
        self.retry_for = retry_for


@dataclass(frozen=True)
class Download:
    """A file that was fetched whole; a context manager that removes it. `md5` and `sha256` are
    digests of its content."""

    file: IO[bytes]
    size: int
    md5: bytes
    sha256: str

    def part(self, start: int, length: int) -> Slice:
        """Up to `length` bytes from `start`."""
        self.file.seek(start)
        return Slice(self.file.read(length), self.size, "")

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *_error: object) -> None:
        self.file.close()


@dataclass(frozen=True)
class Hosts:
    """Where a model's results lie: on the `listed` hosts; `open`: no list of them is published, so
    any host with a public address will do, over https."""

    listed: tuple[str, ...] = ()
    open: bool = False

    def lists(self, host: str) -> bool:
        return host in self.listed

    def trusts(self, host: str) -> bool:
        """Whether the host is listed or the provider's: a list may grow, and the image is paid."""
        return self.lists(host) or host.endswith(TRUSTED_DOMAIN)


def _usual_peer() -> Callable[[requests.Response], str | None]:
    return peer_of


@dataclass
class Downloader:
    """Fetches images, each at most `limit` bytes. `session` is the network seam.

    `own_host` is the service's own (on a laptop: 127.0.0.1), which may have any address. `peer_of`
    tells which address an answer came from.
    """

    session: requests.Session
    limit: int
    own_host: str = ""
    clock: Clock = field(default_factory=SystemClock)
    peer_of: Callable[[requests.Response], str | None] = field(default_factory=_usual_peer)

    def fetch(self, url: str, hosts: Hosts) -> Download:
        """The file behind a result URL, which is used as it was given.

        A signed URL is damaged by any change of host, path or query (inpainting and wan2.5 API
        references show both plain and signed ones). One that says http is tried with https first,
        which changes none of them; plain http is left to the hosts that are trusted. Raises
        DownloadFailed.
        """
        host = self._host(url, hosts)
        if host == self.own_host or not url.startswith("http://"):
            return self._fetch(url, host, hosts)
        try:
            return self._fetch(_with_https(url), host, hosts)
        except DownloadFailed as error:
            if not hosts.trusts(host) or error.code in FOR_GOOD:
                raise
        return self._fetch(url, host, hosts)

    def is_unlisted(self, url: str, hosts: Hosts) -> bool:
        """Whether an image came from a host that no document lists."""
        host = host_of(url) or ""
        return host != self.own_host and not hosts.lists(host)

    def _fetch(self, url: str, host: str, hosts: Hosts) -> Download:
        try:
            with self.session.get(
                url,
                stream=True,
                timeout=TIMEOUT,
                allow_redirects=False,
                headers={"Accept-Encoding": "identity"},
            ) as answer:
                self._check_peer(answer, host, hosts)
                return self._body(answer)
        except (requests.RequestException, HTTPError, ValueError) as error:
            message = f"The download broke off ({type(error).__name__})."
            raise DownloadFailed("DownloadFailed", message, retry_for=RETENTION) from None

    def _host(self, url: str, hosts: Hosts) -> str:
        """The host that is going to be dialled, if a result may come from it."""
        host = host_of(url)
        if host is None or not url.startswith(("http://", "https://")):
            raise _refused(host or url[:80])
        if host == self.own_host or hosts.lists(host):
            return host
        if not hosts.open and not hosts.trusts(host):
            raise _refused(host)
        log.warning(
            "result host %s is not in the catalogue; it is used all the same",
            host,
            extra=about("host.unlisted", host=host),
        )
        return host

    def _check_peer(self, answer: requests.Response, host: str, hosts: Hosts) -> None:
        """Refuse an answer from this machine, its network or the metadata service.

        The address is the one that was dialled, so a name that leads elsewhere since it was looked
        up deceives nobody. A host that is trusted may have an address inside the provider's network
        (OSS, regions and endpoints page).
        """
        if host == self.own_host:
            return
        peer = self.peer_of(answer)
        if peer is None and hosts.trusts(host):
            return
        if peer is None or not may_answer(peer, public=not hosts.trusts(host)):
            raise _inside(host, peer)

    def _body(self, answer: requests.Response) -> Download:
        if answer.status_code in (403, 404, 410):
            message = f"The result URL answers {answer.status_code}: it has expired or was damaged."
            raise DownloadFailed("ResultExpired", message, retry_for=REFUSED)
        if answer.status_code != 200:
            message = f"The result URL answers {answer.status_code}."
            raise DownloadFailed("DownloadFailed", message, retry_for=RETENTION)
        file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 -- the caller closes it
        try:
            return self._written(answer, file)
        except BaseException:
            file.close()
            raise

    def _written(self, answer: requests.Response, file: IO[bytes]) -> Download:
        md5, sha256 = hashlib.md5(), hashlib.sha256()
        size, end = 0, self.clock.monotonic() + LONGEST
        for chunk in pieces(answer, CHUNK):
            size += file.write(chunk)
            md5.update(chunk)
            sha256.update(chunk)
            if size > self.limit:
                message = f"The image is larger than {self.limit} bytes."
                raise DownloadFailed("ResultTooLarge", message, retry_for=0)
            if self.clock.monotonic() > end:
                message = f"The image was not there after {LONGEST:.0f} s."
                raise DownloadFailed("DownloadFailed", message, retry_for=RETENTION)
        promised = answer.headers.get("Content-Length")
        if promised and promised.isdigit() and int(promised) != size:
            message = f"Only {size} of {promised} bytes arrived."
            raise DownloadFailed("DownloadFailed", message, retry_for=RETENTION)
        return Download(file, size, md5.digest(), sha256.hexdigest())


def host_of(url: str) -> str | None:
    """The host of a URL, lower case; None where two parsers could read different ones.

    The address that is judged must be the one that is dialled: urllib3, which dials, ends a host
    at a backslash, and `urllib.parse` does not. What comes after the host deceives neither, so an
    image that is paid for is not lost for a name like `a@b.png`.
    """
    authority = _AFTER_HOST.split(url.partition("://")[2], maxsplit=1)[0]
    if "\\" in url or not url.isprintable() or not authority.isascii():
        return None
    if any(sign in authority for sign in '@ "<>'):
        return None
    try:
        ours, dialled = urlsplit(url).hostname, parse_url(url).host
    except (ValueError, LocationParseError):
        return None
    return ours if ours and dialled and ours == dialled.lower().strip("[]") else None


def _with_https(url: str) -> str:
    """The same address over https, at its usual port."""
    authority, slash, rest = url.removeprefix("http://").partition("/")
    return f"https://{authority.removesuffix(':80')}{slash}{rest}"


def _refused(what: str) -> DownloadFailed:
    message = f"The service named a result on host {what!r}, which no document lists."
    return DownloadFailed("ResultHostRefused", message, retry_for=0)


def _inside(host: str, peer: str | None) -> DownloadFailed:
    found = f"the address {peer}" if peer else "an address that cannot be told"
    message = (
        f"The service named a result on host {host!r}, which has {found}: results are fetched from"
        " the internet alone."
    )
    return DownloadFailed("ResultHostRefused", message, retry_for=0)
