"""The endpoints over the laptop's OSS server: real uploads, real listings, real links."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from PIL import Image

from shared.app import App
from shared.platform.clock import SystemClock
from shared.platform.settings import Credentials
from shared.storage.oss import open_store
from tests.kit.http import ask
from tests.kit.oss_server import BUCKET, KEY_ID, SECRET, OssServer, oss_server
from tests.kit.world import MODEL, World, settings


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OssServer]:
    with oss_server(tmp_path_factory.mktemp("oss")) as running:
        yield running


@pytest.fixture()
def app(server: OssServer) -> App:
    """The api function's parts, over the server's bucket."""
    told = settings(oss_endpoint=server.url, oss_public_endpoint=server.url, oss_bucket=BUCKET)
    clock, rng = SystemClock(), random.Random(1)
    store = open_store(told, Credentials(KEY_ID, SECRET), clock, rng)
    return replace(World().app(), settings=told, store=store, clock=clock)


def png(color: str) -> bytes:
    file = io.BytesIO()
    picture = Image.new("RGB", (600, 600), color)
    picture.paste("white", (0, 0, 300, 300))
    picture.save(file, "PNG")
    return file.getvalue()


def uploaded(app: App, name: str, body: bytes) -> str:
    """The address of a file that was put where the endpoint said."""
    wanted = {"name": name, "size": len(body), "content_type": "image/png"}
    leave = ask(app, "POST", "/uploads", wanted).json
    put = leave["put"]
    wrong = requests.put(put["url"], body, headers={"Content-Type": "text/html"}, timeout=10)
    assert wrong.status_code == 403
    assert requests.put(put["url"], body, headers=put["headers"], timeout=10).status_code == 200
    assert app.store.read(leave["key"], 1 << 20).body == body
    return str(leave["url"])


def test_an_upload_becomes_a_job_that_is_listed(app: App) -> None:
    base = uploaded(app, "base.png", png("gray"))
    mask = uploaded(app, "mask.png", png("black"))
    given = {"prompt": "a cat", "base_image_url": base, "mask_image_url": mask}
    reply = ask(app, "PUT", "/jobs/cat", {"model": MODEL, "input": given})
    assert reply.status == 202, reply.text
    assert reply.json["position"] == 1
    page = ask(app, "GET", "/jobs?limit=1").json
    assert [row["job"] for row in page["jobs"]] == ["cat"]
    assert ask(app, "GET", f"/jobs?cursor={page['next'] or ''}").json["jobs"]
    assert ask(app, "POST", "/jobs/cat/cancel").json["state"] == "CANCELED"
    assert ask(app, "POST", "/jobs/cat/retry").json["job"] == "cat-retry-1"
    rows = ask(app, "GET", "/jobs?limit=1").json
    assert [row["job"] for row in rows["jobs"]] == ["cat-retry-1"]
    rest = ask(app, "GET", f"/jobs?limit=1&cursor={rows['next']}").json
    assert [row["job"] for row in rest["jobs"]] == ["cat"]
    assert rest["next"] is None


def test_a_link_to_save_an_image_names_the_file(app: App) -> None:
    app.store.put("results/x/image-1.png", png("red"), "image/png")
    link = app.store.presign("results/x/image-1.png", 60, "x-image-1.png")
    answer = requests.get(link, timeout=10)
    assert answer.content == png("red")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="x-image-1.png"'
