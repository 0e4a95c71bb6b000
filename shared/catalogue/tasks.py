"""What people want to do with models: the vocabulary of `schemas/tasks.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.catalogue.files import SCHEMAS, read_schema


@dataclass(frozen=True)
class Task:
    """Something that models do. `pictures`: the least (`min`) or most (`max`) that it begins with.

    `icon`: the name of an icon of the page. `en`, `zh`: title and text. `recommended`: the models
    to begin with, the first that is offered and has a future. `sample`: files of web/samples and
    values of fields that show the task.
    """

    id: str
    icon: str
    pictures: Mapping[str, int]
    en: Mapping[str, str]
    zh: Mapping[str, str]
    recommended: tuple[str, ...]
    sample: Mapping[str, Any]


def load_tasks(folder: Path | None = None) -> tuple[Task, ...]:
    """The tasks in the order in which they are offered. Raises CatalogueError."""
    content: Any = read_schema((folder or SCHEMAS) / "tasks.yaml")
    return tuple(
        Task(**{**one, "recommended": tuple(one["recommended"])}) for one in content["tasks"]
    )
