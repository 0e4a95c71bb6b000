"""The full check of the model files and of errors.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.catalogue.check import check_catalogue, require_sound
from shared.catalogue.files import CatalogueError
from shared.catalogue.model_file import load_catalogue
from tests.kit.catalogue import change
from tests.kit.jobfile import SKETCH


def test_the_catalogue_of_the_repository_is_sound() -> None:
    require_sound()


def test_adding_a_model_is_adding_a_file(folder: Path) -> None:
    text = (folder / "models" / f"{SKETCH}.yaml").read_text(encoding="utf-8")
    new = folder / "models" / "wanx-new.yaml"
    new.write_text(text.replace(f"name: {SKETCH}", "name: wanx-new"), encoding="utf-8")
    assert check_catalogue(folder) == []
    assert load_catalogue(folder).get("wanx-new") is not None


def test_a_task_that_nobody_knows_is_named(folder: Path) -> None:
    change(folder, "tasks: {sketch: {}}", "tasks: {sculpt: {}}")
    found = check_catalogue(folder)
    assert f"{SKETCH} at /tasks: sculpt is not a task; use one of repaint, edit" in found[0]
    assert f"tasks.yaml: sketch recommends {SKETCH}, which does not do it" in found


def test_a_broken_task_is_named_with_its_place(folder: Path) -> None:
    file = folder / "tasks.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("icon: brush", "picture: brush", 1), encoding="utf-8")
    assert any(one.startswith("tasks.yaml at /tasks/0: ") for one in check_catalogue(folder))


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ("queue_ahead: 1", "queue_ahead: 1\n  surprise: 1", "/limits:"),
        ("concurrent: 1", "concurrrent: 1", "/limits:"),
        ("minimum: 1", "minimun: 1", "/parameters/properties/n:"),
        ("default: 4", "default: 5", "/parameters/properties/n/default:"),
        ("source: pricing", "source: hearsay", "/price/source:"),
        ("at: /input/sketch_image_url", "at: /input/sketch", "/images/0/at:"),
        (
            "at: /parameters/sketch_color",
            "at: /parameters/color",
            "/rules/colour-of-extracted-lines/at:",
        ),
        ("kind: ignored_if", "kind: forgotten_if", "/rules/colour-of-extracted-lines:"),
        ("tasks: {sketch: {}}", "tasks: {}", "/tasks:"),
        (
            "tasks: {sketch: {}}",
            "tasks: {sketch: {/parameters/styl: [<auto>]}}",
            "/tasks/sketch/~1parameters~1styl: /parameters/styl is not a field",
        ),
        (
            "tasks: {sketch: {}}",
            "tasks: {sketch: {/parameters/style: [<none>]}}",
            "/tasks/sketch/~1parameters~1style: the field does not take '<none>'",
        ),
        ("guidance:\n  en: ", "guidance:\n  fr: Non\n  en: ", "/guidance:"),
        ("  en: The cheapest", f"  en: {'word ' * 40}", "/guidance/en: it takes 5 lines; shorten"),
        ("  zh: 由线稿", f"  zh: {'字' * 80}", "/guidance/zh: it takes 4 lines; shorten"),
    ],
)
def test_the_full_check_finds_what_loading_does_not(
    folder: Path, old: str, new: str, pointer: str
) -> None:
    with pytest.raises(CatalogueError) as raised:
        require_sound(change(folder, old, new))
    assert f"{SKETCH}.yaml at {pointer}" in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("guidance:", "guidanse:", "at /: the key `guidance` is missing"),
        ("  checked: 2026-11-20\n  source: api", "  source: api", "at /limits: the key `checked`"),
        ("lifecycle: {", "lifecycles: {", "at /: the key `lifecycle` is missing"),
        ("{checked: 2026-11-28,", "{checked: 2026-11-31,", "at /lifecycle/checked: '2026-11-31'"),
    ],
)
def test_what_to_take_and_when_it_was_read_must_be_there(
    folder: Path, old: str, new: str, told: str
) -> None:
    assert check_catalogue(change(folder, old, new)) != []
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(folder)
    assert told in str(raised.value)


def test_a_version_of_no_model_is_told(folder: Path) -> None:
    change(folder, "lifecycle: {", "snapshot_of: nobody\nlifecycle: {")
    assert check_catalogue(folder) == [f"{SKETCH}: nobody is no model of the catalogue"]


def test_a_wrong_rule_for_errors_is_told(folder: Path) -> None:
    path = folder / "errors.yaml"
    text = path.read_text(encoding="utf-8").replace("retry: few", "retry: sometimes", 1)
    path.write_text(text, encoding="utf-8")
    assert any("errors.yaml at /rules/0/retry" in line for line in check_catalogue(folder))


def test_a_pattern_that_cannot_be_read_is_told(folder: Path) -> None:
    path = folder / "errors.yaml"
    text = path.read_text(encoding="utf-8").replace("message: '", "message: '(", 1)
    path.write_text(text, encoding="utf-8")
    assert any("errors.yaml at /rules/0/message" in line for line in check_catalogue(folder))
