"""A line for each step of a build, which takes minutes."""

from __future__ import annotations


class Steps:
    """Which of how many steps begins. The last one of a build is number `total`."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._at = 0

    def begin(self, what: str, count: int = 1) -> None:
        """`count` steps at once, where several are saved."""
        self._at += count
        print(f"[{self._at}/{self._total}] {what}", flush=True)
