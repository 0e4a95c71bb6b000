"""Options of `wanx list`."""

from __future__ import annotations

from cli.commands.jobs import since_seconds

NOW = 1_800_000_000.0


def test_times_since() -> None:
    assert since_seconds(None, NOW) == 0
    assert since_seconds("30m", NOW) == NOW - 1800
    assert since_seconds("2h", NOW) == NOW - 7200
    assert since_seconds("3d", NOW) == NOW - 3 * 86400
    assert since_seconds("2026-11-20T12:00:00Z", NOW) == 1795176000
