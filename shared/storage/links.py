"""Links to objects, for the people and programs that get an answer."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from shared.storage import layout
from shared.storage.objects import ObjectStore


@dataclass(frozen=True)
class Links:
    """Makes links. `results`: the address at which a CDN serves the bucket; empty: there is none.

    A link at that address is not signed: the CDN decides who may follow it.
    """

    store: ObjectStore
    results: str = ""

    def show(self, key: str, seconds: int) -> str:
        """A link that shows an object: for `seconds`, or a result at the CDN's address."""
        if self.results and key.startswith(layout.RESULTS):
            return f"{self.results}/{quote(key)}"
        return self.store.presign(key, seconds)

    def save(self, key: str, seconds: int, name: str) -> str:
        """A link with which a browser saves the object as a file, always the bucket's own: only a
        signed one can ask for that."""
        return self.store.presign(key, seconds, name)
