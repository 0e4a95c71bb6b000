"""What s.yaml declares, as the runtime needs it: functions, their triggers, their limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from local.runtime.schedule import Schedule


@dataclass(frozen=True)
class OssTrigger:
    """Fires on object events, whose names carry the prefix `oss:`."""

    name: str
    events: tuple[str, ...]
    prefix: str
    suffix: str
    bucket: str | None
    """The bucket of `sourceArn`; None fires for every bucket."""
    role: str | None = None
    """The ARN of `invocationRole`, under which OSS calls the function."""

    def matches(self, event_name: str, bucket: str, key: str) -> bool:
        """Whether an object event fires this trigger; `event_name` with or without `oss:`."""
        return (
            self.bucket in (None, bucket)
            and key.startswith(self.prefix)
            and key.endswith(self.suffix)
            and f"oss:{event_name.removeprefix('oss:')}" in self.events
        )


@dataclass(frozen=True)
class TimerTrigger:
    """Fires on a schedule; the payload is handed over as a string, whatever it holds."""

    name: str
    schedule: Schedule
    payload: str


@dataclass(frozen=True)
class HttpTrigger:
    """Lets HTTP requests in, for these methods alone."""

    name: str
    methods: tuple[str, ...]


@dataclass(frozen=True)
class WebServer:
    """The server a custom runtime starts; `concurrency`: requests an instance takes at once."""

    command: tuple[str, ...]
    concurrency: int


@dataclass(frozen=True)
class Initializer:
    """Runs once in each instance, before its first event; `timeout` in seconds."""

    handler: str
    timeout: float


@dataclass(frozen=True)
class AsyncPolicy:
    """What happens to an asynchronous event that fails (Function Compute "retry policy" page)."""

    retries: int = 3
    max_age: float = 86400.0
    """Seconds after which an event is given up even if it was never tried."""
    on_success: str | None = None
    on_failure: str | None = None
    """Name of the function that receives what was given up."""


@dataclass(frozen=True)
class Function:
    """One function of s.yaml; `timeout` in seconds, `memory` in MB."""

    resource: str
    name: str
    region: str
    runtime: str
    handler: str
    code: Path
    environment: dict[str, str]
    timeout: float
    memory: int
    role: str | None
    log_project: str
    log_store: str
    initializer: Initializer | None
    reserved_concurrency: int | None
    policy: AsyncPolicy
    oss_triggers: tuple[OssTrigger, ...] = field(default=())
    timer_triggers: tuple[TimerTrigger, ...] = field(default=())
    http_trigger: HttpTrigger | None = None
    web: WebServer | None = None
    """None for a built-in runtime, which runs a handler."""

    @property
    def arn(self) -> str:
        return f"acs:fc:{self.region}::functions/{self.name}"
