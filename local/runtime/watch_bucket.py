"""For an OSS that cannot notify us: lists the triggers' prefixes and fires what is new in them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import oss2

from deploy.stack.render import DeclarationError
from local.runtime.declaration import Function
from local.runtime.object_events import ObjectEvents, put_event

LOG = logging.getLogger("local.runtime")
SECONDS = 1.0
NEEDED = ("OSS_ENDPOINT", "OSS_BUCKET", "OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET")
Listing = dict[str, tuple[str, int]]
"""Key to ETag and size."""


class BucketWatcher:
    """Fires a PutObject event for every object that is new or has another ETag.

    What the bucket held at the very first start fires nothing; what it held since is kept in a
    file, so that nothing is missed while the runtime is stopped.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        functions: Iterable[Function],
        objects: ObjectEvents,
        memory: Path,
        account: str,
    ) -> None:
        self._region = environ.get("OSS_REGION", "cn-beijing")
        self._account = account
        self._bucket = _bucket(environ, self._region)
        self._place = f"{environ['OSS_ENDPOINT']}/{environ['OSS_BUCKET']}"
        self._objects = objects
        self._memory = memory
        name = self._bucket.bucket_name
        triggers = [trigger for function in functions for trigger in function.oss_triggers]
        self._prefixes = sorted({t.prefix for t in triggers if t.bucket in (None, name)})

    async def run(self) -> None:
        """Runs until cancelled; an OSS that does not answer is tried again."""
        trouble = ""
        while True:
            try:
                await self.look()
                trouble = ""
            except oss2.exceptions.OssError as error:
                if not trouble:  # said once, not every second
                    LOG.warning("the bucket cannot be listed, trying on: %s", _reason(error))
                trouble = _reason(error)
            await asyncio.sleep(SECONDS)

    async def look(self) -> int:
        """One look at the bucket: how many objects were new or changed."""
        seen = await asyncio.to_thread(self._list)
        known = self._known()
        changed = [key for key in seen if known is not None and known.get(key) != seen[key][0]]
        name = self._bucket.bucket_name
        await self._objects.accept(
            [put_event(name, self._region, self._account, key, *seen[key]) for key in changed]
        )
        # Remembered after the events are durable: a crash in between fires them twice, not never.
        etags = {key: etag for key, (etag, _) in seen.items()}
        if etags != known:
            self._remember(etags)
        return len(changed)

    def _list(self) -> Listing:
        found: Listing = {}
        for prefix in self._prefixes:
            for entry in oss2.ObjectIteratorV2(self._bucket, prefix=prefix, max_keys=1000):
                found[entry.key] = (entry.etag, entry.size)
        return found

    def _known(self) -> dict[str, str] | None:
        if not self._memory.exists():
            return None
        memory = json.loads(self._memory.read_text(encoding="utf-8"))
        if memory["place"] != self._place:
            return None
        etags: dict[str, str] = memory["etags"]
        return etags

    def _remember(self, etags: dict[str, str]) -> None:
        aside = self._memory.with_suffix(".part")
        aside.write_text(json.dumps({"place": self._place, "etags": etags}), encoding="utf-8")
        aside.replace(self._memory)


def _reason(error: oss2.exceptions.OssError) -> str:
    """Without the details, for those of a wrong signature hold the key's id."""
    return f"{error.code} {error.message}" if error.code else f"no answer: {error.body}"


def _bucket(environ: Mapping[str, str], region: str) -> oss2.Bucket:
    missing = [name for name in NEEDED if not environ.get(name)]
    if missing:
        raise DeclarationError(f"--watch-bucket needs {', '.join(missing)} in the environment")
    key, secret = environ["OSS_ACCESS_KEY_ID"], environ["OSS_ACCESS_KEY_SECRET"]
    token = environ.get("OSS_SESSION_TOKEN", "")
    auth = oss2.ProviderAuthV4(oss2.StaticCredentialsProvider(key, secret, token))
    return oss2.Bucket(auth, environ["OSS_ENDPOINT"], environ["OSS_BUCKET"], region=region)
