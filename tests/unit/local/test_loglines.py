"""The laptop's log is written for people."""

from __future__ import annotations

import pytest

from local.runtime.loglines import readable


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain text", "plain text"),
        ('{"a": 1}', '{"a": 1}'),
        ("{broken", "{broken"),
        (
            '{"time":"2026-11-20T08:31:02.123Z","level":"WARNING","message":"job c: x"}',
            "08:31:02 WARN  job c: x",
        ),
        (
            '{"time":"2026-11-20T08:31:02.1Z","level":"ERROR","message":"m","stack":"a\\n  b\\n"}',
            "08:31:02 ERROR m\n    a\n      b",
        ),
    ],
)
def test_people_on_a_laptop_read_sentences(line: str, shown: str) -> None:
    assert readable(line) == shown
