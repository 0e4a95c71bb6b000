"""The paths that creates are posted to: how each is called, and in which form it answers.

Both follow from the models that the catalogue has at a path; any other model may be asked there
too, since clients choose a path by rules of their own (SDK source: `aigc/image_synthesis.py`,
`aigc/image_generation.py`, `v2/resources/images.py`).
"""

from __future__ import annotations

from collections import Counter

from shared.api.dashscope import errors
from shared.catalogue.models import Catalogue, Model

SYNTHESIS = (
    "/services/aigc/image2image/image-synthesis",
    "/services/aigc/text2image/image-synthesis",
)
"""Asynchronous; the SDK sends models it does not know to the second one unless told otherwise."""
GENERATION = "/services/aigc/image-generation/generation"
"""Where the SDK sends `messages` as a task, whatever the model (ImageGeneration.async_call)."""


def is_asynchronous(path: str, catalogue: Catalogue) -> bool:
    """Whether a path answers with a task, or with the result. Raises DashScopeError for a path
    that no image model has."""
    if path in (*SYNTHESIS, GENERATION):
        return True
    names = catalogue.at_path(path)
    if not names:
        raise errors.wrong_path()
    return not set(names) & set(catalogue.called())


def results_at(path: str, model: Model, catalogue: Catalogue) -> str:
    """Where an answer of a path holds the results of a model (JSON Pointer).

    A model that has another path answers as most models of this one do: a client reads what it
    asked for.
    """
    if path == path_of(model):
        return model.results_at
    others = map(catalogue.get, catalogue.at_path(path))
    usual = Counter(one.results_at for one in others if one).most_common(1)
    return usual[0][0] if usual else model.results_at


def path_of(model: Model) -> str:
    """A model's own path. One has a slash at its end (background generation page)."""
    return model.endpoint.rstrip("/")
