"""Whatever the HTTP API answers with a problem in the tests of this room can be read in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shared.api.jobs_api.problems import Problem
from shared.catalogue.words import with_chinese
from tests.kit.messages import english_in


@pytest.fixture(autouse=True)
def _every_problem_is_said_in_chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[dict[str, Any]] = []
    make = Problem.__init__

    def noted(self: Problem, status: int, title: str, detail: str, *more: Any) -> None:
        make(self, status, title, detail, *more)
        made.extend([{"message": title}, {"message": detail}, *self.extra.get("violations", ())])

    monkeypatch.setattr(Problem, "__init__", noted)
    yield
    english = {text for one in made for text in english_in(with_chinese(one))}
    assert not english
