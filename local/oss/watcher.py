"""Watches the folder: a file put in by hand becomes an event once it is complete."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace

from watchdog.events import (
    EVENT_TYPE_CLOSED,
    EVENT_TYPE_CLOSED_NO_WRITE,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_MODIFIED,
    EVENT_TYPE_MOVED,
    EVENT_TYPE_OPENED,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from local.oss.errors import OssError
from local.oss.layout import regular_file
from local.oss.listing import Lister
from local.oss.records import identity
from local.oss.storage import Store

logger = logging.getLogger("local.oss")

_TICK_SECONDS = 0.05
_SETTLED_SECONDS = 0.3
# A file still open for writing gets longer: a slow copy may pause. It is not waited for for ever,
# since the closing of a file goes unseen on some file systems.
_OPEN_SECONDS = 5.0
# A record outlives its file for a moment, so that a rename can take it along.
_FORGET_SECONDS = 1.0
_RESCAN_SECONDS = 15.0
_OPENINGS = (EVENT_TYPE_OPENED, EVENT_TYPE_CLOSED_NO_WRITE)


@dataclass
class _Pending:
    """A file, or what is left of one, that has to rest before it is looked at."""

    seen: str | None
    since: float
    is_open: bool = False
    is_written: bool = False

    def wait_seconds(self) -> float:
        if self.seen is None:
            return _FORGET_SECONDS
        return _OPEN_SECONDS if self.is_open else _SETTLED_SECONDS


class Watcher(FileSystemEventHandler):
    """Feeds what rests to the recogniser, which knows the server's own writes and renames.

    Deleting a file by hand sends no event.
    """

    def __init__(self, store: Store, lister: Lister) -> None:
        self._store = store
        self._lister = lister
        self._observer = Observer()
        self._watched: dict[str, ObservedWatch] = {}
        self._rescan_asked = threading.Event()
        self._rescan_at = 0.0
        self._mutex = threading.Lock()
        self._pending: dict[tuple[str, str], _Pending] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to watch; what was put in while no server ran is found too."""
        self._observer.start()
        self._watch("", self._store.layout.root)
        self._watch_buckets()
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopping.set()
        self._observer.stop()
        self._observer.join()
        self._thread.join()

    def dispatch(self, event: FileSystemEvent) -> None:
        """Note what an event of the file system is about."""
        if event.event_type in _OPENINGS:
            self._note_opening(os.fsdecode(event.src_path), event.event_type == EVENT_TYPE_OPENED)
            return
        if event.event_type == EVENT_TYPE_MOVED:
            self._note(os.fsdecode(event.dest_path), event.event_type, event.is_directory)
        self._note(os.fsdecode(event.src_path), event.event_type, event.is_directory)

    def _split(self, path: str) -> tuple[str, str]:
        bucket, _, key = os.path.relpath(path, self._store.layout.root).partition(os.sep)
        return bucket, key

    def _note_opening(self, path: str, is_open: bool) -> None:
        # Readers open files too; only one that has just come may have been opened to be written.
        with self._mutex:
            pending = self._pending.get(self._split(path))
            if pending and not pending.is_written:
                pending.is_open = is_open

    def _note(self, path: str, kind: str, is_directory: bool) -> None:
        bucket, key = self._split(path)
        if not key and kind != EVENT_TYPE_MODIFIED:  # a bucket came or went
            self._rescan_asked.set()
        if not key or not _is_text(key) or not self._store.layout.has_bucket(bucket):
            return
        if is_directory and os.path.isdir(path):
            if kind in (EVENT_TYPE_CREATED, EVENT_TYPE_MOVED):
                self._note_tree(bucket, path)
            return
        with self._mutex:
            fresh = _Pending(_seen(path), time.monotonic())
            before = self._pending.get((bucket, key))
            if kind == EVENT_TYPE_MODIFIED:
                fresh.is_open = fresh.is_written = True
            elif before and kind not in (EVENT_TYPE_CLOSED, EVENT_TYPE_MOVED, EVENT_TYPE_DELETED):
                fresh.is_open, fresh.is_written = before.is_open, before.is_written
            self._pending[bucket, key] = fresh

    def _note_tree(self, bucket: str, folder: str) -> None:
        root = self._store.layout.bucket(bucket)
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                self._add(bucket, os.path.relpath(path, root), path)

    def _add(self, bucket: str, key: str, path: str) -> None:
        with self._mutex:
            fresh = _Pending(_seen(path), time.monotonic())
            self._pending.setdefault((bucket, key), fresh)

    def _watch_buckets(self) -> None:
        layout = self._store.layout
        buckets = layout.buckets()
        for bucket in self._watched.keys() - set(buckets):
            with suppress(KeyError, OSError):
                self._observer.unschedule(self._watched.pop(bucket))
        for bucket in set(buckets) - self._watched.keys():
            self._watch(bucket, layout.bucket(bucket))

    def _watch(self, name: str, folder: str) -> None:
        try:
            watch = self._observer.schedule(self, folder, recursive=name != "")
        except OSError as error:
            logger.warning("Watching %s by rescans only: %s", folder, error)
        else:
            if name:
                self._watched[name] = watch

    def _run(self) -> None:
        while not self._stopping.wait(_TICK_SECONDS):
            try:
                if self._rescan_asked.is_set() or time.monotonic() >= self._rescan_at:
                    self._rescan()
                self._settle()
            except Exception as error:  # the watcher must outlive any one file
                logger.error("Watching the folder: %s: %s", type(error).__name__, error)

    def _rescan(self) -> None:
        self._rescan_asked.clear()
        began = time.monotonic()
        self._rescan_at = began + _RESCAN_SECONDS
        self._watch_buckets()
        self._scan()
        # On a large folder the scans must not become the server's main work.
        self._rescan_at = max(self._rescan_at, began + 50 * (time.monotonic() - began))

    def _scan(self) -> None:
        """Find files that differ from what is known: put in unseen, or while no server ran."""
        layout = self._store.layout
        for bucket in layout.buckets():
            known = self._store.database.identities(bucket)
            for key in self._lister.plain_keys(bucket):
                path = os.path.join(layout.bucket(bucket), key)
                if known.get(key) != _seen(path):
                    self._add(bucket, key, path)

    def _settle(self) -> None:
        with self._mutex:
            waiting = list(self._pending.items())
        now = time.monotonic()
        for (bucket, key), pending in waiting:
            seen = _seen(os.path.join(self._store.layout.bucket(bucket), key))
            if seen != pending.seen:
                self._replace(bucket, key, pending, replace(pending, seen=seen, since=now))
            elif now - pending.since < pending.wait_seconds():
                continue
            elif self._replace(bucket, key, pending, None):
                self._look_at(bucket, key, seen)

    def _replace(self, bucket: str, key: str, old: _Pending, new: _Pending | None) -> bool:
        """Replace or drop an entry, unless news came in meanwhile."""
        with self._mutex:
            if self._pending.get((bucket, key)) is not old:
                return False
            if new is None:
                del self._pending[bucket, key]
            else:
                self._pending[bucket, key] = new
            return True

    def _look_at(self, bucket: str, key: str, seen: str | None) -> None:
        try:
            if seen is None:
                self._store.recogniser.forget_missing(bucket, key)
            else:
                self._store.recogniser.announce(bucket, key)
        except OssError as error:
            logger.debug("%s/%s: %s", bucket, key, error)
        except OSError as error:
            logger.warning("%s/%s is no object until it can be read: %s", bucket, key, error)


def _is_text(key: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in key)


def _seen(path: str) -> str | None:
    status = regular_file(path)
    return identity(status) if status else None
