"""`make scale`: simulate the days, then docs/scale.md and its two plots."""

from __future__ import annotations

import argparse
import time
from datetime import datetime, timezone
from pathlib import Path

from tests.bench.plots import draw
from tests.bench.scale.page import page
from tests.bench.scale.report import TIMES, plots, simulate
from tests.bench.scale.settings import effects

ROOT = Path(__file__).resolve().parents[3]


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="the load of the question only")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where the page goes")
    wanted = parser.parse_args()
    started = time.monotonic()
    found = simulate(TIMES[:1] if wanted.brief else TIMES)
    folder = wanted.out / "scale"
    folder.mkdir(parents=True, exist_ok=True)
    for name, plot in plots(found).items():
        draw(plot, folder / f"{name}.svg")
    text = page(found, effects(), f"{datetime.now(timezone.utc):%Y-%m-%d}")
    (wanted.out / "scale.md").write_text(text, encoding="utf-8")
    print(f"{wanted.out / 'scale.md'}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
