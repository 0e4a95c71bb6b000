"""Each kind of rule of a model file, seen from outside: through the check of a job."""

from __future__ import annotations

from typing import Any

import pytest

from shared.jobfile import Checked
from tests.kit.jobfile import URL, checked, job_for

IMAGEEDIT, WAN, WAN_PRO = "wanx2.1-imageedit", "wan2.7-image", "wan2.7-image-pro"
QWEN, EXPAND, WAN26 = "qwen-image-3.0", "image-out-painting", "wan2.6-image"


def imageedit(
    function: str = "description_edit", mask: str | None = None, **parameters: Any
) -> Any:
    given = {"function": function, "base_image_url": URL, "mask_image_url": mask}
    return job_for(IMAGEEDIT, input=given, parameters=parameters)


def wan(model: str = WAN, images: int = 0, **parameters: Any) -> Any:
    return job_for(model, input={"images": [URL] * images or None}, parameters=parameters)


def translation(source: str, target: str, **ext: Any) -> Any:
    given = {"prompt": None, "image_url": URL, "source_lang": source, "target_lang": target}
    return job_for("qwen-mt-image", input=given | ({"ext": ext} if ext else {}))


def interleaved(images: int = 0, **parameters: Any) -> Any:
    return wan(WAN26, images, enable_interleave=True, **parameters)


def palette(*ratios: str) -> list[dict[str, str]]:
    return [{"hex": "#C2D1E6", "ratio": ratio} for ratio in ratios]


def places(found: Checked) -> list[str]:
    return [one.pointer for one in found.violations]


def noticed(found: Checked) -> list[str]:
    return [one.pointer for one in found.notices if one.pointer != "/model"]


MASKED = "description_edit_with_mask"
REFUSED: list[tuple[Any, str]] = [
    (imageedit(MASKED), "/input/mask_image_url"),
    (imageedit("doodle", URL + "?mask"), "/input/mask_image_url"),
    (imageedit(n=5), "/parameters/n"),
    (wan(n=5), "/parameters/n"),
    (wan(enable_sequential=False, n=5), "/parameters/n"),
    (wan(enable_sequential=True, n=13), "/parameters/n"),
    (wan(size="4K"), "/parameters/size"),
    (wan(WAN_PRO, images=1, size="4K"), "/parameters/size"),
    (wan(WAN_PRO, enable_sequential=True, size="4K"), "/parameters/size"),
    (wan(size="4096*4096"), "/parameters/size"),
    (wan(WAN_PRO, images=1, size="4096*4096"), "/parameters/size"),
    (wan(WAN_PRO, enable_sequential=True, size="4096*4096"), "/parameters/size"),
    (wan(WAN_PRO, size="4097*4096"), "/parameters/size"),
    (wan(size="500*500"), "/parameters/size"),
    (wan(size="3000*300"), "/parameters/size"),
    (wan(color_palette=palette("50.00%", "25.00%", "24.00%")), "/parameters/color_palette"),
    (
        wan(enable_sequential=True, color_palette=palette("50.00%", "25.00%", "25.00%")),
        "/parameters/color_palette",
    ),
    (interleaved(images=2), "/input/images"),
    (interleaved(n=2), "/parameters/n"),
    (interleaved(size="2K"), "/parameters/size"),
    (wan(WAN26), "/input/images"),
    (wan(images=2, bbox_list=[[]]), "/parameters/bbox_list"),
    (wan(bbox_list=[[[0, 0, 9, 9]]]), "/parameters/bbox_list"),
    (
        job_for(QWEN, input={"images": [URL]}, parameters={"prompt_extend_mode": "agent"}),
        "/parameters/prompt_extend_mode",
    ),
    (translation("ja", "ko"), "/input/target_lang"),
    (translation("vi", "vi"), "/input/target_lang"),
    (translation("zh", "zh"), "/input/target_lang"),
    (translation("zh", "en", terminologies=[{"src": "茶"}]), "/input/ext/terminologies/0/tgt"),
    (translation("zh", "en", config={"imgSegment": True}), "/input/ext/config/imgSegment"),
]
RIGHT: list[Any] = [
    imageedit(),
    imageedit(MASKED, URL + "?mask", n=4),
    wan(n=4),
    wan(enable_sequential=True, n=12),
    wan(size="2K"),
    wan(WAN26, images=4, size="2K"),
    interleaved(),
    interleaved(images=1, n=1, max_images=5, size="1280*1280"),
    wan(WAN_PRO, size="4K"),
    wan(WAN_PRO, size="4096*4096"),
    wan(WAN_PRO, images=1, size="2048*2048"),
    wan(color_palette=palette("50.00%", "25.00%", "25.00%")),
    wan(color_palette=palette("33.33%", "33.33%", "33.34%")),
    wan(images=2, bbox_list=[[], [[0, 0, 9, 9]]]),
    job_for(QWEN, parameters={"prompt_extend_mode": "agent"}),
    job_for(QWEN, input={"images": [URL]}, parameters={"prompt_extend_mode": "direct"}),
    translation("ja", "zh"),
    translation("auto", "ko"),
    translation("zh", "en", terminologies=[{"src": "茶", "tgt": "tea"}], sensitives=["9折"]),
]


@pytest.mark.parametrize(("job", "place"), REFUSED)
def test_a_rule_that_is_broken_is_told_where(job: Any, place: str) -> None:
    found = checked(job)
    assert places(found) == [place]
    one = found.violations[0]
    assert one.expected
    assert one.source
    assert one.message.startswith(f"at {place}: ")


@pytest.mark.parametrize("job", RIGHT)
def test_what_is_allowed_passes(job: Any) -> None:
    assert places(checked(job)) == []


@pytest.mark.parametrize(
    ("job", "place"),
    [
        (imageedit("expand", strength=0.5), "/parameters/strength"),
        (imageedit("doodle", top_scale=1.5), "/parameters/top_scale"),
        (imageedit(upscale_factor=2), "/parameters/upscale_factor"),
        (imageedit(is_sketch=True), "/parameters/is_sketch"),
        (wan(images=1, thinking_mode=True), "/parameters/thinking_mode"),
        (interleaved(prompt_extend=False), "/parameters/prompt_extend"),
        (wan(WAN26, images=1, max_images=2), "/parameters/max_images"),
        (job_for("wanx-v1", parameters={"ref_strength": 0.5}), "/parameters/ref_strength"),
        (wan(enable_sequential=True, thinking_mode=True), "/parameters/thinking_mode"),
    ],
)
def test_what_has_no_effect_is_a_notice(job: Any, place: str) -> None:
    found = checked(job)
    assert (places(found), noticed(found)) == ([], [place])


@pytest.mark.parametrize(
    "job",
    [
        imageedit("stylization_all", strength=0.5),
        imageedit("expand", top_scale=1.5, left_scale=2),
        imageedit("super_resolution", upscale_factor=2),
        imageedit("doodle", is_sketch=True),
        wan(thinking_mode=True),
    ],
)
def test_what_has_an_effect_is_none(job: Any) -> None:
    assert noticed(checked(job)) == []


def test_a_list_that_is_too_long_is_told_with_the_number_of_its_items() -> None:
    (found,) = checked(interleaved(images=2)).violations
    assert found.expected == "a list with so many items: at most 1"
    assert "from one picture at most" in found.message


def test_of_three_ways_to_expand_the_first_counts() -> None:
    job = job_for(EXPAND, input={"prompt": None, "image_url": URL})
    assert noticed(checked(job | {"parameters": {"x_scale": 2, "y_scale": 2}})) == []
    told = noticed(checked(job | {"parameters": {"output_ratio": "1:1", "x_scale": 2}}))
    assert told == ["/parameters/x_scale"]
    assert noticed(checked(job | {"parameters": {"output_ratio": "", "x_scale": 2}})) == []
    told = noticed(checked(job | {"parameters": {"y_scale": 2, "left_offset": 9}}))
    assert told == ["/parameters/left_offset"]


@pytest.mark.parametrize(
    ("job", "sent"),
    [
        (wan(), {"n": 1, "size": "2K"}),
        (wan(enable_sequential=True), {"n": 12, "size": "2K", "enable_sequential": True}),
        (wan(WAN26, images=1), {"n": 4}),
        (interleaved(), {"n": 1, "max_images": 5, "enable_interleave": True}),
        (wan(enable_sequential=True, n=2), {"n": 2, "size": "2K", "enable_sequential": True}),
        (job_for(QWEN), {"n": 1, "size": "1024*1024"}),
        (job_for(QWEN, input={"images": [URL]}), {"n": 1}),
        (job_for("z-image-turbo"), {"prompt_extend": False}),
    ],
)
def test_what_drives_the_cost_is_sent(job: Any, sent: dict[str, Any]) -> None:
    spec = checked(job).spec
    assert spec is not None
    assert spec.parameters == sent
