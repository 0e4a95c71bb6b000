"""Whatever the tests of this room find wrong with a job can be read in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shared.catalogue.words import with_chinese
from shared.jobfile import Violation
from tests.kit.messages import english_in


@pytest.fixture(autouse=True)
def _everything_found_is_said_in_chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[Violation] = []
    make = Violation.__init__

    def noted(self: Violation, *args: Any, **more: Any) -> None:
        make(self, *args, **more)
        made.append(self)

    monkeypatch.setattr(Violation, "__init__", noted)
    yield
    texts = [with_chinese(one.to_dict()) for one in dict.fromkeys(made)]
    english = {text for one in texts for text in english_in(one)}
    assert not english
