"""What happened, told line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.simulation.kernel import START

Line = tuple[float, str, str, str]
LAST = 60


class Story:
    """The lines of one run: seconds since the start, who, what, and the fault if there was one."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.lines: list[Line] = []
        self._now = now

    def tell(self, who: str, what: str, fault: str = "") -> None:
        self.lines.append((self._now(), who, what, fault))

    def whole(self) -> str:
        return _text(self.lines)

    def digest(self) -> str:
        """All faults, and the last lines whatever they are."""
        early, late = self.lines[:-LAST], self.lines[-LAST:]
        faults = [line for line in early if line[3] or line[1] == "invariant"]
        return f"{_text(faults)}\n  ...\n{_text(late)}"


def _text(lines: Iterable[Line]) -> str:
    return "\n".join(
        f"{at - START:10.3f}  {who:<18} {what}{f'   <<< {fault}' if fault else ''}"
        for at, who, what, fault in lines
    )
