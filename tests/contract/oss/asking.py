"""Signed requests as they go over the wire, and what the answers to them say."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import oss2
import requests

from tests.kit.oss_server import BUCKET, KEY_ID, SECRET, OssServer


def ask(
    server: OssServer,
    method: str,
    key: str = "",
    query: dict[str, str] | None = None,
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    bucket: str = BUCKET,
    at: str = "",
    by_host: bool = False,
) -> Any:
    """Send a request signed with version 1.

    `at` is another address of the server; `by_host` leaves the bucket to the Host header.
    """
    path = f"{bucket}/{quote(key)}" if bucket and not by_host else quote(key)
    url = f"{at or server.url}/{path}"
    request = oss2.http.Request(method, url, body, params=query, headers=headers)
    oss2.Auth(KEY_ID, SECRET)._sign_request(request, bucket, key)
    return requests.request(method, url, params=query, data=body, headers=dict(request.headers))


def texts(answer: Any, path: str) -> list[str | None]:
    """The texts of all elements at a path below the answer's root."""
    return [node.text for node in ElementTree.fromstring(answer.content).iterfind(path)]


def code(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal; no code where the answer is none."""
    if not answer.content:
        return answer.status_code, ""
    return answer.status_code, ElementTree.fromstring(answer.content).findtext("Code") or ""
