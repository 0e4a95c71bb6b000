from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.kit.modelstudio_server import EDIT, PAINTING, SKETCH, Client, await_true, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    with running_server() as served:
        yield served


@pytest.fixture()
def client(server: Client) -> Client:
    server.set(faults=[])
    await_true(lambda: {} if not server.busy() else None)  # a task left over would take a fault
    return server


def made(client: Client) -> int:
    return int(client.stats(SKETCH)["tasks_made"])


def test_an_answer_fault_refuses_as_often_as_told(client: Client) -> None:
    before = made(client)
    client.set(faults=[{"at": "create", "error": "throttling_burst", "times": 2}])
    answers = [client.post(client.body(SKETCH)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].json()["code"] == "Throttling.BurstRate"
    assert made(client) == before + 1


def test_a_fault_speaks_its_own_words_and_of_its_model_alone(client: Client) -> None:
    fault = {"at": "create", "model": "wanx-s*", "status": 403, "code": "Odd", "message": "no."}
    client.set(faults=[fault])
    answer = client.post(client.body(SKETCH))
    assert (answer.status_code, answer.json()["code"]) == (403, "Odd")
    assert answer.json()["message"] == "no."
    assert client.post(client.body(EDIT)).status_code == 200


def test_a_share_strikes_some_and_the_same_with_the_same_seed(client: Client) -> None:
    def answers() -> list[int]:
        client.set(seed=3, faults=[{"at": "query", "status": 500, "share": 0.5}])
        return [client.get("/api/v1/tasks/x").status_code for _ in range(20)]

    first = answers()
    assert set(first) == {200, 500}
    assert answers() == first


def test_cut_before_leaves_no_task_and_cut_after_leaves_one(client: Client) -> None:
    for action, tasks in (("cut_before", 0), ("cut_after", 1)):
        before = made(client)
        client.set(faults=[{"at": "create", "action": action, "times": 1}])
        with pytest.raises(requests.ConnectionError):
            client.post(client.body(SKETCH))
        assert made(client) == before + tasks
    newest = client.get("/api/v1/tasks", model_name=SKETCH).json()["data"][0]
    assert client.wait(newest["task_id"])["output"]["task_status"] == "SUCCEEDED"


def test_a_hanging_server_never_answers(client: Client) -> None:
    client.set(faults=[{"at": "query", "action": "hang"}])
    with pytest.raises(requests.ReadTimeout):
        requests.get(client.url + "/api/v1/tasks/x", headers=dict(client.http.headers), timeout=0.2)


def test_a_hang_with_an_end_drops_the_connection(client: Client) -> None:
    client.set(faults=[{"at": "list", "action": "hang", "seconds": 0.05}])
    with pytest.raises(requests.ConnectionError):
        client.get("/api/v1/tasks")


def test_a_delayed_answer_is_the_true_one(client: Client) -> None:
    before = made(client)
    client.set(faults=[{"at": "create", "action": "delay", "seconds": 0.3}])
    with pytest.raises(requests.ReadTimeout):
        client.http.post(
            client.url + "/api/v1/services/aigc/image2image/image-synthesis",
            json=client.body(SKETCH),
            headers={"X-DashScope-Async": "enable"},
            timeout=0.1,
        )
    assert client.post(client.body(SKETCH)).status_code == 200
    assert made(client) == before + 2


def test_an_error_may_come_with_http_200(client: Client) -> None:
    client.set(faults=[{"at": "query", "action": "body_200", "error": "throttling"}])
    answer = client.get("/api/v1/tasks/x")
    assert (answer.status_code, answer.json()["code"]) == (200, "Throttling")


def test_an_error_may_be_no_json(client: Client) -> None:
    client.set(faults=[{"at": "cancel", "status": 502, "body": "<html>Bad Gateway</html>"}])
    answer = client.cancel("x")
    assert (answer.status_code, answer.text) == (502, "<html>Bad Gateway</html>")
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_failed_image_leaves_the_others(client: Client) -> None:
    client.set(faults=[{"at": "image", "image": 1, "error": "data_inspection_output"}])
    answer = client.done(client.body(SKETCH, n=2))
    output = answer["output"]
    assert output["task_status"] == "SUCCEEDED"
    assert [set(result) for result in output["results"]] == [{"url"}, {"code", "message"}]
    assert output["results"][1]["code"] == "DataInspectionFailed"
    assert output["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 1, "FAILED": 1}
    assert answer["usage"] == {"image_count": 1}


def test_a_task_whose_images_all_fail_fails(client: Client) -> None:
    client.set(faults=[{"at": "image", "error": "internal_timeout"}])
    answer = client.done(client.body(SKETCH, n=2))
    assert answer["output"]["task_status"] == "FAILED"
    assert answer["output"]["code"] == "InternalError.Timeout"
    assert "usage" not in answer


def test_a_task_fault_fails_the_task(client: Client) -> None:
    client.set(faults=[{"at": "task", "model": PAINTING, "error": "file_download"}])
    output = client.done(client.body(PAINTING, n=2))["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", "InvalidParameter.FileDownload")
    assert output["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 0, "FAILED": 2}


def test_a_task_may_take_longer_or_never_end(client: Client) -> None:
    client.set(faults=[{"at": "task", "action": "delay", "seconds": 0.2, "times": 1}])
    task_id = client.make(client.body(SKETCH))
    client.wait(task_id)
    seen = client.get("/_admin/tasks").json()["tasks"][-1]
    assert seen["status"] == "SUCCEEDED"
    assert seen["ended"] - seen["started"] >= 0.2
    client.set(faults=[{"at": "task", "action": "hang"}])
    hanging = client.make(client.body(SKETCH))
    client.wait(client.make(client.body(EDIT, n=9)))
    assert client.task(hanging)["output"]["task_status"] == "RUNNING"
    client.advance(3 * 3600)
    assert client.task(hanging)["output"]["code"] == "InternalError.Timeout"


def test_a_download_is_refused_then_breaks_off_then_arrives(client: Client) -> None:
    url = client.done(client.body(SKETCH))["output"]["results"][0]["url"]
    client.set(
        faults=[
            {"at": "download", "status": 503, "times": 1},
            {"at": "download", "action": "cut_after", "times": 1},
        ]
    )
    assert requests.get(url, timeout=20).status_code == 503
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(url, timeout=20)
    assert requests.get(url, timeout=20).content.startswith(b"\x89PNG")


def test_faults_are_counted(client: Client) -> None:
    client.set(faults=[{"at": "query", "error": "internal", "skip": 1, "times": 1}])
    answers = [client.get("/api/v1/tasks/x").status_code for _ in range(3)]
    assert answers == [200, 500, 200]
    assert client.get("/_admin/stats").json()["faults"][0]["struck"] == 1
