"""What a request asks for, so that the same request sent again can be told from another one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.api.dashscope.body import UPLOADED
from shared.storage.objects import ObjectMissing, ObjectStore

MOST_UPLOADS = 16
"""Uploaded files of one request that count by their content; the largest message holds ten."""


def content_of(path: str, body: Mapping[str, Any], store: ObjectStore) -> bytes:
    """The same for two requests that ask for the same. Raises StoreError.

    The SDK uploads a local file anew for each call, so that its address says nothing: a file counts
    by its content.
    """
    marks: dict[str, str] = {}

    def marked(text: str) -> str:
        named = UPLOADED.fullmatch(text)
        if named is None or (text not in marks and len(marks) == MOST_UPLOADS):
            return text
        if text not in marks:
            marks[text] = _mark(store, named[1]) or text
        return marks[text]

    canonical = json.dumps(_with_texts(body, marked), sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).digest()
    return path.encode() + b"\n" + digest


def _mark(store: ObjectStore, key: str) -> str | None:
    try:
        return f"content {store.read_range(key, 0, 1).etag}"
    except ObjectMissing:
        return None


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {name: _with_texts(item, change) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_texts(item, change) for item in value]
    return change(value) if isinstance(value, str) else value
