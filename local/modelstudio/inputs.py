"""The input images of a task: fetched, unpacked or taken from uploads, then checked."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from local.modelstudio.errors import ServiceError, service_error
from local.modelstudio.fields import image_addresses, image_rules
from local.modelstudio.pictures import Size, check_picture, check_same_size, check_sums
from local.modelstudio.rules import Row
from local.modelstudio.settings import Settings
from local.modelstudio.tasks import Task, is_inline
from local.modelstudio.uploads import UploadStore

_CHUNK = 65536
_DATA = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,(.*)", re.DOTALL | re.IGNORECASE)


class InputLoader:
    """Gets a task's images over one HTTP session. Used inside the event loop alone."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: Settings, uploads: UploadStore
    ) -> None:
        self._session = session
        self._settings = settings
        self._uploads = uploads

    async def load(
        self, task: Task, parameters: Mapping[str, Any]
    ) -> tuple[tuple[tuple[str, bytes], ...], dict[str, Size]]:
        """The input images, checked, with their fields and in the drawing's order, and their sizes;
        of a list the last one's. Raises the task's ServiceError.
        """
        images: list[tuple[str, bytes]] = []
        sizes: dict[str, Size] = {}
        for field, address in image_addresses(task.model, task.body):
            rules = image_rules(task.model, field)
            data = await self._get(task, address, rules)
            sizes[field] = await asyncio.to_thread(check_picture, data, rules)
            check_sums(sizes[field], rules, parameters)
            images.append((field, data))
        check_same_size(sizes, task.model.input)
        return tuple(images), sizes

    async def _get(self, task: Task, address: str, rules: Row) -> bytes:
        if is_inline(address):
            return _unpack(address, rules)
        spaced = any(sign.isspace() for sign in address)
        if spaced or (rules["ascii_address"] and not address.isascii()):
            raise service_error("url_invalid")
        if address.startswith("oss://") and task.resolves_uploads:
            data = self._uploads.get(address, task.model.name)
            if data is None:
                raise service_error(rules["errors"]["download"])
            return data
        if urlsplit(address).scheme not in ("http", "https"):
            raise service_error("url_invalid")
        return await self._download(address, rules)

    async def _download(self, address: str, rules: Row) -> bytes:
        host = urlsplit(address).netloc.rpartition("@")[2]  # no password, path or signature
        seconds = self._settings.seconds("input_timeout_seconds")
        try:
            timeout = aiohttp.ClientTimeout(total=seconds)
            async with self._session.get(address, timeout=timeout) as answer:
                if answer.status != 200:
                    raise service_error(rules["errors"]["download"])
                return await _bounded(answer, rules)
        except asyncio.TimeoutError as problem:
            raise service_error("url_timeout", host=host) from problem
        except aiohttp.ClientConnectorError as problem:
            raise service_error("url_refused", host=host) from problem
        except (aiohttp.ClientError, ValueError) as problem:
            raise service_error(rules["errors"]["download"]) from problem


async def _bounded(answer: aiohttp.ClientResponse, rules: Row) -> bytes:
    limit = rules["max_bytes"]
    parts: list[bytes] = []
    total = 0
    async for part in answer.content.iter_chunked(_CHUNK):
        total += len(part)
        if total > limit:
            raise service_error(rules["errors"].get("bytes", "file_size"), max=limit // 2**20)
        parts.append(part)
    return b"".join(parts)


def _unpack(address: str, rules: Row) -> bytes:
    """Raw bytes of a `data:` address; the limit of the error code page counts the encoded item."""
    if not rules["inline"]:
        raise service_error("url_no_image")
    if len(address) > rules["max_bytes"]:
        raise service_error("data_uri_bytes", max=rules["max_bytes"])
    match = _DATA.fullmatch(address)
    try:
        return base64.b64decode(match[1] if match else "?", validate=True)
    except binascii.Error as problem:
        raise _no_data(rules) from problem


def _no_data(rules: Row) -> ServiceError:
    return service_error(rules["errors"]["format"])
