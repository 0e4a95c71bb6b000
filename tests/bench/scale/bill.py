"""What a day costs, by the price lists of tests/bench/prices.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.price import prices, size_of
from tests.bench.scale.day import Day

POLL_RUN = 540.0
"""Seconds a busy poller runs before it hands over (s.yaml: timeout 600, of which 60 are kept)."""


@dataclass(frozen=True)
class Bill:
    """CNY of a day, over all accounts: functions, requests, images; and the jobs that started."""

    submit: float
    poll: float
    oss: float
    images: float
    jobs: int

    @property
    def system(self) -> float:
        """Without the images, which cost the same whoever asks for them."""
        return self.submit + self.poll + self.oss

    @property
    def thousand(self) -> float:
        """CNY for a thousand jobs, without the images."""
        return 1000 * self.system / max(1, self.jobs)


def bill(day: Day) -> Bill:
    """The bill of a simulated day; a month is thirty of them, for the price's tiers."""
    list_, accounts, used = prices(), day.layout.accounts, day.used
    calls = float(sum(day.taken.admitted))
    submit = list_.units(size_of("submit"), used.submit_seconds, calls)
    poll = list_.units(size_of("poll"), used.poll_seconds, used.poll_seconds / POLL_RUN)
    factor = list_.month(30 * (submit + poll)) / 30 / (submit + poll)
    least = list_.figures["function_compute"]["least_cny_per_hour"] * 24 * day.layout.deployments
    images = sum(
        len(one.start) * day.layout.lanes[number % len(day.layout.lanes)].image
        for number, one in enumerate(day.served)
    )
    return Bill(
        submit=accounts * max(least, submit * factor),
        poll=accounts * max(least, poll * factor),
        oss=accounts * list_.requests(used.writes, used.reads),
        images=accounts * images,
        jobs=accounts * day.started,
    )
