"""A request in OpenAI's form, written as a job.

What its fields are called for a model follows from the model's file: which key of `input` takes the
text, the images, the mask. Whether the values are right is for the check to say, as of any job.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.catalogue.conditions import holds
from shared.catalogue.models import ImageRule, Model
from shared.catalogue.plain import Plain
from shared.catalogue.pointers import of, steps_of

PROMPT, IMAGE, MASK = "prompt", "image", "mask"
OWN = ("model", PROMPT, IMAGE, "images", "image[]", MASK, "n", "size", "user", "safety_identifier")
"""Fields that are written in another way, or as something else."""
OF_THE_ANSWER = "response_format"
HARMLESS: Mapping[str, tuple[Plain, ...]] = {
    "background": ("auto",),
    "moderation": ("auto",),
    "output_compression": (100,),
    "partial_images": (0,),
    "quality": ("auto", "standard"),
    "stream": (False,),
}
"""Values of OpenAI's own fields that ask for what is done anyway: clients write them."""
LONGEST_LABEL = 256
OPTIONS = (
    "job",
    "id",
    "labels",
    "priority",
    "expires_after",
    "webhook",
    "on_partial",
    "on_unknown",
)
"""What only a job file says."""
SECTIONS = ("input", "parameters")
_SIZE = re.compile(r"([0-9]{1,6})[xX]([0-9]{1,6})")
_REGION = "region"


class NotWritable(Exception):
    """The request cannot be written as a job for its model. `param`: the field that is wrong."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True)
class Places:
    """The keys of a model's `input` for what OpenAI's form names; None where it takes none.

    `mask` is the rule of the image that marks a region, `images` those of the others.
    """

    text: str | None
    images: tuple[ImageRule, ...]
    mask: ImageRule | None

    @classmethod
    def of(cls, model: Model) -> Places:
        fields = model.input_schema["properties"]
        text = model.messages.text if model.messages else PROMPT
        marking = [rule for rule in model.images if rule.marks and rule.marks.what == _REGION]
        others = tuple(rule for rule in model.images if rule not in marking)
        return cls(text if text in fields else None, others, marking[0] if marking else None)

    def param_of(self, pointer: str) -> str:
        """What OpenAI's form calls the field at a pointer into the job."""
        if self.text is not None and pointer == f"/input/{self.text}":
            return PROMPT
        if self.mask is not None and pointer == self.mask.at:
            return MASK
        if any(pointer.startswith(rule.at.removesuffix("/*")) for rule in self.images):
            return IMAGE
        steps = steps_of(pointer)
        return steps[1] if len(steps) > 1 else (steps or [""])[0]


def job_of(
    asked: Mapping[str, Plain], model: Model, images: Sequence[Plain], mask: Plain
) -> dict[str, Any]:
    """The job that a request asks for; `images` and `mask` as references. Raises NotWritable."""
    _refuse_job_file(asked, model)
    places = Places.of(model)
    job: dict[str, Any] = {"model": model.name, "input": {}, "parameters": {}}
    if (prompt := asked.get(PROMPT)) is not None and (places.text or prompt != ""):
        job["input"][places.text or PROMPT] = prompt
    _put_images(job, places, model, images, mask)
    job["parameters"] |= _usual(asked, model)
    for name, value in asked.items():
        if (
            name not in (*OWN, OF_THE_ANSWER)
            and value is not None
            and not _says_nothing(name, value, model)
        ):
            job[_section(name, model)][name] = value
    _imply(job, model)
    labels = _labels(asked)
    return {**job, "job": {"labels": labels}} if labels else job


def _refuse_job_file(asked: Mapping[str, Plain], model: Model) -> None:
    """What belongs to a job file, and is not found where the check would say that it belongs."""
    for name in (*OPTIONS, *SECTIONS):
        if asked.get(name) is None or _section_of(name, model):
            continue
        if name in SECTIONS:
            message = f"this API has no field {name}; write what is in it beside model and prompt"
            raise NotWritable(name, message)
        raise NotWritable(
            name,
            f"this API has no field {name}. `user` becomes a label of the job, and an"
            " Idempotency-Key header makes a request safe to repeat; for anything else below `job`"
            " send the job to POST /jobs",
        )


def _put_images(
    job: dict[str, Any], places: Places, model: Model, images: Sequence[Plain], mask: Plain
) -> None:
    if mask is not None:
        if places.mask is None:
            raise NotWritable(
                MASK,
                f"{model.name} takes no mask; leave it out, or take a model"
                " that repaints what a mask marks",
            )
        job["input"][steps_of(places.mask.at)[1]] = mask
    if not images:
        return
    if not places.images:
        raise NotWritable(IMAGE, f"{model.name} takes no images; send it to /images/generations")
    rule = places.images[0]
    if rule.at.endswith("/*"):
        job["input"][steps_of(rule.at)[1]] = list(images)
    elif len(images) > 1:
        raise NotWritable(IMAGE, f"{model.name} takes one image, and there are {len(images)}")
    else:
        job["input"][steps_of(rule.at)[1]] = images[0]


def _usual(asked: Mapping[str, Plain], model: Model) -> dict[str, Plain]:
    """`n`, which is 1 unless the request says more, and `size`."""
    found: dict[str, Plain] = {}
    number, size = asked.get("n"), asked.get("size")
    if model.field("parameters", "n") is not None or number not in (None, 1):
        found["n"] = 1 if number is None else number
    if size is not None and size != "auto":
        named = _SIZE.fullmatch(size) if isinstance(size, str) else None
        found["size"] = f"{named[1]}*{named[2]}" if named else size
    return found


def _says_nothing(name: str, value: Plain, model: Model) -> bool:
    """Whether OpenAI's own field asks for what is done anyway, and the model has none like it."""
    if model.field("input", name) or model.field("parameters", name):
        return False
    if name == "output_format":
        return isinstance(value, str) and value.upper() == model.result_format
    return any(type(value) is type(one) and value == one for one in HARMLESS.get(name, ()))


def _section(name: str, model: Model) -> str:
    return _section_of(name, model) or "parameters"


def _section_of(name: str, model: Model) -> str | None:
    """Where the model has the field; None if it has none like it."""
    return next((one for one in SECTIONS if model.field(one, name) is not None), None)


def _imply(job: dict[str, Any], model: Model) -> None:
    written = {of(("input", name)) for name in job["input"]}
    written |= {of(("parameters", name)) for name in job["parameters"]}
    for one in model.implied:
        if one.at not in written and holds(one.when, model, job):
            _, section, name = one.at.split("/", 2)
            job[section][name] = one.value


def _labels(asked: Mapping[str, Plain]) -> dict[str, str]:
    found = {name: asked.get(name) for name in ("user", "safety_identifier")}
    return {name: text[:LONGEST_LABEL] for name, text in found.items() if isinstance(text, str)}
