"""Who may do what: every endpoint, every scope, own and foreign jobs."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from shared.platform.settings import SettingsError, Token, load_settings
from tests.kit.http import PREFIX, SCOPES, TOKENS, Reply, ask, failed, token
from tests.kit.world import TOKEN, World, job_file

OWN, FOREIGN = f"{PREFIX}cat", "team-b-cat"
OWN_RETRY, FOREIGN_RETRY = f"{PREFIX}late", "team-b-late"
UPLOAD = json.dumps({"name": "a.png", "size": 5, "content_type": "image/png"}).encode()
WATCH = json.dumps({"jobs": {OWN: None}}).encode()
WIRE = "/api/v1/services/aigc/image2image/image-synthesis"
ASYNC = {"X_DashScope_Async": "enable"}

Endpoint = tuple[str, str, bytes, str]
COMMON: list[Endpoint] = [
    ("GET", "/jobs", b"", "read"),
    ("GET", "/jobs.csv", b"", "read"),
    ("GET", "/jobs.jsonl", b"", "read"),
    ("GET", "/models", b"", "read"),
    ("GET", "/openapi.json", b"", "read"),
    ("GET", "/api/v1/tasks", b"", "read"),
    ("POST", "/jobs", job_file("new"), "submit"),
    ("POST", "/changes", WATCH, "read"),
    ("POST", "/uploads", UPLOAD, "submit"),
    ("POST", "/models/brush/convert", job_file(), "submit"),
    ("POST", WIRE, job_file(), "submit"),
    ("GET", "/api/v1/uploads?action=getPolicy&model=brush", b"", "submit"),
]
OF_A_JOB: list[Endpoint] = [
    ("GET", "/jobs/{cat}", b"", "read"),
    ("GET", "/jobs/{cat}/result", b"", "read"),
    ("GET", "/jobs/{cat}/events", b"", "read"),
    ("GET", "/jobs/{cat}/stream", b"", "read"),
    ("GET", "/jobs/{cat}/jobfile", b"", "read"),
    ("PUT", "/jobs/{cat}", job_file("prompt of {cat}"), "submit"),
    ("POST", "/jobs/{cat}/cancel", b"", "submit"),
    ("POST", "/jobs/{late}/retry", b"", "submit"),
]
WIRE_OF_A_JOB: list[Endpoint] = [
    ("GET", "/api/v1/tasks/{cat}", b"", "read"),
    ("POST", "/api/v1/tasks/{cat}/cancel", b"", "submit"),
]
OF_ALL: list[Endpoint] = [
    ("GET", "/dead", b"", "admin"),
    ("GET", "/runtime", b"", "admin"),
    ("POST", "/dead/x.json/redrive", b"", "admin"),
    ("POST", "/models/brush/resume", b"", "admin"),
]


@pytest.fixture()
def world() -> World:
    made = World()
    for late in (OWN_RETRY, FOREIGN_RETRY):
        failed(made, late)
    for cat in (OWN, FOREIGN):
        made.queued(cat)
    return made


def reaches(scope: str, needed: str) -> bool:
    return SCOPES.index(scope) >= SCOPES.index(needed)


def send(world: World, endpoint: Endpoint, given: str, cat: str = "", late: str = "") -> Reply:
    method, path, body, _ = endpoint
    target = path.replace("{cat}", cat).replace("{late}", late)
    return ask(world, method, target, body.replace(b"{cat}", cat.encode()), given, **ASYNC)


def allowed(reply: Reply) -> bool:
    """A conflict or a missing result is an answer too: the caller was let in."""
    assert reply.status < 500, reply.text
    return reply.status not in (401, 403)


@pytest.mark.parametrize("prefix", ["", PREFIX])
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("endpoint", COMMON, ids=lambda one: f"{one[0]} {one[1]}")
def test_what_belongs_to_nobody(world: World, endpoint: Endpoint, scope: str, prefix: str) -> None:
    reply = send(world, endpoint, token(scope, prefix))
    assert allowed(reply) == reaches(scope, endpoint[3])
    if prefix and reply.status < 300:
        assert "team-b" not in reply.text


@pytest.mark.parametrize("prefix", ["", PREFIX])
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("endpoint", OF_A_JOB, ids=lambda one: f"{one[0]} {one[1]}")
def test_jobs_of_ones_own_and_of_others(
    world: World, endpoint: Endpoint, scope: str, prefix: str
) -> None:
    for cat, late in ((OWN, OWN_RETRY), (FOREIGN, FOREIGN_RETRY)):
        before = world.bucket.keys()
        reply = send(world, endpoint, token(scope, prefix), cat, late)
        if not reaches(scope, endpoint[3]):
            assert reply.status == 403
        elif prefix and cat == FOREIGN:
            assert reply.status == 404
        else:
            assert reply.status in (200, 202) or endpoint[1].endswith("/result")
            continue
        assert world.bucket.keys() == before
        assert "prompt of" not in reply.text


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("endpoint", WIRE_OF_A_JOB, ids=lambda one: f"{one[0]} {one[1]}")
def test_the_wire_obeys_the_same_tokens(world: World, endpoint: Endpoint, scope: str) -> None:
    own, foreign = (send(world, endpoint, token(scope, PREFIX), cat) for cat in (OWN, FOREIGN))
    if not reaches(scope, endpoint[3]):
        assert (own.json["code"], foreign.json["code"]) == ("AccessDenied", "AccessDenied")
        return
    assert own.status == 200
    nobody = send(world, endpoint, token(scope, PREFIX), f"{PREFIX}nobody")
    assert foreign.status == nobody.status
    assert set(foreign.json) == set(nobody.json)
    assert world.state(FOREIGN) == "QUEUED"


@pytest.mark.parametrize("prefix", ["", PREFIX])
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("endpoint", OF_ALL, ids=lambda one: f"{one[0]} {one[1]}")
def test_what_concerns_all_jobs(world: World, endpoint: Endpoint, scope: str, prefix: str) -> None:
    reply = send(world, endpoint, token(scope, prefix))
    assert allowed(reply) == (scope == "admin" and not prefix)


@pytest.mark.parametrize("endpoint", COMMON + OF_A_JOB + WIRE_OF_A_JOB + OF_ALL)
@pytest.mark.parametrize("given", ["", "wrong"])
def test_without_a_known_token_no_data(world: World, endpoint: Endpoint, given: str) -> None:
    world.bucket.calls.clear()
    assert send(world, endpoint, given, OWN, OWN_RETRY).status == 401
    assert world.bucket.count() == 0


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "bearer    ", "Bearer \t"])
def test_an_empty_token_is_nobody(world: World, header: str) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    app = world.app("http", token_hashes=(digest,), tokens=(Token(digest, "read"),))
    for path in ("/models", "/api/v1/tasks"):
        assert ask(app, "GET", path, given="", Authorization=header).status == 401


def test_jobs_of_a_prefix_get_it(world: World) -> None:
    given = token("submit", PREFIX)
    derived = ask(world, "POST", "/jobs", job_file("x"), given).json["job"]
    named = ask(world, "POST", "/jobs", job_file("y", id="dog"), given).json["job"]
    kept = ask(world, "POST", "/jobs", job_file("z", id=f"{PREFIX}owl"), given).json["job"]
    assert derived.startswith(PREFIX)
    assert (named, kept) == (f"{PREFIX}dog", f"{PREFIX}owl")
    wire = ask(world, "POST", WIRE, job_file(), given, **ASYNC).json["output"]["task_id"]
    assert wire.startswith(PREFIX)


def test_a_rejection_stays_inside_the_prefix(world: World) -> None:
    before = set(world.bucket.keys())
    for body in (job_file(" "), job_file(" ", id="bad"), job_file("x", id="a b")):
        reply = ask(world, "POST", "/jobs", body, token("submit", PREFIX))
        assert reply.status == 422
        assert reply.json["violations"][0]["job"].startswith(PREFIX)
    made = set(world.bucket.keys()) - before
    assert made
    assert all(PREFIX in key for key in made)


def with_image(url: str) -> bytes:
    document = json.loads(job_file())
    document["input"]["base_image_url"] = url
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "url",
    [
        "oss:///results/team-b-cat/image-1.png",
        "oss://studio/results/team-b-cat/image-1.png",
        "OSS:///results/team-b-cat/image-1.png",
        "oss:///private/holiday.png",
        "oss:///results/team-a",
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/jobs"), ("PUT", f"/jobs/{PREFIX}x")])
def test_images_of_others_cannot_be_used(world: World, url: str, method: str, path: str) -> None:
    world.bucket.calls.clear()
    reply = ask(world, method, path, with_image(url), token("submit", PREFIX))
    assert reply.status == 422
    assert "this token" in reply.json["violations"][0]["message"]
    assert world.bucket.count() == 0
    wire = ask(world, "POST", WIRE, with_image(url), token("submit", PREFIX), **ASYNC)
    assert (wire.status, world.bucket.count()) == (400, 0)


def test_results_of_ones_own_can_be_used(world: World) -> None:
    url = f"oss:///results/{OWN}/image-1.png"
    reply = ask(world, "POST", "/jobs", with_image(url), token("submit", PREFIX))
    assert "this token" not in reply.text
    assert any(call.key == f"results/{OWN}/image-1.png" for call in world.bucket.calls)


def test_two_tokens_may_use_the_same_idempotency_key(world: World) -> None:
    first = ask(world, "POST", "/jobs", job_file("a"), TOKEN, Idempotency_Key="1")
    second = ask(world, "POST", "/jobs", job_file("b"), token("submit"), Idempotency_Key="1")
    assert first.json["job"] != second.json["job"]


def test_other_origins_get_nothing_unless_set(world: World) -> None:
    origin = "https://page.example.com"
    plain = ask(world, "GET", "/jobs", Origin=origin)
    assert "access-control-allow-origin" not in plain.headers
    assert ask(world, "OPTIONS", "/jobs", given="", Origin=origin).status == 401
    app = world.app(tokens=TOKENS, cors_origin=origin)
    leave = ask(app, "OPTIONS", "/jobs", given="", Origin=origin)
    assert (leave.status, leave.headers["access-control-allow-origin"]) == (204, origin)
    assert "Authorization" in leave.headers["access-control-allow-headers"]
    answer = ask(app, "GET", "/jobs", Origin=origin)
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "Origin"
    refused = ask(app, "GET", "/jobs", given="", Origin=origin)
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, origin)
    assert ask(app, "OPTIONS", "/jobs", given="", Origin="https://evil.example").status == 401


ENVIRON = {"OSS_ENDPOINT": "https://oss.invalid", "OSS_BUCKET": "b", "DASHSCOPE_API_KEY": "k"}


def test_tokens_are_read_from_the_environment() -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    listed = [{"sha256": digest.upper(), "scope": "read", "prefix": PREFIX}]
    (one,) = load_settings({**ENVIRON, "API_TOKENS": json.dumps(listed)}).tokens
    assert (one.sha256, one.scope, one.prefix) == (digest, "read", PREFIX)
    assert digest not in repr(one)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{", "JSON list"),
        ("{}", "JSON list"),
        ([1], "Token 1"),
        ([{"sha256": "secret", "scope": "read"}], "sha256"),
        ([{"sha256": "0" * 64, "scope": "root"}], "scope"),
        ([{"sha256": "0" * 64}], "scope"),
        ([{"sha256": "0" * 64, "scope": "read", "prefix": "../"}], "prefix"),
        ([{"sha256": "0" * 64, "scope": "read", "prefix": "team"}], "prefix"),
        ([{"sha256": "0" * 64, "scope": "read", "prefix": "a" * 24 + "-"}], "prefix"),
        ([{"sha256": "0" * 64, "scope": "read", "more": 1}], "Token 1"),
    ],
)
def test_tokens_that_are_not_in_order(given: Any, told: str) -> None:
    text = given if isinstance(given, str) else json.dumps(given)
    with pytest.raises(SettingsError, match=told) as caught:
        load_settings({**ENVIRON, "API_TOKENS": text})
    assert "secret" not in str(caught.value)
