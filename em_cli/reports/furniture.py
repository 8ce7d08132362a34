"""Legends and remarks, alike in all pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from em_cli.reports.run import Run
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_IN_COLUMN = 16  # entries of a legend


def legend(
    figure: Figure,
    run: Run,
    theme: Theme,
    style: str,
    more: Sequence[Any] = (),
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


def beside(figure: Figure, handles: Sequence[Any], title: str, inside: bool = False) -> None:
    """A legend to the right, below the title."""
    figure.legend(
        handles=list(handles),
        loc="upper right" if inside else "outside right upper",
        title=f"\n{title}",  # the line above is that of the picture's own title
        alignment="left",
        ncols=-(-len(handles) // MOST_IN_COLUMN),
        handlelength=1.6,
        borderaxespad=0.6,
    )


def corner(figure: Figure, theme: Theme, text: str) -> None:
    """A remark below the picture."""
    if text:
        figure.supxlabel(text, x=0.99, ha="right", fontsize=7.5, color=theme.noise)
