"""Commands over the HTTP API: one job among several is refused, or the address is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit import wanx
from tests.kit.http import failed
from tests.kit.jobfile import CATALOGUE, EDIT, image, painting
from tests.kit.lost import lost
from tests.kit.world import TOKEN, World, job_file
from tests.unit.cli.api_server import answering, api_of, served

OTHERS = {
    "a page": ("200 OK", "text/html", b"<html>"),
    "no page": ("404 Not Found", "text/html", b"<html>"),
    "JSON": ("200 OK", "application/json", b'{"ok": true}'),
    "a list": ("200 OK", "application/json", b"[]"),
    "an error in JSON": ("404 Not Found", "application/json", b'{"detail": "Not Found"}'),
    "OSS": ("403 Forbidden", "application/xml", b"<Error><Code>AccessDenied</Code></Error>"),
    "a sign-in": ("401 Unauthorized", "text/html", b"<html>"),
    "a way on": ("302 Found", "text/html", b""),
    "no POST": ("501 Unsupported method", "text/html", b""),
}


@pytest.fixture()
def world() -> World:
    return World()


@pytest.fixture()
def url(world: World) -> Iterator[str]:
    with served(api_of(world)) as address:
        yield address


def test_a_retry_that_is_refused_does_not_stop_the_next(world: World, url: str) -> None:
    world.bucket.write("inputs/a.png", PNG)
    for job in ("h2", "h3"):
        failed(world, job)
    forget_input(world, "h2")
    said = wanx.run("--api", url, "--token", TOKEN, "retry", "h2", "h3", code=1)
    assert "h2: not tried again: at /input/base_image_url: " in said
    assert "does not exist" in said
    assert "h3: runs again as h3-retry-1" in said


def test_lost_calls_are_decided_about_over_the_api(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.commands.resolve.PAGE", 1)
    world.bucket.write("inputs/a.png", PNG)
    for job in ("cat", "dog", "gone"):
        lost(world, job)
    forget_input(world, "gone")
    world.queued("waits")
    words = ("--api", url, "--token", TOKEN, "resolve", "--lost-calls", "--yes")
    said = wanx.run(*words, code=1)
    assert "cat: runs again as cat-retry-1\n" in said
    assert "gone: not decided: at /input/base_image_url: " in said
    assert "2 run again, 1 not decided." in said
    states = {job: world.state(job) for job in ("cat", "dog", "gone", "waits")}
    assert states == {
        "cat": "FAILED",
        "dog": "FAILED",
        "gone": "NEEDS_ATTENTION",
        "waits": "QUEUED",
    }
    assert "1 ended." in wanx.run(*words, "--as", "failed")
    assert world.state("gone") == "FAILED"


def test_the_api_converts_with_the_images_of_its_bucket() -> None:
    made = World(models=tuple(CATALOGUE.models()))
    made.bucket.write("inputs/b.png", image("PNG", (600, 600)))
    made.bucket.write("inputs/m.png", image("PNG", (600, 600), "L"))
    names = {"base_image_url": "oss:///inputs/b.png", "mask_image_url": "oss:///inputs/m.png"}
    job = painting(input=names)
    Path("old.json").write_text(json.dumps(job), encoding="utf-8")
    with served(api_of(made)) as address:
        words = ("--api", address, "--token", TOKEN, "convert", "old.json")
        said = wanx.run(*words, "--out", "new.json")
        assert "made black and white" in said
        assert "cannot be converted to" in wanx.run(*words, "--to", EDIT, code=1)
        assert "no model 'nothing'" in wanx.run(*words, "--to", "nothing", code=1)
    new = json.loads(Path("new.json").read_text("utf-8"))
    assert new["input"]["mask_image_url"].startswith("data:image/png;base64,")


PNG = b"\x89PNG\r\n\x1a\n"


def forget_input(world: World, job: str) -> None:
    """The job's image is one of the bucket, which is gone."""
    key = f"state/records/{job}/000001.json"
    body = world.bucket.peek(key)
    world.bucket.write(
        key, body.replace(b"https://pictures.invalid/base.png", b"oss:///inputs/no.png")
    )


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(
    "words",
    [
        ("status", "cat"),
        ("status", "--wait", "cat"),
        ("list",),
        ("cancel", "cat"),
        ("retry", "cat"),
        ("adopt", "cat", "task"),
        ("logs", "cat"),
        ("get", "cat"),
        ("submit", "cat.json"),
    ],
    ids=" ".join,
)
def test_another_server_is_told(name: str, words: tuple[str, ...], real: None) -> None:
    with served(answering(*OTHERS[name])) as address:
        said = wanx.run("--api", address, "--token", "t", *words, code=3)
    told(said, address)


@pytest.fixture()
def real() -> None:
    """A job file that passes the check of `submit`."""
    text = b'{"model": "wan2.5-i2i-preview", "input": {"prompt": "x", "images": ["https://a.b/c"]}}'
    Path("cat.json").write_bytes(text)


def told(said: str, address: str) -> None:
    shown = " ".join(said.split())
    assert f"{address} is not the API of Wanx Functions" in shown
    assert "there is no such job" not in shown
    assert "older deployment" not in shown
    assert "mistake" not in shown


@pytest.mark.parametrize(
    "words",
    [
        ("status", "cat"),
        ("list",),
        ("cancel", "cat"),
        ("retry", "cat"),
        ("adopt", "cat", "task"),
        ("logs", "cat"),
        ("get", "cat"),
        ("submit", "cat.json"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("path", ["/nope", "/jobs", "/api/v1", "/web"])
def test_an_address_with_a_path_is_told(
    url: str, path: str, words: tuple[str, ...], real: None
) -> None:
    told(wanx.run("--api", url + path, "--token", TOKEN, *words, code=3), url + path)


def test_a_file_is_not_said_to_be_sent_where_no_api_is(url: str, real: None) -> None:
    said = wanx.run("--api", f"{url}/nope", "--token", TOKEN, "submit", "cat.json", code=3)
    assert "may or may not be submitted" not in said


def test_a_slash_at_the_end_is_no_path(world: World, url: str) -> None:
    world.queued("cat")
    assert "QUEUED" in wanx.run("--api", url + "/", "--token", TOKEN, "status", "cat")


@pytest.mark.parametrize("name", OTHERS)
def test_doctor_knows_another_server(name: str) -> None:
    with served(answering(*OTHERS[name])) as address:
        said = wanx.run("--api", address, "--token", "t", "doctor", code=1)
    told(said, address)


def test_doctor_knows_a_wrong_path_and_a_wrong_token(url: str) -> None:
    told(wanx.run("--api", f"{url}/nope", "--token", TOKEN, "doctor", code=1), f"{url}/nope")
    assert "refuses the token" in wanx.run("--api", url, "--token", "t", "doctor", code=1)
    assert "All is well" in wanx.run("--api", url, "--token", TOKEN, "doctor")


def test_a_deployment_without_an_endpoint_is_older(world: World) -> None:
    """One that answers all it knows, and 404 in our manner for the rest."""
    world.queued("cat")
    whole = api_of(world)

    def older(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith("/cancel"):
            environ["PATH_INFO"] = "/jobs/cat/no/such/thing"
        return whole(environ, start_response)

    with served(older) as address:
        said = wanx.run("--api", address, "--token", TOKEN, "cancel", "cat", code=3)
    assert "older deployment" in said


@pytest.mark.parametrize("option", ["--api", "--token"])
@pytest.mark.parametrize("text", ["", " "])
@pytest.mark.parametrize("command", ["list", "doctor"])
def test_an_empty_option_is_refused(option: str, text: str, command: str) -> None:
    words = {"--api": "http://127.0.0.1:1", "--token": "t", option: text}
    given = [word for pair in words.items() for word in pair]
    said = wanx.run(*given, command, code=2)
    assert f"{option}" in said
    assert "is empty" in said


@pytest.mark.parametrize("token", ["t\n", "a\nb", "tök", "猫", "a\x00b", "\udcff"])
@pytest.mark.parametrize(("command", "code"), [("list", 3), ("doctor", 1)])
@pytest.mark.parametrize("by_environment", [False, True])
def test_a_token_that_cannot_be_one_is_told(
    token: str, command: str, code: int, by_environment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "\x00" in token and by_environment:
        pytest.skip("no environment can hold it")
    words = ["--api", "http://127.0.0.1:1"]
    if by_environment:
        monkeypatch.setenv("API_TOKEN", token)
    else:
        words += ["--token", token]
    said = " ".join(wanx.run(*words, command, code=code).split())
    assert "the token has characters that no token has" in said
    assert "mistake" not in said


@pytest.mark.parametrize(
    "address",
    [
        f"http://{'a' * 70}.example.com",
        "http://",
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://a..b",
        "http://\udcff",
        "http://exa mple.com",
    ],
)
@pytest.mark.parametrize(("command", "code"), [("list", 3), ("doctor", 1)])
def test_an_address_that_cannot_be_one_is_told(address: str, command: str, code: int) -> None:
    said = wanx.run("--api", address, "--token", "t", command, code=code)
    assert "mistake" not in said
    assert "address" in said or "API_URL" in said


def test_a_damaged_record_is_named(world: World, url: str) -> None:
    world.queued("cat")
    world.bucket.write("state/records/cat/000001.json", b"{")
    said = wanx.run("--api", url, "--token", TOKEN, "status", "cat", code=3)
    assert "state/records/cat/000001.json" in said
    assert "try again" not in said


def test_submit_over_the_api_still_works(world: World, url: str) -> None:
    Path("dog.json").write_bytes(job_file(id="dog"))
    assert "model" in wanx.run("--api", url, "--token", TOKEN, "submit", "dog.json", code=1)
