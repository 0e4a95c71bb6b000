"""The functions' own check of a job and the model service's, held against each other."""

from __future__ import annotations

import base64
import io
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from local.modelstudio.money import bill
from local.modelstudio.rules import load_models
from shared.catalogue.conditions import holds
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.wire import wire_body
from shared.jobfile import Place, check, parse
from shared.jobfile.addresses import hosts_of
from shared.storage.objects import ObjectMissing, Slice
from tests.kit.heic import heic
from tests.kit.modelstudio_server import (
    EDIT,
    PAINTING,
    SKETCH,
    Client,
    ImageHost,
    Json,
    picture,
    running_server,
    see_through,
)

TABLE: dict[str, Any] = {"differences": []}
for path in sorted(Path(__file__).with_name("two_readings").glob("*.yaml")):
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    TABLE["differences"] += rows.pop("differences", [])
    TABLE.update(rows)
CATALOGUE = load_catalogue()
READ_AGAIN = load_models()


def snapshots(family: str) -> list[str]:
    """The fixed versions of a family's models."""
    found = (one for one in CATALOGUE.models() if (one.snapshot_of or "").startswith(family))
    return [one.name for one in found]


GROUPS: Mapping[str, tuple[str, ...]] = {
    "paint": (PAINTING,),
    "sketch": (SKETCH,),
    "edit": (EDIT,),
    "imageedit": ("wanx2.1-imageedit",),
    "wan25t2i": ("wan2.5-t2i-preview",),
    "wan22t2i": (
        "wan2.2-t2i-flash",
        "wan2.2-t2i-plus",
        "wanx2.1-t2i-turbo",
        "wanx2.1-t2i-plus",
        "wanx2.0-t2i-turbo",
    ),
    "wan26t2i": ("wan2.6-t2i",),
    "wan26image": ("wan2.6-image",),
    "wanxv1": ("wanx-v1",),
    "wan27": ("wan2.7-image", "wan2.7-image-pro"),
    "wan27small": ("wan2.7-image",),
    "wan27pro": ("wan2.7-image-pro",),
    "qwen3": ("qwen-image-3.0", "qwen-image-3.0-pro"),
    "qwen1": ("qwen-image", "qwen-image-plus"),
    "qwen1max": ("qwen-image-max", "qwen-image-max-2025-12-30", "qwen-image-plus-2026-01-09"),
    "qwen2": ("qwen-image-2.0", "qwen-image-2.0-pro", *snapshots("qwen-image-2.0")),
    "qwenedit": ("qwen-image-edit-plus", "qwen-image-edit-max", *snapshots("qwen-image-edit")),
    "qwenedit1": ("qwen-image-edit",),
    "translate": ("qwen-mt-image",),
    "zimage": ("z-image-turbo",),
    "outpaint": ("image-out-painting",),
    "background": ("wanx-background-generation-v2",),
    "repaint": ("wanx-style-repaint-v1",),
    "tryon": ("aitryon", "aitryon-plus"),
}
IMAGE = "@PNG-400x400-RGB"
MASK = "@PNG-400x400-L"
LARGE = "@PNG-512x512-RGB"
NOISE = "@PNG-400x400-noise"
PROMPT: Json = {"prompt": "a cat"}
SOUND: Mapping[str, Json] = {
    "paint": {**PROMPT, "base_image_url": IMAGE, "mask_image_url": MASK},
    "sketch": {**PROMPT, "sketch_image_url": IMAGE},
    "edit": {**PROMPT, "images": [IMAGE]},
    "imageedit": {"function": "description_edit", **PROMPT, "base_image_url": LARGE},
    "wan26image": {**PROMPT, "images": [IMAGE]},
    "qwenedit": {**PROMPT, "images": [IMAGE]},
    "qwenedit1": {**PROMPT, "images": [IMAGE]},
    "outpaint": {"image_url": LARGE},
    "translate": {"image_url": IMAGE, "source_lang": "zh", "target_lang": "en"},
    "background": {"base_image_url": "@PNG-400x400-RGBA", "ref_prompt": "a table"},
    "repaint": {"image_url": IMAGE, "style_index": 3},
    "tryon": {"person_image_url": NOISE, "top_garment_url": NOISE},
}
WITHOUT_N = ("zimage", "outpaint", "translate", "repaint", "tryon")
REFUSALS = ("InvalidParameter", "InvalidFile", "InvalidGarment", "BadRequest")
SERVICES = "/api/v1/services/aigc/"
ABSENT = "<absent>"
PASSED = "Passed.AllChecks"  # the fault that stands where the drawing would begin


@dataclass(frozen=True)
class Case:
    """What is put over a sound job of a model, and what each reader should say to it."""

    name: str
    group: str
    model: str
    input: Any
    parameters: Any
    ours: str
    service: str


def read_cases() -> list[Case]:
    cases = [
        Case(f"{model}: {name}", group, model, given, parameters, verdict, verdict)
        for group, models in GROUPS.items()
        for model in models
        for name, given, parameters, verdict in TABLE[group]
    ]
    for row in TABLE["differences"]:
        name, group, given, parameters = row["case"]
        for model in GROUPS[group]:
            told = f"differs: {model}: {name}"
            cases.append(Case(told, group, model, given, parameters, row["ours"], row["service"]))
    return cases


CASES = read_cases()


def drawn(size: tuple[int, int], kind: str, mode: str) -> bytes:
    if mode == "noise":  # of many bytes
        return noisy(size, kind)
    image = Image.new(mode, size)
    image.paste(255 if mode == "P" else "white", (0, 0, size[0] // 2 + 1, size[1]))
    if mode.endswith("A"):
        image.putalpha(128)  # an alpha channel of nothing but 255 is left out of a WEBP
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def noisy(size: tuple[int, int], kind: str) -> bytes:
    out = io.BytesIO()
    grains = random.Random(1).randbytes(size[0] * size[1])
    Image.frombytes("L", size, grains).convert("RGB").save(out, kind)
    return out.getvalue()


def animation(kind: str) -> bytes:
    first, *others = (Image.new("RGB", (400, 400), colour) for colour in ("red", "green", "blue"))
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=others)
    return out.getvalue()


def made(name: str) -> bytes | None:
    """The picture a case names, or None if it names one that does not exist."""
    if found := re.fullmatch(r"([A-Z]+)-(\d+)x(\d+)-([\w;]+)", name):
        kind, wide, high, mode = found.groups()
        return drawn((int(wide), int(high)), kind, mode)
    if padded := re.fullmatch(r"(\d+)\.png", name):
        return picture().ljust(int(padded[1]), b"\0")
    return {
        "heic": heic((400, 400)),
        "see-through.png": see_through(),
        "cut.png": picture()[:-40],
        "animated.png": animation("PNG"),
        "animated.webp": animation("WEBP"),
        "page.html": b"<html>not an image</html>",
        "empty.png": b"",
    }.get(name)


class PictureHost(ImageHost):
    """An image host that also holds, in the way of a bucket, the pictures of the cases."""

    def offer(self, name: str) -> None:
        data = made(name)
        if data is not None:
            self.files[name] = data

    def read_range(self, key: str, start: int, length: int) -> Slice:
        data = self.files.get(key.removeprefix("inputs/"))
        if data is None:
            raise ObjectMissing(f"{key} does not exist")
        return Slice(data[start : start + length], len(data), key)


def in_messages(flat: Json, parameters: set[str]) -> Json:
    """The body as the service's messages: pictures, then the text; the rest among parameters."""
    given = flat["input"]
    content = [{"image": image} for image in given.get("images", [])]
    content += [{"text": given["prompt"]}] if "prompt" in given else []
    moved = {key: value for key, value in given.items() if key in parameters}
    return {
        "model": flat["model"],
        "input": {"messages": [{"role": "user", "content": content}]},
        "parameters": {**flat.get("parameters", {}), **moved},
    }


@dataclass
class Bench:
    """Both readers, and the pictures for them."""

    server: Client
    host: PictureHost

    def body(self, case: Case, root: str) -> Json:
        """The case as a request whose pictures lie below `root`."""
        body: Json = {"model": case.model}
        number = {} if case.group in WITHOUT_N else {"n": 1}
        parts = {"input": SOUND.get(case.group, PROMPT), "parameters": number}
        for name, changes in (("input", case.input), ("parameters", case.parameters)):
            whole = {**parts[name], **changes} if isinstance(changes, dict) else changes
            if whole != ABSENT:
                body[name] = self._filled(whole, root)
        return body

    def _filled(self, value: Any, root: str) -> Any:
        if isinstance(value, dict) and set(value) == {"text", "times"}:
            return value["text"] * value["times"]
        if isinstance(value, dict):
            return {k: self._filled(v, root) for k, v in value.items() if v != ABSENT}
        if isinstance(value, list):
            return [self._filled(item, root) for item in value]
        return self._addressed(value, root) if isinstance(value, str) else value

    def _addressed(self, text: str, root: str) -> str:
        text = text.replace("{host_rest}", self.host.url.removeprefix("http:"))
        text = text.replace("{host}", self.host.url)
        text = text.replace("{host_with_password}", self.host.url.replace("//", "//me:secret@"))
        before, at, name = text.partition("@")
        if not at or "secret" in text:
            return text
        self.host.offer(name)
        if before:
            return before + base64.b64encode(self.host.files[name]).decode()
        return root + name

    def ours(self, case: Case) -> str:
        """What the functions make of it, written in either form."""
        flat, rules = self.body(case, "oss:///inputs/"), READ_AGAIN[case.model]
        verdict = self._checked(flat)
        if rules.speaks_messages:
            assert self._checked(in_messages(flat, set(rules.parameters))) == verdict
        return verdict

    def _checked(self, body: Json) -> str:
        place = Place(self.host, "bucket", hosts_of(self.host.url))
        job = parse(json.dumps(body).encode(), "job.json")[0]
        return "taken" if check(job, CATALOGUE, place).spec else "refused"

    def service(self, case: Case) -> str:
        """What the service makes of it, at once or in the task."""
        rules, body = READ_AGAIN[case.model], self.body(case, self.host.url + "/")
        if rules.speaks_messages:
            body = in_messages(body, set(rules.parameters))
        asynchronous = "enable" if rules.tasks else ""
        path = SERVICES + (rules.tasks or rules.calls)
        answer = self.server.post(body, path, **{"X-DashScope-Async": asynchronous})
        if answer.status_code != 200:
            if answer.json()["code"] == PASSED:
                return "taken"
            assert answer.json()["code"].startswith(REFUSALS), answer.text
            return "refused"
        output = self.server.wait(answer.json()["output"]["task_id"])["output"]
        assert not output["code"].startswith("Internal"), output
        return "taken" if output["code"] == PASSED else "refused"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    settings = {"task_seconds": 0, "faults": [{"at": "task", "code": PASSED}]}
    host = PictureHost()
    host.files["%E5%9B%BE.png"] = picture()
    host.files["PNG-400x400-RGB"] = picture()
    host.files["PNG-512x512-RGB"] = picture((512, 512))
    host.files["PNG-400x400-L"] = drawn((400, 400), "PNG", "L")
    try:
        with running_server(settings) as served:
            yield Bench(served, host)
    finally:
        host.close()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_both_read_a_job_as_the_documents_do(bench: Bench, case: Case) -> None:
    assert (bench.ours(case), bench.service(case)) == (case.ours, case.service)


MESSAGE_MODELS = [name for name, rules in READ_AGAIN.items() if rules.speaks_messages]


@pytest.mark.parametrize("name", MESSAGE_MODELS)
def test_both_write_the_messages_alike(name: str) -> None:
    model, rules = CATALOGUE.get(name), READ_AGAIN[name]
    assert model is not None
    given: Json = {"prompt": "a cat"}
    if "images" in rules.input:
        given["images"] = ["https://host/1.png", "https://host/2.png"]
    if "negative_prompt" in rules.parameters:
        given["negative_prompt"] = "blurry"
    flat: Json = {"model": name, "input": given, "parameters": {"seed": 5}}
    sent = wire_body(model, flat, "cn-beijing")
    assert sent == in_messages(flat, set(rules.parameters))


@pytest.mark.parametrize("name", READ_AGAIN)
def test_both_know_the_same_path_limits_and_price(name: str) -> None:
    model, rules = CATALOGUE.get(name), READ_AGAIN[name]
    assert model is not None
    path = rules.row.get("tasks") or rules.row["calls"]
    assert model.endpoint == f"/services/aigc/{path}"
    assert (model.mode == "sync") == (not rules.tasks)
    told = (model.limits.submissions, model.limits.per_seconds, model.limits.concurrent)
    assert told == (rules.submissions, rules.per_seconds, rules.concurrent_tasks)
    assert model.price.free_images == rules.free_images


PAYABLE = [m.name for m in CATALOGUE.models() if m.price.payable and m.name in READ_AGAIN]


@pytest.mark.parametrize("extends", [True, False])
@pytest.mark.parametrize("size", [(512, 512), (1500, 1500), (1500, 1501), (2048, 2048)])
@pytest.mark.parametrize("name", PAYABLE)
def test_both_bill_the_same(name: str, size: tuple[int, int], extends: bool) -> None:
    model, rules = CATALOGUE.get(name), READ_AGAIN[name]
    assert model is not None
    told = bill(rules, {"prompt_extend": extends}, [size, size], inputs=2)
    request: Json = {"input": {}, "parameters": {"prompt_extend": extends}}
    per_image = next(
        (
            tier.per_image
            for tier in model.price.tiers
            if size[0] * size[1] <= (tier.area_at_most or 10**9)
            and holds(tier.when, model, request)
        ),
        model.price.per_image,
    )
    assert float(told) == pytest.approx(2 * per_image + 2 * model.price.per_input_image)


def test_every_difference_is_one_and_has_its_reason() -> None:
    for row in TABLE["differences"]:
        assert {row["ours"], row["service"]} == {"taken", "refused"}
        assert row["because"]


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 500


def test_every_parameter_and_input_of_the_models_is_in_the_table() -> None:
    for name in READ_AGAIN:
        model = CATALOGUE.get(name)
        assert model is not None
        used: set[str] = set()
        for case in CASES:
            if case.model == name:
                used |= set(case.input if isinstance(case.input, dict) else {})
                used |= set(case.parameters if isinstance(case.parameters, dict) else {})
        known = {*model.input_schema["properties"], *model.parameters_schema["properties"]}
        assert known - used - {"style"} == set(), name  # the same list wherever there is one
        fields = {**READ_AGAIN[name].input, **READ_AGAIN[name].parameters}
        assert known == {key for key, row in fields.items() if row["type"] != "absent"}, name


def test_the_pictures_are_what_their_names_say() -> None:
    for name in ("PNG-400x256-LA", "TIFF-400x400-RGB", "WEBP-400x400-RGBA"):
        kind, size, mode = name.split("-")
        image = Image.open(io.BytesIO(made(name) or b""))
        assert (image.format, f"{image.width}x{image.height}", image.mode) == (kind, size, mode)
