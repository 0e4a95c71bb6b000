"""The official client, by base URL and key alone, against `api`."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import openai
import pytest
from openai import OpenAI
from PIL import Image

from tests.conformance.laptop import Laptop
from tests.conformance.proxy import breaking

PAINTER, FUSER, EDITOR = "wan2.5-t2i-preview", "wan2.5-i2i-preview", "wanx2.1-imageedit"


@pytest.fixture()
def client(laptop: Laptop) -> OpenAI:
    return OpenAI(base_url=laptop.env["API_URL"] + "/v1", api_key=laptop.env["API_TOKEN"])


@pytest.fixture()
def slow(laptop: Laptop) -> Iterator[None]:
    laptop.settings(task_seconds=5)
    yield
    laptop.settings(task_seconds=0.5)


def png(mode: str = "RGB", colour: str = "white") -> bytes:
    made = io.BytesIO()
    Image.new(mode, (600, 600), colour).save(made, "PNG")
    return made.getvalue()


def mask() -> bytes:
    """Opaque, with a transparent hole."""
    image = Image.new("RGBA", (600, 600), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 300, 300))
    made = io.BytesIO()
    image.save(made, "PNG")
    return made.getvalue()


def charged(laptop: Laptop) -> int:
    """How many tasks the stand-in for the service has made."""
    return len(laptop.admin("tasks")["tasks"])


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def test_an_image_by_its_address(client: OpenAI) -> None:
    made = client.images.generate(model=PAINTER, prompt="a cat", size="1280x1280", n=2)
    assert made.data is not None
    assert len(made.data) == 2
    assert made.created > 0
    for one in made.data:
        assert one.url is not None
        assert size_of(urlopen(one.url, timeout=30).read()) > (0, 0)


def test_an_image_as_base64(client: OpenAI) -> None:
    made = client.images.generate(model=PAINTER, prompt="a dog", response_format="b64_json")
    assert made.data is not None
    assert size_of(base64.b64decode(made.data[0].b64_json or "")) > (0, 0)


def test_several_images_are_joined(client: OpenAI) -> None:
    images = [("a.png", png(colour="red")), ("b.png", png(colour="blue"))]
    made = client.images.edit(
        model=FUSER, image=images, prompt="join them", extra_body={"negative_prompt": "green"}
    )
    assert made.data is not None
    assert made.data[0].url


def test_an_image_with_a_mask(client: OpenAI) -> None:
    made = client.images.edit(model=EDITOR, image=png(), mask=mask(), prompt="a hat")
    assert made.data is not None
    assert made.data[0].url


def test_mistakes_are_the_client_s_own_errors(client: OpenAI, laptop: Laptop) -> None:
    before = charged(laptop)
    with pytest.raises(openai.BadRequestError) as wrong:
        client.images.generate(model=PAINTER, prompt="a cat", n=9)
    assert wrong.value.param == "n"
    assert "/parameters/n" not in wrong.value.message
    with pytest.raises(openai.NotFoundError):
        client.images.generate(model="gpt-image-1", prompt="a cat")
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="nobody").images.generate(model=PAINTER, prompt="a cat")
    assert charged(laptop) == before


def test_the_models(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {PAINTER, FUSER, EDITOR} <= set(names)
    assert client.models.retrieve(PAINTER).object == "model"


@pytest.mark.usefixtures("slow")
def test_a_wait_that_ran_out_is_not_repeated_and_ends_with_the_same_job(
    client: OpenAI, laptop: Laptop
) -> None:
    before = charged(laptop)
    with pytest.raises(openai.InternalServerError) as over:
        client.with_options(timeout=3).images.generate(model=PAINTER, prompt="a slow cat")
    assert over.value.status_code == 504
    assert over.value.code == "job_not_over"
    made = client.images.generate(model=PAINTER, prompt="a slow cat")
    assert made.data is not None
    said: Any = over.value.body
    assert said["job"] in (made.data[0].url or "")
    assert charged(laptop) == before + 1


@pytest.mark.usefixtures("slow")
def test_connections_that_are_cut_are_paid_once_with_the_client_s_defaults(laptop: Laptop) -> None:
    before = charged(laptop)
    with breaking(laptop.env["API_URL"], times=2) as url:
        client = OpenAI(base_url=f"{url}/v1", api_key=laptop.env["API_TOKEN"])
        made = client.images.generate(model=PAINTER, prompt="a cat behind a broken wire")
    assert made.data is not None
    assert made.data[0].url
    assert charged(laptop) == before + 1


@pytest.mark.usefixtures("slow")
def test_an_idempotency_key_is_one_job(client: OpenAI, laptop: Laptop) -> None:
    before = charged(laptop)
    headers = {"Idempotency-Key": "one-cat"}
    urls = set()
    for _ in range(2):
        made = client.images.generate(model=PAINTER, prompt="a cat", extra_headers=headers)
        assert made.data is not None
        urls.add((made.data[0].url or "").partition("?")[0])
    assert len(urls) == 1
    assert charged(laptop) == before + 1
