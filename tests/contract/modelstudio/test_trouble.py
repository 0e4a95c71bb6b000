"""Trouble beyond error answers, and what our own client makes of it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import requests
from PIL import Image

from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.client import (
    ListWindow,
    ModelStudio,
    OutcomeUnknown,
    ServiceError,
    TaskCreated,
)
from tests.kit.form_upload import form_fields
from tests.kit.modelstudio_server import (
    CREATE,
    EDIT,
    KEY,
    PAINTING,
    SKETCH,
    Client,
    Json,
    picture,
    running_server,
)

HOUR = 3600.0
RESOLVE = {"X-DashScope-OssResourceResolve": "enable"}
WORDS: Json = {"moderated_words": {"input": ["weapon", "武器"], "output": ["nude"]}}


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    with running_server({"task_seconds": 0}) as served:
        yield served


@pytest.fixture()
def client(server: Client) -> Client:
    server.set(faults=[], list_delay_seconds=None, moderated_words=None)
    return server


@pytest.fixture()
def api(client: Client) -> ModelStudio:
    session = requests.Session()
    session.trust_env = False
    return ModelStudio(client.url + "/api/v1", FixedKey(KEY), session)


def create(api: ModelStudio, client: Client) -> TaskCreated | ServiceError | OutcomeUnknown:
    return api.create(CREATE.removeprefix("/api/v1"), client.body(SKETCH))


def listed(api: ModelStudio, client: Client) -> set[str]:
    now = client.http.post(client.url + "/_admin/clock", json={"advance_seconds": 0}, timeout=20)
    at = float(now.json()["now"])
    return {task.task_id for task in api.listed(SKETCH, ListWindow(at - 20 * HOUR, at, 8))}


def result(client: Client) -> str:
    return str(client.done(client.body(SKETCH))["output"]["results"][0]["url"])


def test_a_truncated_picture_passes_for_a_whole_file(client: Client) -> None:
    url = result(client)
    client.set(faults=[{"at": "download", "action": "truncate", "times": 1}])
    short, whole = (requests.get(url, timeout=20) for _ in range(2))
    assert short.headers["Content-Type"] == "image/png"
    assert int(short.headers["Content-Length"]) == len(short.content) == len(whole.content) // 2
    assert whole.content.startswith(short.content)
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO(short.content)).load()


def test_a_picture_may_come_under_another_media_type(client: Client) -> None:
    url = result(client)
    client.set(faults=[{"at": "download", "action": "retype", "content_type": "text/plain"}])
    answer = requests.get(url, timeout=20)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert Image.open(io.BytesIO(answer.content)).format == "PNG"


@pytest.mark.parametrize(
    ("word", "taken_for"),
    [
        ("SUSPENDED", "RUNNING"),
        ("PRE-PROCESSING", "RUNNING"),
        ("POST-PROCESSING", "RUNNING"),
        ("NEVER-HEARD-OF", "NEVER-HEARD-OF"),
    ],
)
def test_a_query_may_tell_of_any_status(
    client: Client, api: ModelStudio, word: str, taken_for: str
) -> None:
    made = client.make(client.body(SKETCH))
    client.wait(made, "SUCCEEDED")
    client.set(faults=[{"at": "query", "action": "word", "word": word, "times": 1}])
    strange = api.query(made)
    assert (strange.task_id, strange.status, strange.usage) == (made, taken_for, {})
    assert set(strange.answer["output"]) == {"task_id", "task_status"}
    assert api.query(made).status == "SUCCEEDED"


def test_a_new_task_shows_in_the_list_late_but_answers_at_once(
    client: Client, api: ModelStudio
) -> None:
    client.set(list_delay_seconds=30)
    made = client.make(client.body(SKETCH))
    assert api.query(made).status != "UNKNOWN"
    assert made not in listed(api, client)
    client.advance(31)
    assert made in listed(api, client)


def test_a_connection_cut_before_or_after_the_task_leaves_the_same_doubt(
    client: Client, api: ModelStudio
) -> None:
    for action, more in (("cut_before", 0), ("cut_after", 1)):
        before = listed(api, client)
        client.set(faults=[{"at": "create", "action": action, "times": 1}])
        assert isinstance(create(api, client), OutcomeUnknown)
        assert len(listed(api, client) - before) == more


def test_a_create_that_hangs_leaves_doubt_too(client: Client, api: ModelStudio) -> None:
    api.create_timeout = 0.2
    client.set(faults=[{"at": "create", "action": "hang", "times": 1}])
    assert isinstance(create(api, client), OutcomeUnknown)


def test_an_error_under_http_200_is_an_error_and_makes_no_task(
    client: Client, api: ModelStudio
) -> None:
    before = listed(api, client)
    client.set(faults=[{"at": "create", "action": "body_200", "error": "arrearage", "times": 1}])
    outcome = create(api, client)
    assert isinstance(outcome, ServiceError)
    assert (outcome.code, outcome.http) == ("Arrearage", 200)
    assert listed(api, client) == before


def test_an_answer_that_is_no_json_tells_nothing(client: Client, api: ModelStudio) -> None:
    page: Json = {"action": "body_200", "body": "<html>Sign in</html>", "times": 1}
    client.set(faults=[{"at": "create", **page}, {"at": "query", **page}])
    assert isinstance(create(api, client), OutcomeUnknown)
    with pytest.raises(ServiceError):
        api.query("x")


def test_a_share_of_calls_fails_and_the_seed_decides_which(
    client: Client, api: ModelStudio
) -> None:
    def fate() -> str:
        some = {"at": "create", "error": "throttling", "share": 0.5}
        client.set(seed=5, faults=[some, {"at": "task", "error": "internal"}])
        return "".join(
            "+" if isinstance(create(api, client), TaskCreated) else "-" for _ in range(12)
        )

    first = fate()
    assert set(first) == {"+", "-"}
    assert fate() == first


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("prompt", "a WEAPON on a table"),
        ("prompt", "一件武器在桌上"),
        ("negative_prompt", "weapon"),
    ],
)
def test_a_moderated_word_of_the_request_fails_the_task(
    client: Client, field: str, text: str
) -> None:
    client.set(**WORDS)
    body = client.body(EDIT, size="768*768")
    body["input"][field] = text
    output = client.done(body)["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", "DataInspectionFailed")
    assert output["message"] == "Input data may contain inappropriate content."


def test_a_moderated_word_may_show_in_the_pictures_only(client: Client) -> None:
    client.set(**WORDS)
    body = client.body(SKETCH, n=2)
    body["input"]["prompt"] = "nude"
    output = client.done(body)["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", "DataInspectionFailed")
    assert output["message"] == "Output data may contain inappropriate content."
    assert output["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 0, "FAILED": 2}


def test_other_words_pass_and_what_is_cut_off_is_not_seen(client: Client) -> None:
    client.set(**WORDS)
    for prompt in ("a weaponless hill, a bioweapon", "a hill " * 11 + "weapon"):
        body = client.body(SKETCH)
        body["input"]["prompt"] = prompt
        assert client.done(body)["output"]["task_status"] == "SUCCEEDED"


def post_upload(client: Client, policy: Json) -> tuple[requests.Response, str]:
    form = form_fields(policy, "sketch.png")
    files = {"file": ("sketch.png", picture(), "image/png")}
    return requests.post(policy["upload_host"], data=form, files=files, timeout=20), form["key"]


def upload_policy(client: Client) -> Json:
    query = {"action": "getPolicy", "model": SKETCH}
    return dict(client.get("/api/v1/uploads", **query).json()["data"])


def test_a_temporary_upload_lives_for_two_days(client: Client) -> None:
    answer, key = post_upload(client, upload_policy(client))
    assert answer.status_code == 200
    body = client.body(SKETCH)
    body["input"]["sketch_image_url"] = "oss://" + key
    client.advance(48 * HOUR - 60)
    assert client.done(body, **RESOLVE)["output"]["task_status"] == "SUCCEEDED"
    client.advance(61)
    assert client.done(body, **RESOLVE)["output"]["code"] == "InvalidURL"


def test_an_upload_policy_lives_for_five_minutes(client: Client) -> None:
    policy = upload_policy(client)
    client.advance(policy["expire_in_seconds"] + 1)
    answer, _ = post_upload(client, policy)
    assert (answer.status_code, answer.json()["code"]) == (403, "AccessDenied")
    assert answer.json()["message"] == "Invalid according to Policy: Policy expired."


@pytest.mark.parametrize("at", ["policy", "upload"])
def test_an_upload_may_be_cut_too(client: Client, at: str) -> None:
    policy = upload_policy(client)
    client.set(faults=[{"at": at, "action": "cut_before", "times": 1}])
    with pytest.raises(requests.ConnectionError):
        upload_policy(client) if at == "policy" else post_upload(client, policy)
    assert post_upload(client, policy)[0].status_code == 200


def test_an_image_of_another_model_is_not_struck(client: Client) -> None:
    client.set(faults=[{"at": "task", "model": SKETCH, "error": "ip_infringement"}])
    assert client.done(client.body(SKETCH))["output"]["code"] == "IPInfringementSuspect"
    assert client.done(client.body(PAINTING))["output"]["task_status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ({"at": "query", "action": "truncate"}, "/faults/0/at"),
        ({"at": "download", "action": "retype"}, "content_type"),
        ({"at": "download", "action": "word", "word": "SUSPENDED"}, "/faults/0/at"),
        ({"at": "query", "action": "word"}, "word"),
    ],
)
def test_a_fault_where_it_cannot_be_is_refused(client: Client, fault: Json, place: str) -> None:
    answer = client.http.post(client.url + "/_admin/settings", json={"faults": [fault]}, timeout=20)
    assert answer.status_code == 400
    assert place in answer.json()["error"]
