"""`/models` names the successor, and `/models/{name}/convert` writes jobs for it; nothing else."""

from __future__ import annotations

import pytest

from tests.kit.http import PREFIX, ask, token
from tests.kit.jobfile import CATALOGUE, EDIT, PAINTING, image, painting, sketch
from tests.kit.world import World

SUCCESSOR = "wanx2.1-imageedit"
CONVERT = f"/models/{SUCCESSOR}/convert"


@pytest.fixture()
def world() -> World:
    return World(models=tuple(CATALOGUE.models()))


def test_the_jobs_of_a_file_are_written_for_the_model_of_the_path(world: World) -> None:
    before = set(world.bucket.keys())
    reply = ask(world, "POST", CONVERT, sketch(parameters={"sketch_weight": 3}))
    assert reply.status == 200, reply.text
    assert reply.json["model"] == SUCCESSOR
    (job,) = reply.json["jobs"]
    assert job["job_file"]["input"]["function"] == "doodle"
    assert any("sketch_weight" in note for note in job["notes"])
    assert set(world.bucket.keys()) == before
    assert ask(world, "POST", "/jobs", job["job_file"]).status == 202


def test_a_mask_of_the_bucket_is_read(world: World) -> None:
    world.bucket.write("inputs/b.png", image("PNG", (600, 600)))
    world.bucket.write("inputs/m.png", image("PNG", (600, 600), "L"))
    names = {"base_image_url": "oss:///inputs/b.png", "mask_image_url": "oss:///inputs/m.png"}
    reply = ask(world, "POST", CONVERT, painting(input=names))
    assert reply.status == 200, reply.text
    made = reply.json["jobs"][0]["job_file"]["input"]
    assert made["mask_image_url"].startswith("data:image/png;base64,")
    assert made["base_image_url"] == "oss:///inputs/b.png"


def test_a_mask_of_another_team_is_not_read(world: World) -> None:
    foreign = "oss:///results/team-b-cat/1.png"
    job = painting(input={"mask_image_url": foreign})
    reply = ask(world, "POST", CONVERT, job, token("submit", PREFIX))
    assert reply.status == 422
    assert reply.json["violations"][0]["source"] == "token"


def test_what_cannot_be_converted_names_what_can(world: World) -> None:
    reply = ask(world, "POST", f"/models/{EDIT}/convert", painting())
    assert reply.status == 422
    (violation,) = reply.json["violations"]
    assert violation["pointer"] == "/model"
    assert f"they can be converted to {SUCCESSOR}" in violation["message"]


def test_an_unknown_model_is_told(world: World) -> None:
    reply = ask(world, "POST", "/models/nothing/convert", painting())
    assert (reply.status, reply.json["title"]) == (404, "No such model")
    assert SUCCESSOR in reply.json["detail"]


def test_the_catalogue_says_which_field_holds_the_number_of_images(world: World) -> None:
    models = {one["name"]: one for one in ask(world, "GET", "/models").json["models"]}
    (said,) = models["wan2.7-image"]["number"]
    assert (said["at"], said["fewer"]) == ("/parameters/n", True)
    assert said["when"] == [{"at": "/parameters/enable_sequential", "equals": True}]


def test_the_catalogue_says_what_becomes_of_a_model(world: World) -> None:
    models = {one["name"]: one for one in ask(world, "GET", "/models").json["models"]}
    assert models[EDIT]["status"] is None
    status = models[PAINTING]["status"]
    assert (status["state"], status["successor"]) == ("trial_only", SUCCESSOR)
    assert status["convertible"] is True
    assert f"wanx convert FILE --to {SUCCESSOR}" in models[PAINTING]["notices"][0]["en"]
    assert SUCCESSOR in models[PAINTING]["notices"][0]["zh"]
