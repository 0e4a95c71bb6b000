"""What every user of a model should know, and what becomes of a model that is going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ModelNotice:
    """What every user of a model should know."""

    en: str
    zh: str
    source: str


_STATES = {
    "superseded": ("there is a newer model, as of {}", "已有替代模型（{}）"),
    "trial_only": ("this model is a free trial only, as of {}", "该模型仅供免费体验（{}）"),
    "deprecated": ("this model is deprecated since {}", "该模型自 {} 起即将下线"),
    "retired": ("this model is retired since {}", "该模型自 {} 起已下线"),
}


@dataclass(frozen=True)
class Status:
    """That a model is going, or gone: `state` is superseded, trial_only, deprecated or retired,
    since the day `since` (YYYY-MM-DD). `successor` is a model's name; `conversion` says how jobs
    get there."""

    state: str
    since: str
    reason: str
    reason_zh: str
    source: str
    successor: str | None = None
    conversion: Mapping[str, Any] = field(default_factory=dict)

    def notice(self) -> ModelNotice:
        """What becomes of the model, and what to use instead."""
        en, zh = (words.format(self.since) for words in _STATES[self.state])
        cure = cure_zh = ""
        if self.successor:
            cure = f"; its successor is {self.successor}"
            cure_zh = f"；替代模型为 {self.successor}"
        if self.successor and self.conversion:
            command = f"wanx convert FILE --to {self.successor}"
            cure, cure_zh = f"{cure}: {command}", f"{cure_zh}：{command}"
        return ModelNotice(
            f"{en}: {self.reason.rstrip('.')}{cure}",
            f"{zh}：{self.reason_zh.rstrip('。')}{cure_zh}",
            self.source,
        )

    @property
    def is_retired(self) -> bool:
        """Whether the service takes no more jobs."""
        return self.state == "retired"

    @property
    def is_over(self) -> bool:
        """Whether it is at an end: retired, or never more than a trial."""
        return self.state in ("trial_only", "retired")

    @property
    def is_going(self) -> bool:
        """Whether nobody should begin with the model."""
        return self.state != "superseded"
