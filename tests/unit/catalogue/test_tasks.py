"""What people want to do, and which model to begin with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Model
from shared.catalogue.tasks import Task, load_tasks

CATALOGUE = load_catalogue()
TASKS = load_tasks()
ICONS = Path(__file__).resolve().parents[3] / "web/js/icons.js"


@pytest.mark.parametrize("model", CATALOGUE.models(), ids=lambda one: one.name)
def test_every_model_does_something(model: Model) -> None:
    assert set(model.tasks) & {one.id for one in TASKS}


@pytest.mark.parametrize("task", TASKS, ids=lambda one: one.id)
def test_every_task_can_be_begun_with_a_model_that_has_a_future(task: Task) -> None:
    first = CATALOGUE.get(task.recommended[0])
    assert first is not None
    assert first.status is None
    assert first.price.payable


@pytest.mark.parametrize("task", TASKS, ids=lambda one: one.id)
def test_the_page_has_a_picture_for_every_task(task: Task) -> None:
    assert re.search(rf"^  {task.icon}: ", ICONS.read_text(encoding="utf-8"), re.MULTILINE)
