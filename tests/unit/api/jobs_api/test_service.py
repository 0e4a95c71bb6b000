"""Uploads, models, dead events, the page, and how the store takes part in them."""

from __future__ import annotations

import os
import random
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.api.jobs_api import create_app
from shared.api.jobs_api.page import WEB
from shared.app import App
from shared.catalogue.errors import ErrorRule
from shared.catalogue.model_file import load_catalogue
from shared.modelstudio.client import ServiceError
from shared.platform.settings import Credentials
from shared.storage import layout
from shared.storage.oss import open_store
from tests.kit.dead_events import dead
from tests.kit.fc_events import oss_event
from tests.kit.http import Reply, ask
from tests.kit.world import World, job_file, settings
from tests.simulation.kernel import InstanceClock, Kernel
from tests.simulation.wsgi import Request, call


@pytest.fixture()
def world() -> World:
    return World()


def upload(world: World, **changes: Any) -> Reply:
    body = {"name": "cat.png", "size": 1000, "content_type": "image/png"} | changes
    return ask(world, "POST", "/uploads", body)


def test_an_upload_goes_straight_to_the_bucket(world: World) -> None:
    reply = upload(world)
    assert reply.status == 200
    key = reply.json["key"]
    assert re.fullmatch(r"inputs/[0-9a-f]{32}/cat\.png", key)
    assert reply.json["url"] == f"oss:///{key}"
    put = reply.json["put"]
    assert put["headers"] == {
        "Content-Type": "image/png",
        "x-oss-forbid-overwrite": "true",
    }
    assert put["url"].startswith(f"https://bucket.invalid/{key}?put={put['expires_in']}")
    assert upload(world).json["key"] != key


@pytest.mark.parametrize(
    ("name", "kind", "safe"),
    [
        ("../../state/x.png", "image/png", "x.png"),
        ("C:\\me\\holiday.JPG", "image/jpeg", "holiday.jpg"),
        ("photo.png", "image/jpeg", "photo.jpg"),
        ("猫.webp", "image/webp", "image.webp"),
        (".png", "image/png", "png.png"),
        ("<script>.html", "image/bmp", "script.bmp"),
        ("a b\r\nc.tif", "image/tiff", "a-b-c.tif"),
        ("x" * 250 + ".png", "image/png", "x" * 64 + ".png"),
    ],
)
def test_a_files_name_becomes_a_safe_one(world: World, name: str, kind: str, safe: str) -> None:
    key = upload(world, name=name, content_type=kind).json["key"]
    assert key.split("/")[2:] == [safe]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"content_type": "text/html"}, "/content_type"),
        ({"content_type": "image/svg+xml"}, "/content_type"),
        ({"content_type": ["image/png"]}, "/content_type"),
        ({"size": 10 * 1024 * 1024 + 1}, "/size"),
        ({"size": 0}, "/size"),
        ({"size": True}, "/size"),
        ({"size": "1"}, "/size"),
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "x" * 256}, "/name"),
    ],
)
def test_only_images_of_a_size_that_models_take(
    world: World, changes: dict[str, Any], pointer: str
) -> None:
    reply = upload(world, **changes)
    assert reply.status == 422
    assert [one["pointer"] for one in reply.json["violations"]] == [pointer]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"x"'])
def test_an_upload_request_that_cannot_be_read(world: World, body: bytes) -> None:
    assert ask(world, "POST", "/uploads", body).status == 422


def test_an_upload_request_of_another_kind_or_too_large(world: World) -> None:
    assert ask(world, "POST", "/uploads", b"x", Content_Type="text/plain").status == 415
    assert ask(world, "POST", "/uploads", b"{}" + b" " * 20_000).status == 413


def test_the_stores_own_links_are_signed_for_what_they_allow() -> None:
    clock = InstanceClock(Kernel())
    store = open_store(settings(), Credentials("id", "not-a-secret"), clock, random.Random(1))
    put = urlsplit(store.presign_put("inputs/x/a b.png", 60, {"Content-Type": "image/png"}))
    assert put.path.endswith("/inputs/x/a%20b.png")
    assert "x-oss-signature" in parse_qs(put.query)
    other = store.presign_put("inputs/x/a b.png", 60, {"Content-Type": "text/html"})
    signatures = [parse_qs(urlsplit(url).query)["x-oss-signature"] for url in (put.geturl(), other)]
    assert signatures[0] != signatures[1]
    once = {"Content-Type": "image/png", "x-oss-forbid-overwrite": "true"}
    signed = parse_qs(urlsplit(store.presign_put("inputs/x/a b.png", 60, once)).query)
    assert signed["x-oss-signature"] not in signatures
    saved = parse_qs(urlsplit(store.presign("k", 60, "cat.png")).query)
    assert saved["response-content-disposition"] == ['attachment; filename="cat.png"']


def test_models_tell_all_that_a_form_needs() -> None:
    known = load_catalogue()
    world = World(models=tuple(known.models()))
    found = ask(world, "GET", "/models").json["models"]
    assert [one["name"] for one in found] == known.names()
    for one in found:
        model = known.get(one["name"])
        assert model is not None
        assert one["title"] == {"en": model.title, "zh": model.title_zh}
        assert one["guidance"] == {"en": model.guidance, "zh": model.guidance_zh}
        assert one["snapshot_of"] == model.snapshot_of
        assert one["lifecycle"] == asdict(model.readings["lifecycle"])
        assert one["limits"]["checked"] == model.readings["limits"].checked
        assert one["input"] == model.input_schema
        assert one["parameters"] == model.parameters_schema
        assert len(one["images"]) == len(model.images)
        assert one["price"]["currency"] == model.price.currency
        assert [notice["zh"] for notice in one["notices"]] == [n.zh for n in model.remarks()]
        assert one["typical_seconds"] == model.typical_seconds


def test_dead_events_are_listed_and_put_back(world: World) -> None:
    world.bucket.write("jobs/cat.json", job_file(id="cat"))
    key = dead(world, "wanx-submit", oss_event("jobs/cat.json"))
    (listed,) = ask(world, "GET", "/dead").json["dead"]
    assert key == layout.DEAD + listed["name"]
    assert listed["job_files"] == ["jobs/cat.json"]
    assert listed["error"] == '{"errorMessage": "the store is away"}'
    done = ask(world, "POST", f"/dead/{listed['name']}/redrive")
    assert done.status == 200
    assert "cat" in done.json["done"][0]
    assert world.states("cat")[0] == "QUEUED"
    assert ask(world, "GET", "/dead").json == {"dead": [], "total": 0}
    assert ask(world, "POST", f"/dead/{listed['name']}/redrive").status == 404


def test_a_dead_file_that_is_none_is_left_alone(world: World) -> None:
    world.bucket.write("dead/note.json", b"hello")
    assert ask(world, "GET", "/dead").json["dead"][0]["name"] == "note.json"
    assert ask(world, "POST", "/dead/note.json/redrive").status == 409
    assert world.bucket.holds("dead/note.json")


@pytest.mark.parametrize("name", ["..%2fjobs%2fcat.json", "x", "%2e%2e", "a%00.json", "~.json"])
def test_names_of_dead_events_are_no_paths(world: World, name: str) -> None:
    world.bucket.write("jobs/cat.json", job_file(id="cat"))
    assert ask(world, "POST", f"/dead/{name}/redrive").status == 404
    assert world.bucket.count() == 0


def test_a_model_that_was_left_alone_is_asked_again(world: World) -> None:
    world.queued("cat")
    app = world.app()
    rule = ErrorRule("Throttling", None, None, "transient", "after_backoff", "none", "h", "h")
    app.ledger.breakers.pause("brush", ServiceError("Throttling", "slow down", 429, "r"), rule)
    waiting = ask(world, "GET", "/jobs/cat").json["estimated_wait_seconds"]
    assert ask(world, "POST", "/models/brush/resume").json == {"model": "brush", "resumed": True}
    assert ask(world, "GET", "/jobs/cat").json["estimated_wait_seconds"] < waiting
    assert world.bucket.holds(layout.WAKE)
    assert ask(world, "POST", "/models/nothing/resume").status == 404


@pytest.fixture()
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "img").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>猫", encoding="utf-8")
    (folder / "app.js").write_text("1")
    (folder / "img" / "a.png").write_bytes(b"\x89PNG")
    (folder / ".hidden.js").write_text("x")
    (folder / "notes.py").write_text("x")
    (tmp_path / "outside.js").write_text("x")
    (folder / "link.js").symlink_to(tmp_path / "outside.js")
    return folder


def page(to: World | App, web: Path, path: str, **headers: str) -> Reply:
    app = to.app() if isinstance(to, World) else to
    return Reply(call(create_app(app, web), Request("GET", path, headers)))


def test_the_page_needs_no_token_and_may_run_only_its_own_scripts(world: World, web: Path) -> None:
    reply = page(world, web, "/")
    assert (reply.status, reply.text) == (200, "<!doctype html>猫")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == (
        "default-src 'self'; img-src 'self' data: blob: https://bucket.invalid;"
        " connect-src 'self' https://bucket.invalid; style-src 'self'; script-src 'self';"
        " object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert world.bucket.count() == 0


def test_the_pages_files_have_their_types(world: World, web: Path) -> None:
    assert page(world, web, "/web/app.js").headers["content-type"].startswith("text/javascript")
    image = page(world, web, "/web/img/a.png")
    assert (image.raw, image.headers["content-type"]) == (b"\x89PNG", "image/png")


def test_a_file_that_is_known_is_not_sent_again(world: World, web: Path) -> None:
    tag = page(world, web, "/").headers["etag"]
    again = page(world, web, "/", **{"If-None-Match": tag})
    assert (again.status, again.raw) == (304, b"")
    (web / "index.html").write_text("new")
    assert page(world, web, "/", **{"If-None-Match": tag}).text == "new"


def links(html: str) -> list[str]:
    """The files that a page names."""
    return re.findall(r'(?:href|src)="([^"]+)"', html)


def test_a_browser_keeps_all_that_the_page_names_for_a_year(world: World) -> None:
    named = links(page(world, WEB, "/").text)
    assert "web/build/page.js" in [re.sub(r"v-[0-9a-f]{16}/", "", one) for one in named]
    for one in named:
        reply = page(world, WEB, f"/{one}")
        assert (reply.status, reply.headers["cache-control"]) == (
            *(200, "public, max-age=31536000, immutable"),
        )
    assert page(world, WEB, "/").headers["cache-control"] == "no-cache"
    assert page(world, WEB, "/web/build/page.js").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("changed", ["app.js", "img/a.png", "new.css"])
def test_a_changed_file_has_another_url_and_the_old_one_is_not_kept(
    world: World, web: Path, changed: str
) -> None:
    (web / "index.html").write_text('<script src="web/app.js">')
    app = world.app()
    (old,) = links(page(app, web, "/").text)
    (web / changed).write_text("2, and longer")
    (new,) = links(page(app, web, "/").text)
    assert new != old
    assert page(app, web, f"/{new}").headers["cache-control"].endswith("immutable")
    late = page(app, web, f"/{old}")
    assert (late.text, late.headers["cache-control"]) == ((web / "app.js").read_text(), "no-cache")


def test_the_same_files_have_the_same_urls_in_every_instance(world: World, web: Path) -> None:
    (web / "index.html").write_text('<script src="web/app.js">')
    os.mkfifo(web / "never-ends.js")  # nobody reads it, or the test would not end
    copied = shutil.copytree(web, web.parent / "copy", True, shutil.ignore_patterns("never*"))
    assert page(world, copied, "/").text == page(world, web, "/").text


@pytest.mark.parametrize(
    "path",
    [
        "/web/none.js",
        "/web/v-0123456789abcdef/none.js",
        "/web/v-0123456789abcdef/../../outside.js",
        "/web/v-0123456789abcdef//etc/hosts.txt",
        "/web/v-0123456789abcdef/v-0123456789abcdef/app.js",
        "/web/v-0123456789abcdef",
        "/web/../outside.js",
        "/web/..%2foutside.js",
        "/web/%2e%2e/outside.js",
        "/web//etc/passwd",
        "/web/%2fetc%2fhosts.txt",
        "/web/link.js",
        "/web/.hidden.js",
        "/web/notes.py",
        "/web/img",
        "/web/a%00.js",
        "/web/" + "a" * 3000 + ".js",
        "/web/%ff.js",
    ],
)
def test_nothing_outside_the_folder_is_served(world: World, web: Path, path: str) -> None:
    reply = page(world, web, path)
    assert (reply.status, reply.json["title"]) == (404, "No such file")


def test_without_the_folder_the_answer_says_where_it_belongs(world: World, tmp_path: Path) -> None:
    reply = page(world, tmp_path / "nothing", "/")
    assert reply.status == 404
    assert "web/" in reply.json["detail"]
