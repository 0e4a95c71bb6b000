"""Which code is deployed: a poller of other code makes room for the next one.

poll has one instance, so its new code cannot start while a run of the old code goes on, which may
be minutes. The functions that people and job files reach say at their start which code they run: in
one object, which the poller's listing of the queues shows. poll itself says nothing. Functions are
deployed one after the other, and a poll that is still the old one would take it back.
"""

from __future__ import annotations

import hashlib
import logging
import math
from dataclasses import dataclass, field

from shared.platform.logs import about
from shared.storage import layout
from shared.storage.objects import Entry, ObjectMissing, ObjectStore, Slice, StoreError

CODE_BYTES = 4096

log = logging.getLogger(__name__)


@dataclass
class Deployed:
    """`code` is what runs here; empty: nobody knows, so nothing is said and nobody makes room.

    Any other content of the object is other code, older and newer alike.
    """

    store: ObjectStore
    code: str
    _is_other: dict[str, bool] = field(default_factory=dict, init=False)

    def say(self) -> None:
        """Say that this code is deployed, unless that was said last. Raises StoreError."""
        said = self._said() if self.code else None
        if self.code and (said is None or said.body != self.code.encode()):
            self.store.put(layout.DEPLOYED, self.code.encode(), "text/plain")

    def since(self) -> float:
        """When that was said which was said last, in seconds since 1970 by the store's clock; where
        nobody knows, as if it had been for ever. Raises StoreError."""
        entries = self.store.list(layout.DEPLOYED, limit=1) if self.code else ()
        return max((one.modified for one in entries), default=-math.inf)

    def is_other(self, seen: Entry | None) -> bool:
        """Whether a listing shows that other code than this was deployed last.

        The ETag is the MD5 digest of the content (PutObject page), unless the bucket encrypts with
        a key of KMS: so one that is not this code's is read, once.
        """
        if seen is None or not self.code or seen.etag.upper() == _etag(self.code):
            return False
        if seen.etag in self._is_other:
            return self._is_other[seen.etag]
        try:
            said = self._said()  # perhaps another one than the listing showed
        except StoreError as error:
            facts = about("round.trouble", step="deployed")
            log.warning("which code is deployed: %s", error, extra=facts)
            return False
        if said is None:
            return False
        self._is_other[said.etag] = said.body != self.code.encode()
        return self._is_other[said.etag]

    def _said(self) -> Slice | None:
        try:
            return self.store.read(layout.DEPLOYED, CODE_BYTES)
        except ObjectMissing:
            return None


def _etag(code: str) -> str:
    return hashlib.md5(code.encode(), usedforsecurity=False).hexdigest().upper()
