"""Objects in the folder: create, replace, append, describe, remove. Safe over processes.

A reader or a crash of the server never sees half an object. Files are not flushed to the disk
one by one: a power cut may take the last seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local.oss import draft as drafts
from local.oss.database import Database
from local.oss.draft import Draft
from local.oss.errors import OssError, already_exists, no_such_bucket, no_such_key
from local.oss.layout import Layout, regular_file
from local.oss.notices import Cause, message
from local.oss.recognition import Recogniser
from local.oss.records import APPENDABLE, STORAGE_CLASS, Attributes, Record, identity


@dataclass(frozen=True)
class Placing:
    """What is to become of a draft. ``etag`` overrides the MD5 of the body."""

    bucket: str
    key: str
    attributes: Attributes
    cause: Cause
    forbid_overwrite: bool = False
    etag: str = ""


class Store:
    """The objects of one folder; ``notify`` says whether changes go to the outbox."""

    def __init__(self, root: Path, region: str, *, notify: bool) -> None:
        self.layout = Layout(root)
        self.database = Database(self.layout.private)
        self.database.on_others = self.layout.folders.forget
        self.recogniser = Recogniser(self.layout, self.database, region)
        self.region = region
        self.notify = notify

    def require_bucket(self, bucket: str) -> None:
        """Raise OssError 404 where there is no such bucket."""
        if not self.layout.has_bucket(bucket):
            raise no_such_bucket(bucket)

    def create_bucket(self, bucket: str, **wanted: str) -> None:
        """Create a bucket with settings; one that is there stays as it is.

        Raises OssError 409 ``BucketAlreadyExists`` where its settings are others.
        """
        with self.database.exclusive():
            new = wanted if not self.layout.has_bucket(bucket) else {}
            os.makedirs(self.layout.bucket(bucket), exist_ok=True)
            if not self.database.settings(bucket):
                first = {"created": time.time(), "acl": "private", **new}
                self.database.save_settings(bucket, first)
            kept = self.settings(bucket)
            other = [name for name, value in wanted.items() if kept[name] != value]
            if other:
                text = (
                    f"The bucket {bucket!r} exists with another {other[0]}; it was left as it is."
                )
                raise OssError(409, "BucketAlreadyExists", text)

    def delete_bucket(self, bucket: str) -> None:
        """Delete a bucket; raises OssError 409 where it holds an object."""
        with self.database.exclusive():
            self.require_bucket(bucket)
            private = self.database.private_keys(bucket, b"", 1)
            walk = os.walk(self.layout.bucket(bucket))
            if private or any(files for _, _, files in walk):
                text = f"The bucket {bucket!r} is not empty; delete its objects first."
                raise OssError(409, "BucketNotEmpty", text)
            self.layout.remove_bucket(bucket)
            self.database.forget_bucket(bucket)

    def settings(self, bucket: str) -> dict[str, Any]:
        """Return the bucket's settings; raises OssError 404 where there is no bucket."""
        self.require_bucket(bucket)
        created = os.stat(self.layout.bucket(bucket)).st_mtime
        usual = {"acl": "private", "storage_class": "Standard", "redundancy": "LRS"}
        return {"created": created, **usual, **self.database.settings(bucket)}

    def change_settings(self, bucket: str, **changes: object) -> None:
        """Set bucket settings; None removes one."""
        with self.database.exclusive():
            merged = {**self.settings(bucket), **changes}
            kept = {name: value for name, value in merged.items() if value is not None}
            self.database.save_settings(bucket, kept)

    def commit(self, placing: Placing, draft: Draft) -> Record:
        """Make a draft the object ``placing.key``; raises OssError 404, 409."""
        with self.database.exclusive():
            return self._place(placing, draft)

    def _place(self, placing: Placing, draft: Draft) -> Record:
        bucket, key = placing.bucket, placing.key
        settings = self.settings(bucket)
        forbid = placing.forbid_overwrite and "versioning" not in settings
        before = self._size(bucket, key)
        if forbid and before is not None:
            raise already_exists(key)
        path = self.layout.choose(bucket, key)
        status = os.stat(draft.path)
        record = Record(
            bucket=bucket,
            key=key,
            identity=identity(status),
            size=draft.size,
            modified=status.st_mtime,
            etag=placing.etag or draft.etag,
            crc64=draft.crc64,
            attributes=_of_class(placing.attributes, settings["storage_class"]),
            private=self.layout.is_private(path),
        )
        # Saved first, committed after the file is there: a reader that sees the new file before
        # the commit waits for this lock and then finds the record.
        self.database.save(record)
        self.layout.place(draft, path, key, exclusive=forbid)
        if not record.private:
            self.layout.remove_private(bucket, key)
        self._post(placing.cause, record, draft.size - (before or 0))
        return record

    def append(self, placing: Placing, draft: Draft, position: int) -> Record:
        """Add a draft at the end of an appendable object if it is ``position`` bytes long.

        Raises OssError 409 ``PositionNotEqualToLength`` or ``ObjectNotAppendable``.
        """
        bucket, key = placing.bucket, placing.key
        if self.layout.locate(bucket, key):
            self.recogniser.record(bucket, key)
        with self.database.exclusive():
            self.require_bucket(bucket)
            if self.layout.locate(bucket, key) is None:
                _check_position(position, 0)
                attributes = replace(placing.attributes, kind=APPENDABLE)
                return self._place(replace(placing, attributes=attributes), draft)
            record = self._fresh(bucket, key)
            if record.attributes.kind != APPENDABLE:
                text = f"The object {key!r} is {record.attributes.kind}, not Appendable."
                raise OssError(409, "ObjectNotAppendable", text)
            _check_position(position, record.size)
            return self._extend(record, draft, placing.cause)

    def _extend(self, record: Record, draft: Draft, cause: Cause) -> Record:
        path = self.layout.locate(record.bucket, record.key)
        if path is None:
            raise no_such_key(record.key)
        # Committed before the file is touched, so that a crash can be undone (Recogniser).
        self.database.save(replace(record, append_from=record.size))
        self.database.checkpoint()
        crc64 = drafts.new_crc64(record.crc64)
        with open(draft.path, "rb") as source, open(path, "ab") as target:
            for chunk in drafts.chunks(source):
                target.write(chunk)
                crc64.update(chunk)
        md5 = drafts.new_md5()
        md5.update(bytes.fromhex(record.etag) + draft.md5)
        status = os.stat(path)
        extended = replace(
            record,
            identity=identity(status),
            size=record.size + draft.size,
            modified=status.st_mtime,
            etag=md5.hexdigest().upper(),
            crc64=int(crc64.crcValue),
            append_from=None,
        )
        self.database.save(extended)
        self._post(cause, extended, draft.size)
        return extended

    def describe(self, bucket: str, key: str, change: Callable[[Attributes], Attributes]) -> Record:
        """Change what is said of an object, not its bytes; raises OssError 404."""
        self.recogniser.record(bucket, key)
        with self.database.exclusive():
            record = self._fresh(bucket, key)
            changed = replace(record, attributes=change(record.attributes))
            self.database.save(changed)
            return changed

    def delete(self, bucket: str, key: str, cause: Cause) -> bool:
        """Delete an object; returns False where there was none."""
        with self.database.exclusive():
            self.require_bucket(bucket)
            size = self._size(bucket, key)
            record = self.database.record(bucket, key)
            self.layout.remove(bucket, key)
            self.database.forget(bucket, key)
            if size is None:
                return False
            last = record or Record(bucket, key, "", size, 0, "", 0)
            self._post(cause, replace(last, size=size), -size)
            return True

    def post(self, cause: Cause, record: Record, delta: int) -> None:
        """Put an event into the outbox that goes with no change of an object."""
        if self.notify:
            with self.database.exclusive():
                self._post(cause, record, delta)

    def _post(self, cause: Cause, record: Record, delta: int) -> None:
        if self.notify:
            self.database.post_event(message(cause, self.region, record, delta))

    def _size(self, bucket: str, key: str) -> int | None:
        path = self.layout.locate(bucket, key)
        status = regular_file(path) if path else None
        return status.st_size if status else None

    def _fresh(self, bucket: str, key: str) -> Record:
        path = self.layout.locate(bucket, key)
        status = regular_file(path) if path else None
        record = self.database.record(bucket, key)
        if status and record and record.identity == identity(status):
            return record
        if status is None:
            raise no_such_key(key)
        text = f"The object {key!r} was changed at the same time; try again."
        raise OssError(409, "StaleFile", text, ec="0026-00000004")


def _of_class(said: Attributes, storage_class: str) -> Attributes:
    """Return the attributes with the bucket's class where the object has none of its own."""
    if storage_class == "Standard" or STORAGE_CLASS in said.headers:
        return said
    return replace(said, headers={**said.headers, STORAGE_CLASS: storage_class})


def _check_position(given: int, length: int) -> None:
    if given != length:
        text = f"Position {given} is not the object's length {length}; append there."
        headers = {"x-oss-next-append-position": str(length)}
        raise OssError(409, "PositionNotEqualToLength", text, headers=headers)
