"""What happens inside a task or call: parameters checked, images fetched, pictures drawn."""

from __future__ import annotations

import asyncio
import io
import logging
import random
import re
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from local.modelstudio.clock import ServerClock, beijing_date
from local.modelstudio.errors import service_error
from local.modelstudio.faults import Fault, FaultBook
from local.modelstudio.fields import used_parameters
from local.modelstudio.inputs import InputLoader
from local.modelstudio.pictures import is_blank
from local.modelstudio.results import SUFFIXES, ResultStore
from local.modelstudio.rules import ModelRules
from local.modelstudio.settings import Settings
from local.modelstudio.sizes import Size, output_size, size_like
from local.modelstudio.tasks import Picture, Task

if TYPE_CHECKING:
    from local.modelstudio.drawing import Drawing

_LOG = logging.getLogger("modelstudio")
_NOT_OPTIONS = frozenset(
    {"n", "size", "style", "seed", "watermark", "add_watermark", "prompt_extend"}
)
_SEEDS = 2**31
_LOOK_AGAIN = 0.5
"""Seconds after which a task looks whether its model's time has been changed."""


class Studio:
    """Does the work of tasks. Drawing runs in `executor` and counts within the task's time."""

    def __init__(
        self,
        settings: Settings,
        clock: ServerClock,
        loader: InputLoader,
        results: ResultStore,
        executor: Executor,
        faults: Callable[[], FaultBook],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._loader = loader
        self._results = results
        self._executor = executor
        self._faults = faults
        self.dice = random.Random(settings.seed)

    async def carry_out(self, task: Task) -> None:
        """Fill the task's pictures. Raises ServiceError where the whole task fails."""
        began, factor = asyncio.get_running_loop().time(), self._jittered()
        parameters = used_parameters(task.model, task.body)
        if self._is_found(task.texts.values(), "input"):
            raise service_error("data_inspection_input")
        images, sizes = await self._loader.load(task, parameters)
        task.is_blank = bool(images) and await asyncio.to_thread(is_blank, images[-1][1])
        task.phase = 1
        fault = self._faults().take("task", task.model.name)
        if fault is None or fault.action == "delay":
            await self._draw_all(task, _Job(task, parameters, images, sizes))
        task.phase = 2
        await self._until(task.model, began, factor)
        if fault is not None:
            await _suffer(fault)

    def _jittered(self) -> float:
        jitter = self._settings.jitter
        return 1 + self.dice.uniform(-jitter, jitter)

    async def _until(self, model: ModelRules, began: float, factor: float) -> None:
        """Until the model's time is over. A setting that changes counts for what is under way."""
        loop = asyncio.get_running_loop()
        while (left := began + self._settings.task_seconds(model) * factor - loop.time()) > 0:
            await asyncio.sleep(min(left, _LOOK_AGAIN))

    def _is_found(self, texts: Iterable[str], part: str) -> bool:
        """Whether one of the moderated words stands in one of the texts, as a word of its own."""
        words = self._settings.moderated_words(part)
        return any(_holds(text, word) for text in texts for word in words)

    async def _draw_all(self, task: Task, job: _Job) -> None:
        parameters = job.parameters
        if parameters.get("prompt_extend"):
            task.rewritten_prompt = task.texts["prompt"] + task.model.row["prompt_addition"]
        seed = parameters.get("seed")
        first = self.dice.randrange(_SEEDS) if seed is None else seed
        refused = self._is_found([task.texts.get("prompt", "")], "output")
        for k in range(parameters["n"]):
            fault = self._faults().take("image", task.model.name, k)
            if fault is not None or refused:
                error = fault.error if fault else service_error("data_inspection_output")
                task.pictures.append(Picture(error=error))
                continue
            task.pictures.append(await self._picture(task, job.drawing((first + k) % _SEEDS)))

    async def _picture(self, task: Task, drawing: Drawing) -> Picture:
        loop = asyncio.get_running_loop()
        try:
            png, size = await loop.run_in_executor(self._executor, _draw, drawing)
        except Exception as problem:  # the picture fails, the others of the task need not
            _LOG.error("modelstudio: drawing failed: %s: %s", type(problem).__name__, problem)
            return Picture(error=service_error("internal_algorithm"))
        suffix = SUFFIXES[drawing.format]
        name = f"{beijing_date(task.created)}/{uuid.uuid4()}{suffix}"
        expires = task.created + self._settings.seconds("retention_seconds")
        await loop.run_in_executor(self._executor, self._results.keep, name, png, expires)
        return Picture(name=name, size=size)


def _holds(text: str, word: str) -> bool:
    """Chinese has no spaces between words, so only Latin letters and digits tell words apart."""
    alone = rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])"
    return re.search(alone, text, re.IGNORECASE) is not None


async def _suffer(fault: Fault) -> None:
    """What a fault at `task` does once its time is over. Raises ServiceError for `answer`."""
    if fault.action == "hang":
        await asyncio.Event().wait()  # until the task is given up
    if fault.action == "answer":
        raise fault.error
    await asyncio.sleep(fault.seconds or 0.0)


@dataclass(frozen=True)
class _Job:
    """A task's parameters, pictures with their fields, and the pictures' sizes."""

    task: Task
    parameters: dict[str, Any]
    images: tuple[tuple[str, bytes], ...]
    sizes: dict[str, Size]

    def drawing(self, seed: int) -> Drawing:
        """What is to be drawn."""
        from local.modelstudio.drawing import Drawing

        task, used = self.task, self.parameters
        kinds = {name: rule["type"] for name, rule in task.model.input.items()}
        chosen = {k: v for k, v in task.body["input"].items() if kinds.get(k) == "enum"}
        return Drawing(
            kind=task.model.kind(task.facts["function"], bool(self.images)),
            prompt=task.rewritten_prompt or task.texts.get("prompt", ""),
            negative_prompt=task.texts.get("negative_prompt", ""),
            images=tuple(data for _, data in self.images),
            fields=tuple(field for field, _ in self.images),
            size=self._size(),
            style=used.get("style") or "<auto>",
            seed=seed,
            watermark=bool(used.get("watermark") or used.get("add_watermark")),
            options={**chosen, **{k: v for k, v in used.items() if k not in _NOT_OPTIONS}},
            format=task.model.answer.get("format", "PNG"),
        )

    def _size(self) -> Size | None:
        model, shape = self.task.model, next(reversed(self.sizes.values()), None)
        if "output" in model.row:
            return size_like(model.row["output"], self.sizes, self.parameters)
        if model.row.get("keeps_size"):
            return shape
        return output_size(model.parameters.get("size", {}), self.parameters.get("size"), shape)


def _draw(drawing: Drawing) -> tuple[bytes, Size]:
    from local.modelstudio.drawing import draw  # numpy and OpenCV load with the first task only

    png = draw(drawing)
    with Image.open(io.BytesIO(png)) as image:
        return png, image.size
