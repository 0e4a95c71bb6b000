"""Programs for the newer models, after the examples of their API references, run unchanged against
the service and against `api`: each writes its images and prints the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.dashscope.images import ImageHost
from tests.conformance.dashscope.runs import Runs, pictures_of, printed_by
from tests.conformance.laptop import Laptop

PROGRAMS = {path.stem: path for path in sorted(Path(__file__).with_name("models").glob("*.py"))}
IMAGES = {
    "image_edit_async": 2,
    "text_to_image_async": 2,
    "wan_image_async": 3,
    "qwen_image_async": 2,
    "qwen_image_edit": 2,
    "background_generation": 5,
    "style_repaint": 2,
    "tryon": 3,
}
"""How many each makes, if not one. Of a set of four the stand-in makes three, as the model may."""
ASIDE = {"finished", "rewrite_status", "reasoning_content", "type"}
"""What some models' answers have beside the results and ours leave out, or the other way round."""

OF_ONE = {
    "qwen_image_task": {"task_metrics"},
    "qwen_mt_image": {"task_metrics"},
    "qwen_image_plus": {"width", "height"},
}
"""The samples of the first two tell no task_metrics; `api` does of every model that answers flat. A
call of the third is a task behind `api`, and the usage of such a task tells no size."""


@pytest.fixture(scope="module")
def runs(
    laptop: Laptop, images: ImageHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    texts = {name: path.read_text(encoding="utf-8") for name, path in PROGRAMS.items()}
    all_runs = Runs(texts, laptop, images, tmp_path_factory.mktemp("models"))
    yield all_runs
    all_runs.stop()


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_behaves_alike_on_both(name: str, runs: Runs) -> None:
    aside = ASIDE | OF_ONE.get(name, set())
    service, api = (_lines(printed_by(run.process), aside) for run in runs.of(name))
    made = [pictures_of(run.folder) for run in runs.of(name)]
    assert made[0] == made[1], "the images differ in number, format or size"
    assert len(made[0]) == IMAGES.get(name, 1)
    assert api == service


def _lines(printed: str, aside: set[str]) -> list[Any]:
    return [_without(_read(line), aside) for line in printed.splitlines()]


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _without(value: Any, aside: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(part, aside) for name, part in value.items() if name not in aside}
    return [_without(part, aside) for part in value] if isinstance(value, list) else value
