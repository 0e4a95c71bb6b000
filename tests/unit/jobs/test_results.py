"""What becomes of answers: images at any depth, texts, hosts without a list, and the bill."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shared.catalogue.errors import load_errors
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import ImageNumber, Price, PriceTier
from shared.jobs.wanted import Wanted, wanted
from shared.storage import layout
from tests.kit.studio import accept_with
from tests.kit.world import World, model, run, submit
from tests.simulation.studio import result_url

CONTENT = "/output/choices/*/message/content/*/"
SCHEMA = Path(__file__).parents[3] / "schemas" / "result.schema.yaml"


def world_of(n: int = 4, **parts: Any) -> World:
    """A world with one model, whose images lie in choices; `parts` of the model are the test's."""
    usual: dict[str, Any] = {
        "results_at": f"{CONTENT}image",
        "texts_at": f"{CONTENT}text",
        "parameters_schema": {
            "type": "object",
            "properties": {"n": {"type": "integer", "default": n}, "size": {"type": "string"}},
        },
    }
    return World(models=(replace(model(), **{**usual, **parts}),))


def picture(number: int) -> dict[str, str]:
    return {"type": "image", "image": result_url("t", number)}


def answer(*contents: list[dict[str, str]], **output: Any) -> dict[str, Any]:
    choices = [{"message": {"content": content}} for content in contents]
    return {"task_status": "SUCCEEDED", "choices": choices, **output}


def collected(
    world: World, *answers: dict[str, Any], usage: Any = None, job: str = "cat", **own: Any
) -> dict[str, Any]:
    """The manifest of a job whose tasks are answered so."""
    world.queued(job, **own)
    for output in answers:
        world.studio.script.append(accept_with(output=output, usage=usage or {}))
    assert run(world) == "nothing left"
    manifest = world.manifest(job)
    Draft202012Validator(yaml.safe_load(SCHEMA.read_text())).validate(manifest)
    return manifest


def hosts_named(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in manifest["warnings"] if one["source"] == "RESULT_HOSTS setting"]


def numbers(rows: list[dict[str, Any]]) -> list[int]:
    return [row["number"] for row in rows]


def test_every_image_of_every_choice_is_stored() -> None:
    world = world_of()
    first = [picture(1), {"type": "text", "text": "and"}, picture(2)]
    manifest = collected(world, answer(first, [picture(3)], [picture(4)]))
    assert manifest["state"] == "SUCCEEDED"
    assert numbers(manifest["images"]) == [1, 2, 3, 4]
    assert (manifest["failed_images"], manifest["texts"]) == ([], ["and"])
    assert all(world.bucket.peek(image["key"]) for image in manifest["images"])


def test_an_image_that_was_asked_for_and_is_missing_has_failed() -> None:
    manifest = collected(world_of(), answer([picture(1), picture(2), picture(3)]))
    (failed,) = manifest["failed_images"]
    assert (failed["number"], failed["message"]) == (4, "The answer names 3 of 4 images.")
    assert manifest["price"]["images"] == 3


def test_more_images_than_were_asked_for_are_kept() -> None:
    manifest = collected(world_of(n=1), answer([picture(number) for number in range(1, 13)]))
    assert numbers(manifest["images"]) == list(range(1, 13))
    assert manifest["price"]["images"] == 12


def test_an_answer_without_end_is_read_up_to_a_bound() -> None:
    manifest = collected(world_of(n=1), answer([picture(number) for number in range(1, 100)]))
    assert len(manifest["images"]) == 64


@pytest.mark.parametrize("on_partial", ["keep", "retry-failed"])
def test_images_that_an_answer_does_not_name_are_made_again_where_the_job_asks(
    on_partial: str,
) -> None:
    answers = [answer([picture(1), picture(2)]), answer([picture(3)])]
    again = on_partial == "retry-failed"
    world = world_of(n=3)
    world.errors = load_errors()
    manifest = collected(world, *answers[: 1 + again], on_partial=on_partial)
    assert len(manifest["images"]) == 2 + again
    assert [post.body["parameters"]["n"] for post in world.studio.posts[1:]] == [1] * again
    for one in manifest["failed_images"]:
        assert (one["code"], one["class"], one["retryable"]) == ("NoUrl", "transient", True)
        assert "on_partial: retry-failed" in one["hint"]


def test_of_a_set_fewer_may_come() -> None:
    fewer = (ImageNumber("/parameters/n", fewer=True),)
    manifest = collected(world_of(n=12, number=fewer), answer([picture(1), picture(2)]))
    assert (numbers(manifest["images"]), manifest["failed_images"]) == ([1, 2], [])


def test_another_parameter_may_say_how_many() -> None:
    when = ({"at": "/parameters/mode", "equals": "set"},)
    number = (ImageNumber("/parameters/count", when),)
    schema = {"type": "object", "properties": {"n": {"default": 1}, "count": {}, "mode": {}}}
    world = world_of(number=number, parameters_schema=schema)
    manifest = collected(world, answer([picture(1)]), parameters={"mode": "set", "count": 2})
    assert numbers(manifest["failed_images"]) == [2]
    manifest = collected(world, answer([picture(1)]), job="dog", parameters={"count": 2})
    assert manifest["failed_images"] == []


def test_a_success_without_an_image_says_what_the_service_said_and_what_it_cost() -> None:
    world = world_of(n=1, results_at="/output/image_url")
    said = "No text detected for translation"
    output = {"task_status": "SUCCEEDED", "message": said}
    manifest = collected(world, output, usage={"image_count": 1})
    assert (manifest["state"], manifest["error"]["code"]) == ("FAILED", "NoImages")
    assert said in manifest["error"]["message"]
    assert (manifest["message"], manifest["price"]["images"]) == (said, 1)


def priced_without_images() -> Price:
    return replace(model().price, billed_without_images=True)


@pytest.mark.parametrize("usage", [{}, {"image_count": 0}, {"image_count": 1}])
def test_a_task_without_images_is_a_success_that_costs_one_where_the_model_says_so(
    usage: Any,
) -> None:
    world = world_of(n=1, results_at="/output/image_url", price=priced_without_images())
    said = "No text detected for translation"
    output = {"task_status": "SUCCEEDED", "message": said}
    manifest = collected(world, output, usage=usage)
    assert (manifest["state"], manifest["error"], manifest["images"]) == ("SUCCEEDED", None, [])
    assert (manifest["message"], manifest["failed_images"]) == (said, [])
    assert (manifest["price"]["images"], manifest["usage"]["image_count"]) == (1, 1)
    assert manifest["price"]["total"] == model().price.per_image


def test_a_task_without_images_and_without_a_word_has_failed_and_may_be_billed() -> None:
    world = world_of(n=1, results_at="/output/image_url", price=priced_without_images())
    manifest = collected(world, {"task_status": "SUCCEEDED"})
    assert (manifest["state"], manifest["error"]["code"]) == ("FAILED", "NoImages")
    assert manifest["price"]["images"] == 1


def test_an_image_that_failed_is_free_whatever_the_price_says_of_tasks_without_images() -> None:
    world = world_of(n=1, price=priced_without_images())
    refused = {"code": "DataInspectionFailed", "message": "no"}
    choices = answer([refused], message="no")
    manifest = collected(world, choices, usage={"image_count": 0})
    assert (manifest["state"], len(manifest["failed_images"])) == ("FAILED", 1)
    assert manifest["price"]["images"] == 0


def test_a_remark_on_a_good_task_is_kept() -> None:
    manifest = collected(world_of(n=1), answer([picture(1)], message="rewritten"))
    assert (manifest["state"], manifest["message"]) == ("SUCCEEDED", "rewritten")
    assert "texts" not in manifest


@pytest.mark.parametrize("word", ["PRE-PROCESSING", "POST-PROCESSING", "SUSPENDED"])
def test_further_words_for_a_task_that_runs(word: str) -> None:
    world = World()
    world.queued("cat")
    submit(world, "cat")
    real = world.studio.show

    def show(task_id: str) -> dict[str, Any]:
        answer = real(task_id)
        if answer["output"]["task_status"] in ("PENDING", "RUNNING"):
            answer["output"]["task_status"] = word
        return answer

    world.studio.show = show  # type: ignore[method-assign]
    assert run(world) == "nothing left"
    assert world.states("cat")[-1] == "SUCCEEDED"
    app = world.app()
    world.queued("dog")
    submit(world, "dog")
    last = app.ledger.records.last("dog")
    assert last is not None
    collection = app.poller.follower.collection
    made = collection.take(last, collection.ask(last))
    assert made is not None and made.state == "RUNNING"


def test_the_host_is_named_where_no_list_is_published() -> None:
    manifest = collected(world_of(n=2, result_hosts=()), answer([picture(1), picture(2)]))
    host = "dashscope-result-bj.oss-cn-beijing.aliyuncs.com"
    (notice,) = hosts_named(manifest)
    assert (notice["found"], host in notice["message"]) == (host, True)
    assert {image["host"] for image in manifest["images"]} == {host}


def test_a_documented_host_is_not_worth_a_word() -> None:
    manifest = collected(world_of(n=1), answer([picture(1)]))
    assert hosts_named(manifest) == []
    assert "host" not in manifest["images"][0]


def tiers(**parts: Any) -> World:
    """Up to 0.5 megapixels 0.1, else 0.4; 0.02 for each of the two input images."""
    price = replace(
        model().price,
        per_image=0.4,
        payable=True,
        tiers=(PriceTier(0.1, area_at_most=500_000),),
        per_input_image=0.02,
    )
    return world_of(**{"price": price, **parts})


REFUSED = {"code": "InternalError", "message": "later"}


def test_the_bill_is_by_the_size_of_what_came() -> None:
    """The test's pictures have one pixel, whatever was asked for."""
    manifest = collected(tiers(n=2), answer([picture(1), picture(2)]), parameters={"size": "2K"})
    assert manifest["price"]["total"] == pytest.approx(0.2 + 2 * 0.02)


def test_the_bill_is_by_the_service_s_count_and_size_where_it_tells_them() -> None:
    world = tiers(n=2, usage_at=("/usage/none", "/usage/made"), area_at=("/usage/w", "/usage/h"))
    usage = {"made": 1, "w": 1000, "h": 1000, "image_count": 2}
    manifest = collected(world, answer([picture(1), picture(2)]), usage=usage)
    assert (manifest["price"]["images"], manifest["price"]["total"]) == (1, 0.44)


@pytest.mark.parametrize("count", [-1, 99, True, "2", 1.5, [2]])
def test_a_count_that_cannot_be_is_not_believed(count: Any) -> None:
    manifest = collected(tiers(n=2), answer([picture(1)], [REFUSED]), usage={"image_count": count})
    assert manifest["price"]["images"] == 1


def test_attempts_add_up_and_each_pays_its_input_images() -> None:
    world = tiers(n=3, area_at=("/output/w", "/output/h"))
    first = answer([picture(1), REFUSED, REFUSED], w=1000, h=1000)
    second = answer([picture(4), picture(5)], w=100, h=100)
    manifest = collected(world, first, second, on_partial="retry-failed")
    assert numbers(manifest["images"]) == [1, 2, 3]
    assert [post.body["parameters"]["n"] for post in world.studio.posts[1:]] == [2]
    assert manifest["price"] == {
        "currency": "CNY",
        "per_image": 0.4,
        "images": 3,
        "per_input_image": 0.02,
        "input_images": 4,
        "items": [{"per_image": 0.1, "images": 2}, {"per_image": 0.4, "images": 1}],
        "total": 0.68,
        "checked": model().price.checked,
    }
    assert manifest["usage"]["image_count"] == 3


def test_an_attempt_that_made_nothing_pays_no_input_images() -> None:
    world = tiers(n=1)
    manifest = collected(world, answer([REFUSED]), answer([picture(1)]), on_partial="retry-failed")
    assert (manifest["price"]["input_images"], manifest["price"]["total"]) == (2, 0.14)


def test_no_attempt_may_take_a_job_beyond_the_highest_price_of_retries() -> None:
    """The input images of the next attempt count as well, and its images at the dearest."""
    price = replace(model().price, per_image=1.0, payable=True, per_input_image=2.0)
    world = world_of(n=2, price=price)
    first = answer([picture(1), REFUSED])
    assert world.policy.most_price == 10.0
    collected(world, first, answer([picture(2)]), on_partial="retry-failed")
    assert len(world.studio.posts) == 2
    dear = replace(price, per_input_image=2.1)
    world = world_of(n=2, price=dear)
    manifest = collected(world, first, on_partial="retry-failed")
    assert (len(world.studio.posts), numbers(manifest["failed_images"])) == (1, [2])


def test_what_a_job_costs_is_said_before_and_of_what_is_left() -> None:
    world = tiers(n=3)
    record = world.queued("cat", parameters={"size": "1000*1000", "n": 3})
    app = world.app()
    spec = app.ledger.records.with_spec(record).spec
    before = app.estimates().price(record, spec)
    assert before is not None
    assert (before["total"], before["images"], before["input_images"]) == (1.24, 3, 2)
    assert "at_most" not in before
    record = world.queued("dog")
    unsized = app.estimates().price(record, app.ledger.records.with_spec(record).spec)
    assert unsized is not None and unsized["at_most"] is True


def test_what_is_said_before_covers_the_input_images_of_every_attempt() -> None:
    world = tiers(n=3)
    record = world.queued("cat", on_partial="retry-failed", parameters={"size": "1000*1000"})
    app = world.app()
    said = app.estimates().price(record, app.ledger.records.with_spec(record).spec)
    assert said is not None and said["at_most"] is True
    answers = ([picture(1), REFUSED, REFUSED], [picture(2), REFUSED], [picture(3)])
    world.studio.script += [accept_with(output=answer(one), usage={}) for one in answers]
    assert run(world) == "nothing left"
    after = world.manifest("cat")["price"]
    assert (after["images"], after["input_images"]) == (3, 6)
    assert said["total"] >= after["total"]


def test_a_record_from_before_there_were_bills_still_counts() -> None:
    world = tiers(n=2)
    world.queued("cat", on_partial="retry-failed")
    world.studio.script.append(accept_with(output=answer([picture(1), REFUSED])))
    submit(world, "cat")
    world.timeline.wait(6)
    app = world.app()
    last = app.ledger.records.last("cat")
    assert last is not None
    collection = app.poller.follower.collection
    queued = collection.take(last, collection.ask(last))
    assert queued is not None and queued.bill is not None
    key = layout.record("cat", queued.seq)
    stored = world.record("cat")
    del stored["bill"]
    world.bucket.write(key, json.dumps(stored).encode())
    world.studio.script.append(accept_with(output=answer([picture(2)])))
    assert run(world) == "nothing left"
    assert world.manifest("cat")["price"]["images"] == 2


@pytest.mark.parametrize(
    ("parameters", "made"),
    [
        ({}, Wanted(1, at="/parameters/n")),
        ({"n": 4}, Wanted(4, at="/parameters/n")),
        ({"enable_sequential": True}, Wanted(12, False, "/parameters/n")),
        ({"enable_sequential": True, "n": 5}, Wanted(5, False, "/parameters/n")),
        ({"n": "4"}, Wanted(1, at="/parameters/n")),
    ],
)
def test_how_many_images_a_set_may_have(parameters: dict[str, Any], made: Wanted) -> None:
    entry = load_catalogue().get("wan2.7-image")
    assert wanted(entry, {"input": {"prompt": "a cat"}, "parameters": parameters}) == made


def test_a_model_that_makes_one_image_has_no_field_for_it() -> None:
    entry = load_catalogue().get("z-image-turbo")
    assert wanted(entry, {"input": {}, "parameters": {}}) == Wanted(1)
