"""Fetching result images: GET only, from the hosts results come from, bounded in size."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.platform.logs import about
from shared.platform.slim_imports import requests

CHUNK = 256 * 1024
TIMEOUT = (3.05, 30)
RETENTION = 24 * 3600.0
"""Seconds for which task and images exist, counted from submission (wan2.5 API reference)."""
REFUSED = 1800.0
"""Seconds for which even a refused download is tried again: the image is paid for."""
TRUSTED_DOMAIN = ".aliyuncs.com"

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


@dataclass
class Downloader:
    """Fetches images into memory, each at most `limit` bytes. `session` is the network seam."""

    session: requests.Session
    limit: int

    def fetch(self, url: str, documented_host: bool) -> bytes:
        """The body behind a result URL, which is used exactly as it was given.

        A signed URL is damaged by any change (inpainting and wan2.5 API references show both
        plain and signed ones). An undocumented host of Alibaba Cloud is used with a warning: the
        list of hosts may grow, and the image is paid for. Raises DownloadFailed.
        """
        self._check_host(url, documented_host)
        try:
            with self.session.get(
                url,
                stream=True,
                timeout=TIMEOUT,
                allow_redirects=False,
                headers={"Accept-Encoding": "identity"},
            ) as answer:
                return self._body(answer)
        except requests.RequestException as error:
            message = f"The download broke off ({type(error).__name__})."
            raise DownloadFailed("DownloadFailed", message, retry_for=RETENTION) from None

    def _check_host(self, url: str, documented: bool) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if documented and parts.scheme in ("http", "https"):
            return
        if parts.scheme == "https" and host.endswith(TRUSTED_DOMAIN):
            log.warning(
                "result host %s is not in the catalogue; it is used all the same",
                host,
                extra=about("host.unlisted", host=host),
            )
            return
        raise DownloadFailed(
            "ResultHostRefused",
            f"The service named a result on host {host!r}, which no document lists.",
            retry_for=0,
        )

    def _body(self, answer: requests.Response) -> bytes:
        if answer.status_code in (403, 404, 410):
            message = f"The result URL answers {answer.status_code}: it has expired or was damaged."
            raise DownloadFailed("ResultExpired", message, retry_for=REFUSED)
        if answer.status_code != 200:
            message = f"The result URL answers {answer.status_code}."
            raise DownloadFailed("DownloadFailed", message, retry_for=RETENTION)
        body = bytearray()
        for chunk in answer.iter_content(CHUNK):
            body += chunk
            if len(body) > self.limit:
                message = f"The image is larger than {self.limit} bytes."
                raise DownloadFailed("ResultTooLarge", message, retry_for=0)
        promised = answer.headers.get("Content-Length")
        if promised and promised.isdigit() and int(promised) != len(body):
            message = f"Only {len(body)} of {promised} bytes arrived."
            raise DownloadFailed("DownloadFailed", message, retry_for=RETENTION)
        return bytes(body)
