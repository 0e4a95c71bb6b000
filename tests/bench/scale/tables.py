"""Figures as Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """A table; the first `words` columns hold words, the rest figures."""
    rule = ["---" if column < words else "---:" for column in range(len(head))]
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def number(value: float) -> str:
    """Three digits that matter, thousands apart."""
    if abs(value) >= 1000:
        digits = len(str(int(abs(value)))) - 3
        return f"{round(value, -digits):,.0f}"
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}"


def exact(value: float) -> str:
    """A whole number, thousands apart."""
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """Whole percent."""
    return f"{100 * share:.0f} %"


def span(seconds: float) -> str:
    """A time to wait, in the unit a person would use."""
    if seconds < 1:
        return "0 s" if seconds < 0.05 else f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
