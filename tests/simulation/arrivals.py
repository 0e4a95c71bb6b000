"""Create requests as the service saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(eq=False)
class Arrival:
    """One create request, or call, that reached the service.

    `task`: the task made for it, if any. `code`: the refusal's code; empty where none was sent.
    `answered`: when the caller had the answer; None as long as it has none. `held`: seconds for
    which the caller was frozen before it sent the request. `job`: whose attempt it is. `call`: it
    is a call; `lost`: service or network lost the answer; `sender`: the actor that waits for it.
    """

    at: float
    prompt: str
    model: str
    images: int
    caller: str
    held: float = 0.0
    job: str = ""
    task: str = ""
    code: str = ""
    call: bool = False
    lost: bool = False
    sender: Any = None
    answered: float | None = None

    @property
    def refused(self) -> bool:
        """Whether the service said, and the caller heard, that no task was made."""
        return bool(self.code) and self.answered is not None
