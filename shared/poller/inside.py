"""What poll sees from inside the cloud, for `wanx verify-cloud`: its role's rights, its clock, its
key, and whether a call of itself comes at its moment.

It answers only who may invoke the function or write below state/wake/. An answer holds no secret.
It writes notes of one run, which the command removes, and changes nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote

from shared.modelstudio.api_key import KeySource, KeyUnavailable
from shared.platform.clock import Clock
from shared.platform.fc.events import RUN, LookEvent, OssEvent
from shared.platform.fc.invoke import CallRefused, DelayedCalls
from shared.platform.settings import Settings
from shared.storage import layout
from shared.storage.objects import ObjectForbidden, ObjectMissing, ObjectStore, StoreError

DONE, MISSING, FORBIDDEN = "done", "missing", "forbidden"
CALL, KEY, ONCE = "call", "key", "once"
"""What notes are about: the delayed call, the key in an event, creating what exists."""
KEY_CHARACTERS = 1024
"""Longest key of OSS, in bytes."""


@dataclass(frozen=True)
class Seen:
    """What poll answers. `missing`, `listed` and `foreign`: what came of reading an object that is
    not there, of a list and of reading another folder, which the role may not: `done`, `missing`,
    `forbidden` or what OSS said. `twice`: whether an object could be created twice. `store_now` is
    OSS's Date, in seconds since 1970, `due` when the delayed call is."""

    bucket: str
    region: str
    poll_timer: str
    input_delivery: str
    unknown_grace: float
    now: float
    store_now: float
    twice: bool
    missing: str
    listed: str
    foreign: str
    secret: str
    key_trouble: str
    due: float = 0.0
    call_refused: str = ""


@dataclass
class Inside:
    """Answers `wanx verify-cloud`. `calls`: how poll calls itself."""

    settings: Settings
    store: ObjectStore
    clock: Clock
    key: KeySource
    calls: DelayedCalls

    def answer(self, event: LookEvent) -> str:
        """What is seen, as JSON; for a call that was delayed, only note that it came.

        Raises StoreError.
        """
        if event.due:
            self._note(event.run, CALL, {"due": event.due, "came": self.clock.now()})
            return "noted"
        seen = asdict(self._seen(event.run))
        if event.delay:
            seen |= self._arm(event.run, event.delay)
        return json.dumps(seen, ensure_ascii=False)

    def noted(self, event: OssEvent) -> bool:
        """Note which key the event of a look's object came with; whether that is all it is about.

        Raises StoreError.
        """
        keys = [change.key for change in event.changes]
        looks = [key for key in keys if run_of(key)]
        for key in looks:
            self._note(run_of(key), KEY, {"key": key[:KEY_CHARACTERS]})
        return len(looks) == len(keys) > 0

    def _seen(self, run: str) -> Seen:
        settings, once = self.settings, layout.look_note(run, ONCE)
        first = self.store.create(once, b"1")
        return Seen(
            bucket=settings.oss_bucket,
            region=settings.oss_region,
            poll_timer=settings.poll_timer,
            input_delivery=settings.input_delivery,
            unknown_grace=settings.unknown_grace,
            now=self.clock.now(),
            store_now=first.at,
            twice=self.store.create(once, b"2").created,
            missing=self._tried(lambda: self.store.read(layout.task(f"look-{run}"), 1)),
            listed=self._tried(lambda: list(self.store.list(layout.TASKS, limit=1))),
            foreign=self._tried(lambda: self.store.read(f"{layout.DEAD}look-{run}", 1)),
            secret=settings.api_key_secret,
            key_trouble=self._key_trouble(),
        )

    def _tried(self, ask: Callable[[], object]) -> str:
        try:
            ask()
        except ObjectMissing:
            return MISSING
        except ObjectForbidden:
            return FORBIDDEN
        except StoreError as error:
            return str(error)
        return DONE

    def _key_trouble(self) -> str:
        try:
            self.key.value()
        except KeyUnavailable as error:
            return str(error)
        return ""

    def _arm(self, run: str, delay: int) -> dict[str, Any]:
        due = self.clock.now() + delay
        event = {"look": {"run": run, "due": due}}
        try:
            self.calls.call(delay, json.dumps(event).encode())
        except CallRefused as error:
            return {"due": due, "call_refused": str(error)}
        return {"due": due}

    def _note(self, run: str, what: str, seen: dict[str, Any]) -> None:
        body = json.dumps(seen, ensure_ascii=False).encode()
        self.store.put(layout.look_note(run, what), body)


def run_of(key: str) -> str:
    """The run whose object has this key, however the event has it encoded; "" for any other key."""
    name = unquote(key)
    run = name[len(layout.WAKE_LOOK) :].partition("-")[0]
    return run if name.startswith(layout.WAKE_LOOK) and RUN.fullmatch(run) else ""
