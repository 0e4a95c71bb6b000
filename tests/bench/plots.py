"""Plots as SVG, with matplotlib."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.bench.results import Plot

mpl.rcParams.update({"svg.hashsalt": "wanx", "svg.fonttype": "none", "font.size": 9})


def draw(plot: Plot, path: Path) -> None:
    """Write the plot to `path`; the same plot gives the same file."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for curve in plot.curves:
        axes.plot(curve.x, curve.y, marker="o", markersize=3, label=curve.name)
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    if plot.log_x:
        axes.set_xscale("log")
        ticks = sorted({x for curve in plot.curves for x in curve.x})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if len(plot.curves) > 1:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None})
