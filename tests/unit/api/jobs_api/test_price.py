"""What a job costs, before it is sent and after, for the kinds of price no model of the catalogue
has: one figure for command line, API and manifest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.catalogue.models import SYNC, Price, PriceTier
from shared.jobs.billing import price_at_most
from tests.kit.http import ask
from tests.kit.studio import accept_with
from tests.kit.world import World, job_file, model, run

FALLING = Price(
    "CNY", 0.3, 0, True, "2026-11-28", {}, (PriceTier(0.15, after_images=25_000),), 0.0, True
)


def world_of(price: Price) -> World:
    return World(models=(replace(model(), price=price),))


def before_and_after(world: World) -> tuple[Any, Any, Any]:
    """The price as a check computes it, as the API answers and as the manifest has it."""
    answer = ask(world, "POST", "/jobs", job_file(id="cat", parameters={"n": 2})).json
    app = world.app()
    first = app.ledger.records.last("cat")
    assert first is not None
    assert first.spec is not None
    checked = price_at_most(app.rules, first.spec)
    assert run(world) == "nothing left"
    return checked, answer["price_at_most"], world.manifest("cat")["price"]


def test_a_price_by_amount_is_at_most_before_and_after() -> None:
    checked, answered, paid = before_and_after(world_of(FALLING))
    assert checked == answered == paid
    assert (paid["total"], paid["at_most"], paid["per_image_at_least"]) == (0.6, True, 0.15)


def test_a_call_without_images_costs_one_too() -> None:
    entry = replace(model(mode=SYNC), price=replace(FALLING, tiers=()))
    world = World(models=(entry,))
    output = {"message": "No text detected for translation"}
    world.studio.script.append(accept_with(output=output, usage={}))
    _, _, paid = before_and_after(world)
    assert (world.state("cat"), paid["total"]) == ("SUCCEEDED", 0.3)
    assert world.manifest("cat")["message"] == output["message"]


def test_a_task_without_images_costs_one_and_api_and_manifest_keep_the_message() -> None:
    world = world_of(replace(FALLING, tiers=()))
    output = {"task_status": "SUCCEEDED", "message": "No text detected for translation"}
    world.studio.script.append(accept_with(output=output, usage={}))
    _, answered, paid = before_and_after(world)
    assert (answered["total"], paid["total"], paid["images"]) == (0.6, 0.3, 1)
    view = ask(world, "GET", "/jobs/cat").json
    assert (view["state"], view["error"], view["images"]) == ("SUCCEEDED", None, [])
    assert view["result"]["message"] == output["message"]
