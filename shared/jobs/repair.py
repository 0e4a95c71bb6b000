"""What a person does to a live system: put dead events back, resume a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.catalogue.rules import Rules
from shared.jobs.accept import Acceptance
from shared.jobs.dead_letters import DEAD_BYTES
from shared.ledger.breaker import KEY
from shared.ledger.ledger import Ledger
from shared.ledger.wakeups import REDRIVEN, RESUMED
from shared.platform.fc.events import Event, OssEvent, UnknownEvent, read_event
from shared.storage import layout


class UnknownModel(Exception):
    """The catalogue has no model of this name. `known` are the names it has."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no model {name[:80]!r}; the models are {', '.join(known)}.")
        self.known = known


@dataclass
class Repair:
    """Repairs one ledger. Every method may raise StoreError."""

    ledger: Ledger
    rules: Rules
    acceptance: Acceptance

    def redrive(self, key: str) -> list[str]:
        """Give a dead event to the system once more; returns what was done, in words.

        The file in `dead/` is removed only after that. A job file that was taken in already stays
        the job it is. Raises UnknownEvent.
        """
        event, files = _dead_event(key, self.ledger.store.read(key, DEAD_BYTES).body)
        done = []
        if isinstance(event, OssEvent) and files:
            for file in files:
                taken = self.acceptance.job_file(file)
                done += [f"{file}: job {one.job} is {one.record.state}" for one in taken]
        else:
            self.ledger.wake.because(REDRIVEN)
            done.append("the poller was woken")
        self.ledger.store.delete(key)
        return done

    def resume(self, name: str) -> bool:
        """Close the breaker of a model, or of the API key (`KEY`); whether it was paused.

        Wakes a poller even if one is alive: that one may be going to rest because of the pause.
        Raises UnknownModel.
        """
        known = self.rules.catalogue.names()
        if name not in (KEY, *known):
            raise UnknownModel(name, known)
        resumed = self.ledger.breakers.resume(name)
        self.ledger.wake.because(RESUMED)
        return resumed


def _dead_event(key: str, body: bytes) -> tuple[Event, list[str]]:
    try:
        document = json.loads(body)
        files = document["job_files"]
        if not isinstance(files, list) or not all(map(_is_job_file, files)):
            raise ValueError("job_files must be a list of keys below jobs/")
        return read_event(json.dumps(document["event"]).encode()), files
    except (ValueError, KeyError, TypeError, RecursionError, UnknownEvent) as error:
        raise UnknownEvent(
            f"{key} is not a dead event as rescue writes them ({type(error).__name__}: {error});"
            " look at it, put the job files it names into jobs/ again, and delete it."
        ) from None


def _is_job_file(key: Any) -> bool:
    return isinstance(key, str) and key.startswith(layout.JOB_FILES) and key.isprintable()
