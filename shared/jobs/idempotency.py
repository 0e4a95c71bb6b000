"""Idempotency keys: the same request under the same key is answered as it was the first time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

ENTRY_BYTES = 1000
LONGEST_KEY = 255
ALLOWED_KEYS = f"1 to {LONGEST_KEY} printable ASCII characters"


class KeyReused(Exception):
    """The key was used before for another request."""


@dataclass(frozen=True)
class IdempotencyKey:
    """A caller's key. `owner` keeps the keys of different callers apart."""

    owner: str
    key: str

    @property
    def is_allowed(self) -> bool:
        """Whether the key is one of `ALLOWED_KEYS`."""
        key = self.key
        return 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()

    @property
    def mark(self) -> str:
        """A hash of both, which can be part of an object's key."""
        return hashlib.sha256(f"{self.owner}\n{self.key}".encode()).hexdigest()


@dataclass
class IdempotencyKeys:
    """The keys that were used, one small object each."""

    store: ObjectStore

    def claim(self, key: IdempotencyKey, request: bytes, answer: str) -> str:
        """Bind a key to a request and its answer; returns the answer it is bound to.

        That is `answer` the first time, and what it was then for the same `request` later. Raises
        KeyReused for another request, StoreError.
        """
        content = hashlib.sha256(request).hexdigest()
        place = layout.request(key.mark)
        entry = {"content": content, "answer": answer}
        if self.store.create(place, json.dumps(entry).encode()).created:
            return answer
        try:
            known = json.loads(self.store.read(place, ENTRY_BYTES).body)
            known_content, known_answer = str(known["content"]), str(known.get("answer") or answer)
        except (ObjectMissing, ValueError, KeyError, TypeError, AttributeError):
            raise KeyReused from None
        if known_content != content:
            raise KeyReused
        return known_answer
