"""Tells what a file in the folder is: a known object, a renamed one, or one put in by hand."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from mimetypes import guess_type
from typing import BinaryIO

from local.oss import draft, keys
from local.oss.database import Database
from local.oss.errors import OssError, no_such_key
from local.oss.layout import Layout, regular_file
from local.oss.notices import Cause, message, new_request_id
from local.oss.records import Attributes, Record, identity

_TRIES = 5
_OPEN_TRIES = 50  # against others that overwrite the object all the time
BY_HAND = "ObjectCreated:PutObject"


@dataclass(frozen=True)
class OpenObject:
    """An object opened for reading; only the first ``record.size`` bytes of the file are it."""

    record: Record
    file: BinaryIO


class Recogniser:
    """Keeps records true to the files. A record counts only for a file of the same identity."""

    def __init__(self, layout: Layout, database: Database, region: str) -> None:
        self._layout = layout
        self._database = database
        self._region = region

    def record(self, bucket: str, key: str) -> Record:
        """Return an object's record; raises OssError 404 where there is no object.

        A file that is not known yet is read to compute ETag and CRC.
        """
        for _ in range(_TRIES):
            path = self._layout.locate(bucket, key)
            if path is None:
                raise no_such_key(key)
            found = self._known(bucket, key, path) or self._adopt(bucket, key, path)
            if found:
                return found
        raise _unsettled(key)

    def open(self, bucket: str, key: str) -> OpenObject:
        """Open an object; the record returned is of exactly the bytes that will be read."""
        for _ in range(_OPEN_TRIES):
            record = self.record(bucket, key)
            path = self._layout.locate(bucket, key)
            if path is None:
                continue
            try:
                file = open(path, "rb", opener=_open_no_follow)  # noqa: SIM115 - closed by the reader
            except FileNotFoundError:
                continue
            if identity(os.fstat(file.fileno())) == record.identity:
                return OpenObject(record, file)
            file.close()
        raise _unsettled(key)

    def announce(self, bucket: str, key: str) -> None:
        """Notify an object put in by hand, once; temporary files of programs are left out."""
        record = self.record(bucket, key)
        if record.announced or keys.is_scratch(key):
            return
        with self._database.exclusive():
            now = self._database.record(bucket, key)
            if now is None or now.announced or now.identity != record.identity:
                return
            self._database.save(replace(now, announced=True))
            cause = Cause(BY_HAND, new_request_id())
            self._database.post_event(message(cause, self._region, now, now.size))

    def forget_missing(self, bucket: str, folder: str) -> None:
        """Drop the records of what was removed by hand at ``folder`` or in it."""
        gone = [key for key in self._database.keys_below(bucket, folder) if self._gone(bucket, key)]
        if not gone:
            return
        with self._database.exclusive():
            for key in gone:
                if self._gone(bucket, key):
                    self._database.forget(bucket, key)

    def _gone(self, bucket: str, key: str) -> bool:
        return self._layout.locate(bucket, key) is None

    def _known(self, bucket: str, key: str, path: str) -> Record | None:
        status = regular_file(path)
        record = self._database.record(bucket, key)
        if status and record and record.identity == identity(status):
            return record
        return None

    def _adopt(self, bucket: str, key: str, path: str) -> Record | None:
        with self._database.exclusive():
            # Under the lock no writer of ours is half-way: now the record may fit after all.
            found = self._known(bucket, key, path) or self._repaired(bucket, key, path)
            found = found or self._renamed(bucket, key, path)
        if found:
            return found
        measured = self._measure(bucket, key, path)
        if measured is None:
            return None
        with self._database.exclusive():
            status = regular_file(path)
            if status is None or identity(status) != measured.identity:
                return None
            known = self._known(bucket, key, path)
            if known is None:
                measured = self._merged(measured)
                self._database.save(measured)
            return known or measured

    def _repaired(self, bucket: str, key: str, path: str) -> Record | None:
        """Undo an append that was cut short by a crash."""
        record = self._database.record(bucket, key)
        status = regular_file(path)
        if record is None or record.append_from is None or status is None:
            return None
        same_file = record.identity.split(":")[0] == str(status.st_ino)
        if not same_file or status.st_size < record.append_from:
            return None
        os.truncate(path, record.append_from)
        repaired = replace(record, identity=identity(os.lstat(path)), append_from=None)
        self._database.save(repaired)
        return repaired

    def _renamed(self, bucket: str, key: str, path: str) -> Record | None:
        """Carry the record of a file that was renamed within its bucket over to the new key."""
        status = regular_file(path)
        if status is None or self._layout.is_private(path):
            return None
        for other in self._database.records_of_file(bucket, identity(status)):
            if other.key == key or self._known_at_its_place(other):
                continue
            replaced = self._database.record(bucket, key)
            changed = replaced is not None and replaced.crc64 != other.crc64
            moved = replace(other, key=key, announced=other.announced and not changed)
            self._database.forget(bucket, other.key)
            self._database.save(moved)
            return moved
        return None

    def _known_at_its_place(self, record: Record) -> bool:
        path = self._layout.locate(record.bucket, record.key)
        return path is not None and self._known(record.bucket, record.key, path) is not None

    def _measure(self, bucket: str, key: str, path: str) -> Record | None:
        """Read a file and describe it; None if it went away or changed meanwhile."""
        try:
            with open(path, "rb", opener=_open_no_follow) as file:
                status = os.fstat(file.fileno())
                etag, crc64 = _digests(file)
                if identity(os.fstat(file.fileno())) != identity(status):
                    return None
        except FileNotFoundError:
            return None
        return Record(
            bucket=bucket,
            key=key,
            identity=identity(status),
            size=status.st_size,
            modified=status.st_mtime,
            etag=etag,
            crc64=crc64,
            attributes=Attributes(headers={"content-type": content_type(key)}),
            private=self._layout.is_private(path),
            announced=False,
        )

    def _merged(self, measured: Record) -> Record:
        """Keep what is known if the file has only been moved to other storage, say by a backup."""
        old = self._database.record(measured.bucket, measured.key)
        if old is None or old.crc64 != measured.crc64:
            return measured
        same_times = old.identity.split(":")[1:] == measured.identity.split(":")[1:]
        return replace(old, identity=measured.identity) if same_times else measured


def content_type(key: str) -> str:
    """Guess the content type of a file put in by hand from its name."""
    return guess_type(key.rpartition("/")[2])[0] or "application/octet-stream"


def _digests(file: BinaryIO) -> tuple[str, int]:
    md5, crc64 = draft.new_md5(), draft.new_crc64()
    for chunk in draft.chunks(file):
        md5.update(chunk)
        crc64.update(chunk)
    return md5.hexdigest().upper(), int(crc64.crcValue)


def _open_no_follow(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def _unsettled(key: str) -> OssError:
    text = f"The file of object {key!r} is being changed in the folder; try again when it rests."
    return OssError(503, "ServiceUnavailable", text)
