"""Legends and remarks, alike in all pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from em_cli.reports.extents import extent, skewed
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure

MOST_IN_COLUMN = 16  # entries of a legend
MOST_NUMBERS = 12  # components in a heat map in which there is room for numbers
USUAL_TICKS = 6  # of a logarithmic axis
SHADES = 65  # of a heat map, the middle one included


def legend(
    figure: Figure,
    run: FinishedRun,
    theme: Theme,
    style: str,
    more: Sequence[object] = (),
    noise: bool = True,
    inside: bool = False,
) -> None:
    """The components beside the picture, as lines, points or patches; then what else there is to explain.

    Where the picture has room in its corner, it may be inside.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    for place, name in enumerate(run.names[: None if noise else run.k]):
        mark, label = theme.mark(place, run.k), short(name, 20)
        if style == "line":
            handles.append(Line2D([], [], color=mark.colour, linestyle=mark.dash, label=label))
        elif style == "point":
            handles.append(
                Line2D([], [], color=mark.colour, marker=mark.marker, linestyle="", markersize=5, label=label)
            )
        else:
            handles.append(Patch(facecolor=mark.colour, hatch=mark.hatch, edgecolor=theme.paper, label=label))
    handles += more
    beside(figure, handles, "component", inside)


def legend_above(figure: Figure, axes: Axes, run: FinishedRun, theme: Theme, k: int) -> None:
    """The first components above the axes, in a line or two: pictures that are narrow have no room beside them."""
    from matplotlib.lines import Line2D

    handles = []
    for place, name in enumerate(run.names[:k]):
        mark = theme.mark(place, run.k)
        handles.append(
            Line2D([], [], color=mark.colour, marker=mark.marker, linestyle="", markersize=5.5, label=short(name, 14))
        )
    longest = max(len(short(name, 14)) for name in run.names[:k])
    columns = max(1, min(k, int(11 * figure.get_figwidth() / (longest + 5))))
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=columns,
        handletextpad=0.2,
        columnspacing=1,
    )


def beside(figure: Figure, handles: Sequence[object], title: str, inside: bool = False) -> None:
    """A legend to the right, below the title."""
    figure.legend(
        handles=list(handles),
        loc="upper right" if inside else "outside right upper",
        title=f"\n{title}" if figure.get_suptitle() else title,  # the line above is that of the picture's own title
        alignment="left",
        ncols=-(-len(handles) // MOST_IN_COLUMN),
        handlelength=1.6,
        borderaxespad=0.6,
    )


def scaled(axes: Axes, run: FinishedRun, across: int, up: int | None = None, most_ticks: int | None = None) -> None:
    """The axes of columns, with so many ticks or fewer: logarithmic where only that shows where most of one is."""
    places: dict[Literal["x", "y"], int | None] = {"x": across, "y": up}
    for letter, place in places.items():
        if place is not None and skewed(run, place):
            axes.set(**{f"{letter}scale": "log"})
            axis = axes.xaxis if letter == "x" else axes.yaxis
            _tick_logarithms(axis, extent(run, place), most_ticks or USUAL_TICKS)
        elif most_ticks is not None:
            axes.locator_params(axis=letter, nbins=most_ticks)


def _tick_logarithms(axis: Axis, ends: tuple[float, float], most_ticks: int) -> None:
    """Ticks at powers of ten; between these at 2 and 5 too, where the column spans few of them."""
    from matplotlib.ticker import LogLocator, NullFormatter

    few = ends[1] < 10 ** (most_ticks / 2) * ends[0]
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=most_ticks))
    axis.set_major_formatter(lambda value, _: f"{value:,.6g}" if 1e-4 <= value < 1e6 else f"{value:.0e}")
    axis.set_minor_formatter(NullFormatter())


def corner(figure: Figure, theme: Theme, text: str) -> None:
    """A remark below the picture."""
    if text:
        figure.supxlabel(text, x=0.99, ha="right", fontsize=7.5, color=theme.noise)


def on_components(axes: Axes, run: FinishedRun, theme: Theme) -> None:
    """A heat map with a column for each component, in whose colour its name is."""
    for number, tick in enumerate(axes.get_xticklabels()):
        tick.set_color(theme.mark(number, run.k).colour)
        tick.set_fontweight("bold")
    axes.set_xlabel("component")
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def plain_bar(bar: Colorbar, label: str) -> None:
    """What the colours of a heat map mean, drawn as shapes as all else is."""
    bar.set_label(label)
    bar.outline.set_visible(False)
    if bar.solids is not None:
        bar.solids.set(rasterized=False, edgecolor="face")
