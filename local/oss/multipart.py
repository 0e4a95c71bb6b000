"""Multipart uploads: their parts wait in ``.oss/uploads`` until they are put together."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

from local.oss import draft as drafts
from local.oss.draft import Draft
from local.oss.errors import OssError, no_such_upload
from local.oss.records import MULTIPART, Attributes, Record
from local.oss.storage import Placing, Store

MAX_PARTS = 10000
MIN_PART_BYTES = 100 * 1024
_HEAD = "upload.json"


@dataclass(frozen=True)
class Part:
    """A part received; the file's name holds all that is known of it."""

    number: int
    etag: str
    crc64: int
    path: Path

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size

    @property
    def modified(self) -> float:
        """When it came, Unix seconds."""
        return self.path.stat().st_mtime


@dataclass(frozen=True)
class Upload:
    """An upload under way."""

    upload_id: str
    bucket: str
    key: str
    initiated: float
    attributes: Attributes


class Uploads:
    """All uploads under way in one folder."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.layout.uploads

    def begin(self, bucket: str, key: str, said: Attributes) -> Upload:
        """Begin an upload (InitiateMultipartUpload)."""
        upload = Upload(secrets.token_hex(16).upper(), bucket, key, time.time(), said)
        head = json.dumps({**asdict(upload), "attributes": asdict(said)})
        draft = self._folder / f"new-{upload.upload_id}"
        draft.mkdir()
        (draft / _HEAD).write_text(head, encoding="utf-8")
        draft.rename(self._folder / upload.upload_id)
        return upload

    def find(self, upload_id: str, bucket: str, key: str) -> Upload:
        """Return an upload; raises OssError 404 ``NoSuchUpload``."""
        upload = self._read(upload_id) if upload_id.isalnum() else None
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise no_such_upload(upload_id)
        return upload

    def _read(self, upload_id: str) -> Upload | None:
        try:
            head = json.loads((self._folder / upload_id / _HEAD).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Upload(**{**head, "attributes": Attributes(**head["attributes"])})

    def all(self, bucket: str) -> list[Upload]:
        """Return a bucket's uploads, by key and then by id."""
        found = [self._read(name) for name in os.listdir(self._folder) if name.isalnum()]
        mine = [upload for upload in found if upload and upload.bucket == bucket]
        return sorted(mine, key=lambda upload: (upload.key.encode(), upload.upload_id))

    def add_part(self, upload: Upload, number: int, draft: Draft) -> None:
        """Keep a part; one with the same number before it gives way."""
        with self._locked(upload):
            folder = self._folder / upload.upload_id
            earlier = [part for part in self._parts(upload) if part.number == number]
            name = f"{number:05d}.{draft.etag}.{draft.crc64}"
            os.replace(draft.path, folder / name)
            for part in earlier:
                if part.path.name != name:
                    part.path.unlink()

    def parts(self, upload: Upload) -> list[Part]:
        """Return the parts received, by number."""
        with self._locked(upload):
            return self._parts(upload)

    def _parts(self, upload: Upload) -> list[Part]:
        folder = self._folder / upload.upload_id
        found = []
        for name in sorted(os.listdir(folder)):
            if name != _HEAD:
                number, etag, crc64 = name.split(".")
                found.append(Part(int(number), etag, int(crc64), folder / name))
        return found

    def abort(self, upload: Upload) -> None:
        """Forget an upload and its parts."""
        with self._locked(upload):
            self._remove(upload)

    def _remove(self, upload: Upload) -> None:
        # The head goes first: without it the upload is no more, whatever happens to the rest.
        (self._folder / upload.upload_id / _HEAD).unlink()
        shutil.rmtree(self._folder / upload.upload_id, ignore_errors=True)

    def complete(
        self, upload: Upload, wanted: list[tuple[int, str]] | None, plan: Placing
    ) -> Record:
        """Put the wanted parts (number, ETag) together; all of them where ``wanted`` is None.

        Raises OssError 400 ``InvalidPart``, ``InvalidPartOrder``, ``EntityTooSmall``, 409.
        """
        with self._locked(upload):
            have = self._parts(upload)
            chosen = have if wanted is None else _chosen(have, wanted)
            _check_sizes(chosen)
            said = replace(plan.attributes, kind=MULTIPART)
            md5 = drafts.new_md5()
            md5.update(b"".join(bytes.fromhex(part.etag) for part in chosen))
            etag = f"{str(md5.hexdigest()).upper()}-{len(chosen)}"
            with self._store.layout.draft() as draft:
                for part in chosen:
                    with part.path.open("rb") as source:
                        draft.write_from(source)
                record = self._store.commit(replace(plan, attributes=said, etag=etag), draft)
            self._remove(upload)
            return record

    @contextmanager
    def _locked(self, upload: Upload) -> Iterator[None]:
        """Hold an upload against other threads and processes; it must still be there."""
        try:
            file = (self._folder / upload.upload_id / _HEAD).open("rb")
        except FileNotFoundError:
            raise no_such_upload(upload.upload_id) from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink == 0:
                raise no_such_upload(upload.upload_id)
            yield


def _chosen(have: list[Part], wanted: list[tuple[int, str]]) -> list[Part]:
    numbers = [number for number, _ in wanted]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise OssError(400, "InvalidPartOrder", "The parts are not listed in ascending order.")
    by_number = {part.number: part for part in have}
    for number, etag in wanted:
        part = by_number.get(number)
        if part is None or part.etag != etag.strip('"').upper():
            text = f"Part {number} with ETag {etag} was not uploaded; upload it or list its ETag."
            raise OssError(400, "InvalidPart", text)
    return [by_number[number] for number in numbers]


def _check_sizes(chosen: list[Part]) -> None:
    if not chosen:
        raise OssError(400, "InvalidPart", "No part is listed; upload and list at least one.")
    for part in chosen[:-1]:
        if part.size < MIN_PART_BYTES:
            text = (
                f"Part {part.number} has {part.size} bytes; all but the last need {MIN_PART_BYTES}."
            )
            raise OssError(400, "EntityTooSmall", text)
