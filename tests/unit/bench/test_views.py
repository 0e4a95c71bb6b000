"""When the goals of the page's requests count as reached."""

from __future__ import annotations

import pytest

from tests.bench.views import compared
from tests.browser.views import Views


@pytest.mark.parametrize(
    ("views", "reached"),
    [(Views(12, 3), True), (Views(13, 3), False), (Views(12, 4), False), (None, False)],
    ids=["at both goals", "first view above", "shown again above", "no browser"],
)
def test_both_views_must_be_counted_and_reach_their_goals(
    views: Views | None, reached: bool
) -> None:
    assert compared(views).reached is reached


def test_what_was_not_counted_says_so() -> None:
    (line,) = compared(None).lines
    assert (line.unit, line.n) == ("NOT MEASURED", 0)
    assert "apt-get install" in line.note
