"""What can be set: read, checked against settings.schema.yaml, merged while the server runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from local.modelstudio.errors import error_table
from local.modelstudio.rules import ModelRules

_DEFAULTS: Mapping[str, Any] = {
    "strict_task_path": True,
    "over_limit": "queue",
    "free_images": {},
    "task_seconds": 4,
    "jitter": 0.2,
    "seed": 1,
    "task_api_qps": 20,  # task management page
    "limits": {},
    "input_timeout_seconds": 10,
    "task_timeout_seconds": 3 * 3600,  # error code page, InternalError.Timeout
    "retention_seconds": 24 * 3600,
    "upload_retention_seconds": 48 * 3600,  # temporary file URL page
    "list_delay_seconds": 0,
    "moderated_words": {"input": [], "output": []},
    "faults": [],
}


class SettingsError(ValueError):
    """The settings were wrong; the text names each place and what is expected there."""


class Settings:
    """The values in force. `change` merges into them or, where one is wrong, leaves them alone."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values: dict[str, Any] = dict(_DEFAULTS)
        self.change(values or {})

    def change(self, values: object) -> set[str]:
        """Merge `values` and return the names of what they set. Raises SettingsError."""
        checked = _checked(values)
        self._values.update({key: self._merged(key, value) for key, value in checked.items()})
        return set(checked)

    def _merged(self, key: str, value: object) -> object:
        if value is None and key != "task_api_qps":
            return _DEFAULTS[key]
        current = self._values[key]
        if isinstance(value, dict) and isinstance(current, dict):
            return {k: v for k, v in {**current, **value}.items() if v is not None}
        return value

    def as_dict(self) -> dict[str, Any]:
        """All values in force, defaults included."""
        return dict(self._values)

    def seconds(self, name: str) -> float:
        """A setting that is a duration."""
        return float(self._values[name])

    @property
    def seed(self) -> int:
        """Of the server's own dice."""
        return int(self._values["seed"])

    @property
    def jitter(self) -> float:
        """Share by which a task's time varies."""
        return float(self._values["jitter"])

    @property
    def faults(self) -> list[dict[str, Any]]:
        """What is set to go wrong."""
        return list(self._values["faults"])

    def moderated_words(self, part: str) -> list[str]:
        """Words found inappropriate in the `input`, or once drawn in the `output`."""
        return list(self._values["moderated_words"].get(part, ()))

    @property
    def strict_task_path(self) -> bool:
        """Whether a model posted under another model's path is refused."""
        return bool(self._values["strict_task_path"])

    @property
    def refuses_over_limit(self) -> bool:
        """Whether tasks beyond the concurrency are refused instead of held PENDING."""
        return bool(self._values["over_limit"] == "refuse")

    @property
    def task_api_qps(self) -> int | None:
        """Queries, lists or cancels in any sliding second; None for no limit."""
        limit: int | None = self._values["task_api_qps"]
        return limit

    def task_seconds(self, model: ModelRules) -> float:
        """How long a task of the model runs on average, in seconds."""
        value = self._values["task_seconds"]
        if value == "documented":
            return model.typical_seconds
        if isinstance(value, dict):
            return float(value.get(model.name, _DEFAULTS["task_seconds"]))
        return float(value)

    def submissions(self, model: ModelRules) -> tuple[int | None, float]:
        """Submissions accepted in any so many seconds; None for no limit."""
        changed = self._limits(model)
        if "submissions_per_second" in changed:
            return changed["submissions_per_second"], 1.0
        return model.submissions, model.per_seconds

    def concurrent_tasks(self, model: ModelRules) -> int | None:
        """Tasks of the model processed at once; None for no limit."""
        limit: int | None = self._limits(model).get("concurrent_tasks", model.concurrent_tasks)
        return limit

    def concurrent_calls(self, model: ModelRules) -> int | None:
        """Synchronous calls of the model under way at once; None for no limit."""
        limit: int | None = self._limits(model).get("concurrent_calls", model.concurrent_calls)
        return limit

    def _limits(self, model: ModelRules) -> dict[str, Any]:
        return dict(self._values["limits"].get(model.name, {}))

    def free_images(self, model: ModelRules) -> int | None:
        """Images before the free quota is spent; None for no end."""
        value = self._values["free_images"]
        limit: int | None = model.free_images if value == "documented" else value.get(model.name)
        return limit


@cache
def _validator() -> Draft202012Validator:
    text = Path(__file__).with_name("settings.schema.yaml").read_text(encoding="utf-8")
    return Draft202012Validator(yaml.safe_load(text))


def _checked(values: object) -> dict[str, Any]:
    """The same, if settings.schema.yaml and errors.yaml allow it. Raises SettingsError."""
    if not isinstance(values, dict):
        raise SettingsError("settings: expected a mapping of names to values")
    # null stands for "back to the default" and so fits every setting there is
    told = {k: v for k, v in values.items() if v is not None or k not in _DEFAULTS}
    problems = [
        f"settings at /{'/'.join(str(part) for part in error.absolute_path)}: {error.message}"
        f" ({error.schema.get('description', 'see settings.schema.yaml')})"
        for error in _validator().iter_errors(told)
    ]
    problems = problems or [
        f"settings at /faults/{i}/error: {fault['error']!r} is no name in errors.yaml"
        for i, fault in enumerate(told.get("faults", []))
        if "error" in fault and fault["error"] not in error_table()
    ]
    if problems:
        raise SettingsError("; ".join(problems))
    return values


def read_settings(path: Path) -> dict[str, Any]:
    """The settings file, YAML or JSON. Raises SettingsError if it cannot be read as a mapping."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise SettingsError(f"cannot read settings from {path}: {problem}") from problem
    if not isinstance(values, dict):
        raise SettingsError(
            f"{path}: expected a mapping of settings at the top, found something else"
        )
    return values
