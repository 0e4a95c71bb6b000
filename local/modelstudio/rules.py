"""The models' own rules, read from the files in models/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ModelRules:
    """One model. Durations in seconds; `row` holds what the files say beside it.

    `tasks` and `calls` are the paths below /services/aigc/ without a slash at their end, empty
    where the model has none. `called`: the same model where it is called, if it differs there.
    """

    name: str
    tasks: str
    calls: str
    typical_seconds: float
    free_images: int
    submissions: int
    per_seconds: float
    concurrent_tasks: int | None
    concurrent_calls: int | None
    input: Mapping[str, Row]
    parameters: Mapping[str, Row]
    images: Row
    answer: Row
    row: Row
    called: ModelRules | None = None

    @property
    def api_key_name(self) -> str:
        """The `user_api_unique_key` of the task management page."""
        return f"apikey:v1:aigc:{self.tasks.replace('/', ':')}:{self.name}"

    @property
    def speaks_messages(self) -> bool:
        """Whether prompt and images come in `input.messages`."""
        return bool(self.row.get("body") == "messages")

    def kind(self, function: object, has_images: bool) -> str:
        """Which drawing stands in for the model."""
        kind = self.row["kind"]
        if isinstance(kind, Mapping):
            return str(kind[function])
        if kind == "any":
            return "edit" if has_images else "paint"
        return str(kind)


def load_models() -> dict[str, ModelRules]:
    """Every model the server knows, by name."""
    found: dict[str, ModelRules] = {}
    for path in sorted(Path(__file__).with_name("models").glob("*.yaml")):
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        found.update({name: _model(name, row) for name, row in rows.items()})
    return found


def _model(name: str, row: Row) -> ModelRules:
    limits = row["limits"]
    return ModelRules(
        name=name,
        tasks=row.get("tasks", "").rstrip("/"),
        calls=row.get("calls", ""),
        typical_seconds=float(row["typical_seconds"]),
        free_images=row["free_images"],
        submissions=limits["submissions"],
        per_seconds=float(limits.get("per_seconds", 1)),
        concurrent_tasks=limits.get("concurrent_tasks"),
        concurrent_calls=limits.get("concurrent_calls"),
        input=row["input"],
        parameters=row["parameters"],
        images=row.get("images", {}),
        answer=row["answer"],
        row=row,
        called=_model(name, {**row, **row["called"], "called": {}}) if row.get("called") else None,
    )


def holds(condition: Row, facts: Row) -> bool:
    """Whether every fact is as the condition says."""
    return all(facts.get(name) == wanted for name, wanted in condition.items())


def varied(row: Row, facts: Row) -> Row:
    """The row with what its first fitting variant changes."""
    for variant in row.get("variants", ()):
        if holds(variant["when"], facts):
            return {**row, **variant}
    return row
