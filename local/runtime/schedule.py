"""When a timer trigger fires: `@every 5m`, or six cron fields in UTC or in CRON_TZ's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

EVERY = re.compile(r"@every\s+([1-9]\d*)m")
ZONED = re.compile(r"(?:CRON_TZ=(?P<zone>\S+)\s+)?(?P<fields>\S.*)")


@dataclass(frozen=True)
class Schedule:
    """A cron expression of the Function Compute "timer trigger" page."""

    expression: str
    minutes: int | None = None
    """The interval of `@every`; None for six fields."""
    fields: str = ""
    zone: str = "UTC"

    @classmethod
    def parse(cls, expression: str) -> Schedule:
        """Raises ValueError saying what is wrong with the expression."""
        every = EVERY.fullmatch(expression.strip())
        if every:
            return cls(expression, minutes=int(every[1]))
        zoned = ZONED.fullmatch(expression.strip())
        if zoned is None or len(zoned["fields"].split()) != 6:
            raise ValueError(
                f"cronExpression {expression!r}: expected '@every 5m' (whole minutes) or six "
                "fields: seconds minutes hours day-of-month month day-of-week"
            )
        return cls._cron(expression, zoned["fields"], zoned["zone"] or "UTC")

    @classmethod
    def _cron(cls, expression: str, fields: str, zone: str) -> Schedule:
        schedule = cls(expression, fields=fields.replace("?", "*").upper(), zone=zone)
        if not fields.split()[0].isdigit():
            raise ValueError(
                f"cronExpression {expression!r}: seconds must be one number from 0 to 59"
            )
        try:
            schedule.next_after(datetime.now(timezone.utc))
        except (CronSimError, ZoneInfoNotFoundError, ValueError, StopIteration) as error:
            raise ValueError(f"cronExpression {expression!r}: {error or 'never fires'}") from None
        return schedule

    def next_after(self, moment: datetime, minute: float = 60.0) -> datetime:
        """The first tick after `moment` (aware), in UTC; `minute` is the length of `@every`'s."""
        if self.minutes is not None:
            return moment + timedelta(seconds=self.minutes * minute)
        local = moment.astimezone(ZoneInfo(self.zone))
        return next(CronSim(self.fields, local)).astimezone(timezone.utc)
