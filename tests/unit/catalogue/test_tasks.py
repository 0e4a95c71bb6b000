"""What people want to do, and which model to begin with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Model
from shared.catalogue.tasks import Task, load_tasks

CATALOGUE = load_catalogue()
TASKS = load_tasks()
WEB = Path(__file__).resolve().parents[3] / "web"


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
    assert re.search(
        rf"^  {task.icon}: ", (WEB / "js/icons.js").read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.mark.parametrize("task", TASKS, ids=lambda one: one.id)
def test_the_files_of_a_sample_are_there(task: Task) -> None:
    sample = task.sample
    names = [*sample["pictures"], *([sample["mask"]] if "mask" in sample else [])]
    assert all((WEB / "samples" / name).is_file() for name in names)
    assert len(sample["pictures"]) >= task.pictures.get("min", 0)


@pytest.mark.parametrize("task", TASKS, ids=lambda one: one.id)
def test_the_values_of_a_sample_are_fields_of_a_model_that_does_the_task(task: Task) -> None:
    models = [one for one in CATALOGUE.models() if task.id in one.tasks]
    for pointer, value in task.sample.get("values", {}).items():
        _, section, name = pointer.split("/")
        fields = [field for model in models if (field := model.field(section, name))]
        assert fields, pointer
        assert all(Draft202012Validator(field).is_valid(value) for field in fields)
