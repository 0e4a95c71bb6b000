from __future__ import annotations

import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
import requests
from PIL import Image

from tests.kit.form_upload import form_fields
from tests.kit.modelstudio_server import (
    CREATE,
    EDIT,
    PAINTING,
    SKETCH,
    Client,
    await_true,
    running_server,
)

DAY = 24 * 3600


@pytest.fixture()
def client() -> Iterator[Client]:
    with running_server() as served:
        yield served


def one_at_a_time(client: Client, model: str, seconds: float) -> None:
    limits = {model: {"concurrent_tasks": 1, "submissions_per_second": None}}
    client.set(limits=limits, task_seconds=seconds)


def test_a_finished_task_shows_its_images(client: Client) -> None:
    answer = client.done(client.body(PAINTING, n=2))
    output = answer["output"]
    assert set(answer) == {"request_id", "output", "usage"}
    assert set(output) == {"task_id", "task_status", "results", "task_metrics"}
    assert output["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 2, "FAILED": 0}
    assert answer["usage"] == {"image_count": 2}
    sizes = set()
    for result in output["results"]:
        assert set(result) == {"url"}
        download = requests.get(result["url"], timeout=20)
        assert download.headers["Content-Type"] == "image/png"
        assert int(download.headers["Content-Length"]) == len(download.content)
        sizes.add(Image.open(io.BytesIO(download.content), formats=["PNG"]).size)
    assert sizes == {(1024, 1024)}


def test_the_editing_model_tells_times_and_prompts(client: Client) -> None:
    body = client.body(EDIT, size="768*768")
    output = client.done(body)["output"]
    assert output["results"][0]["orig_prompt"] == "a cat"
    assert output["results"][0]["actual_prompt"] not in ("", "a cat")
    times = [output[name] for name in ("submit_time", "scheduled_time", "end_time")]
    assert times == sorted(times)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", text) for text in times)
    submitted = datetime.strptime(times[0] + "+0800", "%Y-%m-%d %H:%M:%S.%f%z")
    assert abs(datetime.now(timezone.utc) - submitted) < timedelta(minutes=5)
    body["parameters"]["prompt_extend"] = False
    assert set(client.done(body)["output"]["results"][0]) == {"orig_prompt", "url"}


@pytest.mark.parametrize(("model", "images"), [(PAINTING, 1), (SKETCH, 4), (EDIT, 4)])
def test_n_left_out_is_the_models_own_default(client: Client, model: str, images: int) -> None:
    client.set(faults=[{"at": "task", "error": "internal"}])
    body = client.body(model)
    del body["parameters"]
    assert client.done(body)["output"]["task_metrics"]["TOTAL"] == images


def test_an_id_never_seen_is_unknown(client: Client) -> None:
    answer = client.task("502a00b1-19d9-4839-a82f-000000000000")
    assert answer["output"] == {
        "task_id": "502a00b1-19d9-4839-a82f-000000000000",
        "task_status": "UNKNOWN",
    }
    assert set(answer) == {"request_id", "output"}


def test_only_a_pending_task_can_be_cancelled(client: Client) -> None:
    one_at_a_time(client, SKETCH, 60)
    running, waiting = (client.make(client.body(SKETCH)) for _ in range(2))
    answer = client.cancel(waiting)
    assert (answer.status_code, set(answer.json())) == (200, {"request_id"})
    assert client.task(waiting)["output"]["task_status"] == "CANCELED"
    client.wait(running, "RUNNING")
    for task_id in (running, waiting, "no-such-task"):
        answer = client.cancel(task_id)
        assert (answer.status_code, answer.json()["code"]) == (400, "UnsupportedOperation")
    assert client.stats(SKETCH)["in_flight"] == 1


def test_every_path_is_understood_with_a_slash_at_its_end(client: Client) -> None:
    one_at_a_time(client, SKETCH, 60)
    client.wait(client.make(client.body(SKETCH)), "RUNNING")
    waiting = client.post(client.body(SKETCH), CREATE + "/").json()["output"]["task_id"]
    assert client.get("/api/v1/tasks/").json()["total"] == 2
    assert client.get(f"/api/v1/tasks/{waiting}/").json()["output"]["task_status"] == "PENDING"
    cancelled = client.http.post(f"{client.url}/api/v1/tasks/{waiting}/cancel/", timeout=20)
    assert (cancelled.status_code, set(cancelled.json())) == (200, {"request_id"})
    assert client.task(waiting)["output"]["task_status"] == "CANCELED"
    policy = client.get("/api/v1/uploads/", action="getPolicy", model=SKETCH).json()["data"]
    form = form_fields(policy, "a.png")
    files = {"file": ("a.png", b"x")}
    uploaded = requests.post(f"{policy['upload_host']}/", data=form, files=files, timeout=20)
    assert uploaded.status_code == 200


def test_a_cancelled_task_never_runs(client: Client) -> None:
    one_at_a_time(client, SKETCH, 60)
    client.wait(client.make(client.body(SKETCH)), "RUNNING")
    cancelled, waiting = (client.make(client.body(SKETCH)) for _ in range(2))
    assert client.cancel(cancelled).status_code == 200
    client.set(limits={SKETCH: {"concurrent_tasks": 5}})
    client.wait(waiting, "RUNNING")
    assert client.task(cancelled)["output"]["task_status"] == "CANCELED"
    assert client.stats(SKETCH)["running"] == 2


def test_tasks_beyond_the_concurrency_wait_their_turn(client: Client) -> None:
    one_at_a_time(client, SKETCH, 0.05)
    ids = [client.make(client.body(SKETCH)) for _ in range(3)]
    assert {client.wait(task_id)["output"]["task_status"] for task_id in ids} == {"SUCCEEDED"}
    stats = client.stats(SKETCH)
    assert (stats["max_running"], stats["max_in_flight"], stats["tasks_made"]) == (1, 3, 3)
    ends = [task["ended"] for task in client.get("/_admin/tasks").json()["tasks"]]
    assert ends == sorted(ends)


def test_or_they_are_refused(client: Client) -> None:
    one_at_a_time(client, SKETCH, 60)
    client.set(over_limit="refuse")
    client.make(client.body(SKETCH))
    answer = client.post(client.body(SKETCH))
    assert (answer.status_code, answer.json()["code"]) == (429, "Throttling")
    stats = client.stats(SKETCH)
    assert (stats["creates_received"], stats["tasks_made"]) == (2, 1)
    assert stats["creates_refused"] == {"Throttling": 1}


def test_submissions_beyond_the_rate_are_refused(client: Client) -> None:
    client.set(limits={SKETCH: {"submissions_per_second": 2}}, task_seconds=60)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.post(client.body(SKETCH)), range(6)))
    refused = [answer.json()["code"] for answer in answers if answer.status_code == 429]
    assert set(refused) == {"Throttling.RateQuota"}
    assert client.stats(SKETCH)["max_submissions_in_a_second"] == 2
    assert client.stats(SKETCH)["tasks_made"] == 6 - len(refused)


def test_task_calls_beyond_the_rate_are_refused_for_each_api_alone(client: Client) -> None:
    client.set(task_api_qps=3)

    def burst() -> list[int]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda _: client.get("/api/v1/tasks/x").status_code, range(40)))

    assert set(burst()) == {200, 429}
    assert client.get("/api/v1/tasks").status_code == 200
    assert client.cancel("x").status_code == 400


def test_a_spent_free_quota_stops_its_model_alone(client: Client) -> None:
    client.set(free_images={SKETCH: 1})
    client.done(client.body(SKETCH))
    answer = client.post(client.body(SKETCH))
    assert (answer.status_code, answer.json()["code"]) == (403, "AllocationQuota.FreeTierOnly")
    client.make(client.body(EDIT))
    client.set(free_images={SKETCH: None})
    client.make(client.body(SKETCH))


def test_after_a_day_task_and_image_are_gone(client: Client) -> None:
    first = client.done(client.body(SKETCH))
    url = first["output"]["results"][0]["url"]
    client.advance(DAY - 60)
    assert client.task(first["output"]["task_id"])["output"]["task_status"] == "SUCCEEDED"
    assert requests.get(url, timeout=20).status_code == 200
    client.advance(61)
    assert client.task(first["output"]["task_id"])["output"]["task_status"] == "UNKNOWN"
    assert client.get("/api/v1/tasks").json()["total"] == 0
    gone = requests.get(url, timeout=20)
    assert (gone.status_code, "Request has expired" in gone.text) == (403, True)


def test_a_task_without_result_for_three_hours_fails(client: Client) -> None:
    one_at_a_time(client, SKETCH, 600)
    ids = [client.make(client.body(SKETCH)) for _ in range(2)]
    client.advance(3 * 3600)
    for task_id in ids:
        output = client.task(task_id)["output"]
        assert (output["task_status"], output["code"]) == ("FAILED", "InternalError.Timeout")
    assert client.stats(SKETCH)["in_flight"] == 0


def test_a_result_address_works_unaltered_and_for_get_alone(client: Client) -> None:
    url = client.done(client.body(SKETCH))["output"]["results"][0]["url"]
    path, query = url.split("?")
    later = re.sub(r"Expires=\d+", "Expires=9999999999", query)
    for altered in (path, f"{path}?{later}", f"{url}&x=1", f"{url}0"):
        assert requests.get(altered, timeout=20).status_code == 403
    assert requests.head(url, timeout=20).status_code == 403
    assert requests.get(url, timeout=20).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/tasks/"])
def test_the_list_is_flat_and_matches_the_submit_request(client: Client, path: str) -> None:
    created = client.post(client.body(SKETCH)).json()
    client.wait(created["output"]["task_id"])
    answer = client.get(path).json()
    row = answer.pop("data")[0]
    answer.pop("request_id")
    assert answer == {"total": 1, "total_page": 1, "page_no": 1, "page_size": 10}
    assert row["request_id"] == created["request_id"]
    assert row["task_id"] == created["output"]["task_id"]
    assert row["gmt_create"] <= row["start_time"] <= row["end_time"]
    assert row["user_api_unique_key"] == f"apikey:v1:aigc:image2image:image-synthesis:{SKETCH}"
    assert "results" not in row


def test_the_list_is_filtered_and_paged(client: Client) -> None:
    one_at_a_time(client, SKETCH, 60)
    sketches = [client.make(client.body(SKETCH)) for _ in range(3)]
    edit = client.make(client.body(EDIT))

    def ids(**query: object) -> list[str]:
        return [row["task_id"] for row in client.get("/api/v1/tasks", **query).json()["data"]]

    assert ids() == [edit, *reversed(sketches)]
    assert ids(model_name=SKETCH) == list(reversed(sketches))
    assert ids(model_name=SKETCH, status="RUNNING") == sketches[:1]
    assert ids(task_id=edit) == [edit]
    assert ids(page_no=2, page_size=3) == sketches[:1]
    pages = client.get("/api/v1/tasks", page_size=3).json()
    assert (pages["total"], pages["total_page"]) == (4, 2)
    running = client.get("/api/v1/tasks", task_id=sketches[0]).json()["data"][0]
    assert "end_time" not in running


def compact(moment: datetime) -> str:
    return moment.astimezone(timezone(timedelta(hours=8))).strftime("%Y%m%d%H%M%S")


def test_the_list_covers_the_span_asked_for(client: Client) -> None:
    client.make(client.body(SKETCH))
    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)

    def total(**span: str) -> int:
        return int(client.get("/api/v1/tasks", **span).json()["total"])

    assert total(start_time=compact(now - hour)) == 1
    assert total(end_time=compact(now + hour)) == 1
    assert total(start_time=compact(now - 2 * hour), end_time=compact(now - hour)) == 0
    assert total(start_time=compact(now + hour)) == 0


def test_a_wrong_list_query_is_refused(client: Client) -> None:
    for query in (
        {"start_time": "20260101000000", "end_time": "20260102000001"},
        {"start_time": "2026-01-01"},
        {"status": "DONE"},
        {"page_no": "0"},
        {"page_size": "many"},
    ):
        answer = client.get("/api/v1/tasks", **query)
        assert (answer.status_code, answer.json().get("code")) == (400, "InvalidParameter"), query


def test_the_same_seed_draws_the_same_image(client: Client) -> None:
    def drawn(seed: int, n: int) -> list[bytes]:
        answer = client.done(client.body(EDIT, seed=seed, n=n, size="768*768"))
        results = answer["output"]["results"]
        return [requests.get(result["url"], timeout=20).content for result in results]

    first, second = drawn(7, 2)
    assert drawn(8, 1) == [second]  # image k takes seed + k
    assert first != second


def test_images_are_counted_as_they_are_billed(client: Client) -> None:
    client.set(faults=[{"at": "image", "image": 1}])
    client.done(client.body(SKETCH, n=3))
    client.done(client.body(SKETCH, n=9))
    stats = await_true(lambda: client.stats(SKETCH))
    assert stats["images"] == 2
    assert stats["tasks_by_status"] == {"SUCCEEDED": 1, "FAILED": 1}
    assert stats["queries"] >= 2
