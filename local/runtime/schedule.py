"""When a timer trigger fires: `@every 5m`, or six cron fields in UTC or in CRON_TZ's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError


@dataclass(frozen=True)
class Schedule:
    """A cron expression of the Function Compute "timer trigger" page."""

    minutes: int | None = None
    """The interval of `@every`; None for six fields."""
    fields: str = ""
    zone: str = "UTC"

    @classmethod
    def parse(cls, expression: str) -> Schedule:
        """An expression that deploy.stack took. Raises ValueError if no tick ever comes."""
        if expression.startswith("@every "):
            return cls(minutes=int(expression.removeprefix("@every ")[:-1]))
        zone, fields = "UTC", expression
        if expression.startswith("CRON_TZ="):
            zone, fields = expression.removeprefix("CRON_TZ=").split(" ", 1)
        schedule = cls(fields=fields.replace("?", "*").upper(), zone=zone)
        try:
            schedule.next_after(datetime.now(timezone.utc))
        except (CronSimError, StopIteration) as error:
            raise ValueError(f"{expression!r}: {error or 'never fires'}") from None
        return schedule

    @property
    def expression(self) -> str:
        """As a trigger's cronExpression has it."""
        if self.minutes is not None:
            return f"@every {self.minutes}m"
        return self.fields if self.zone == "UTC" else f"CRON_TZ={self.zone} {self.fields}"

    def next_after(self, moment: datetime, minute: float = 60.0) -> datetime:
        """The first tick after `moment` (aware), in UTC; `minute` is the length of `@every`'s."""
        if self.minutes is not None:
            return moment + timedelta(seconds=self.minutes * minute)
        local = moment.astimezone(ZoneInfo(self.zone))
        return next(CronSim(self.fields, local)).astimezone(timezone.utc)
