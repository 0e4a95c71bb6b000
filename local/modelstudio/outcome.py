"""What a task or call that went well tells: its images and usage, in the form of its model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.modelstudio.money import tier
from local.modelstudio.rules import holds
from local.modelstudio.tasks import Picture, Task

Json = dict[str, Any]
Address = Callable[[str, Task], str]
_NEVER = {"never": True}


def output(task: Task, address: Address) -> Json:
    """What stands in `output` beside the task's id and status."""
    answer = task.model.answer
    told = {name: task.body["input"][name] for name in answer.get("echoes", ())}
    return {**_FORMS[answer["form"]](task, address), **told, **answer.get("also", {})}


def usage(task: Task) -> Json:
    """The model's own names, filled in; what is no name of a fact stands for itself."""
    wide, high = next(picture.size for picture in task.pictures if picture.name)
    known = {
        "images": task.good,
        "inputs": task.inputs,
        "width": wide,
        "height": high,
        "size": f"{wide}*{high}",
        "output_tier": tier((wide, high), "output"),
    }
    return {name: known.get(fact, fact) for name, fact in task.model.row["usage"].items()}


def _results(task: Task, address: Address) -> Json:
    return {"results": [_result(task, picture, address) for picture in task.pictures]}


def _result(task: Task, picture: Picture, address: Address) -> Json:
    if picture.error is not None:
        return {"code": picture.error.code, "message": picture.error.message}
    result: Json = {}
    if task.model.answer.get("prompts"):
        result["orig_prompt"] = task.texts.get("prompt", "")
        if task.rewritten_prompt is not None:
            result["actual_prompt"] = task.rewritten_prompt
    result["url"] = address(picture.name or "", task)
    return result


def _single(task: Task, address: Address) -> Json:
    key = task.model.answer.get("key", "output_image_url")
    told: Json = {key: address(task.pictures[0].name or "", task)}
    if task.is_blank and "of_blank" in task.model.answer:
        told["message"] = task.model.answer["of_blank"]
    return told


def _choices(task: Task, address: Address) -> Json:
    """The good images alone: no page says how one that failed would be told."""
    answer = task.model.answer
    kind = {"type": "image"} if answer.get("typed") else {}
    images = [
        {"image": address(picture.name, task), **kind} for picture in task.pictures if picture.name
    ]
    together = holds(answer["one_choice_when"], task.facts)
    if holds(answer.get("interleaved_when", _NEVER), task.facts):
        images = [part for image in images for part in (_paragraph(task), image)]
    told: Json = {
        "choices": [
            _choice(task, content) for content in ([images] if together else [[i] for i in images])
        ]
    }
    if answer.get("finished"):
        told["finished"] = True
    if answer.get("rewrite_status"):
        told["rewrite_status"] = "not_use" if task.rewritten_prompt is None else "success"
    return told


def _paragraph(task: Task) -> Json:
    """The text before an image, where the model writes one with images in it."""
    return {"text": f"A picture of this: {task.texts['prompt']}", "type": "text"}


def _choice(task: Task, content: list[Json]) -> Json:
    message: Json = {"role": "assistant", "content": content}
    if task.model.answer.get("texts"):
        content.append({"text": task.rewritten_prompt or task.texts["prompt"]})
        if task.rewritten_prompt is not None:
            message["reasoning_content"] = "The prompt is short: light and composition are added."
    return {"finish_reason": "stop", "message": message}


_FORMS = {"results": _results, "choices": _choices, "single": _single}
