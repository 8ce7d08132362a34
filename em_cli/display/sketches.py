"""What a model looks like, drawn with characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from em_cli.display.criterion_curve import Curve, draw_criterion
from em_cli.display.densities import Curves, draw_densities
from em_cli.display.level_bars import draw_levels
from em_cli.display.mean_profile import draw_profile
from em_cli.display.text import counted
from em_cli.display.text_page import Page

WIDEST = 100


@dataclass(frozen=True, slots=True)
class Levels:
    """A column of levels."""

    name: str
    probabilities: Sequence[Mapping[str, float]]  # of each level, in every component


@dataclass(frozen=True, slots=True)
class Means:
    """Columns of numbers side by side."""

    names: Sequence[str]
    means: Sequence[Sequence[float]]  # (K, D) in standard deviations from the mean of all rows


@dataclass(frozen=True, slots=True)
class Criterion:
    """A sweep."""

    name: str
    curves: Mapping[str, Curve]  # by covariance structure


@dataclass(frozen=True, slots=True)
class Sketches:
    """What there is to draw, and how the components are called and coloured."""

    labels: Sequence[str]
    colors: Sequence[str]  # of the components, and of the structures of a sweep: as many as either needs
    columns: Sequence[Curves | Levels]
    left_out: int  # columns that are not drawn one by one
    means: Means | None
    criterion: Criterion | None


def room(width: int, labels: Sequence[str]) -> int:
    """Cells that there are for a curve."""
    return min(width, WIDEST) - 3 - max(map(len, labels))


def sketches(found: Sketches, width: int, color: bool) -> str:
    """All of them, one below the other."""
    page = Page(min(width, WIDEST), color)
    if len(found.labels) > 1 and any(isinstance(column, Curves) for column in found.columns):
        page.blank()
        page.words("The density of the mixture in each column; below it the components, each to its own height.")
    for column in found.columns:
        page.blank()
        if isinstance(column, Levels):
            own = len(column.probabilities)
            draw_levels(page, column.name, column.probabilities, found.labels[:own], found.colors[:own])
        else:
            own = len(column.densities)
            draw_densities(page, column, found.labels[:own], found.colors[:own])
    if found.left_out:
        page.blank()
        page.line((f" … {counted(found.left_out, 'more column')}, less telling", "dim"))
    if found.means:
        page.blank()
        own = len(found.means.means)
        draw_profile(page, found.means.names, found.means.means, found.labels[:own], found.colors[:own])
    if found.criterion:
        page.blank()
        draw_criterion(page, found.criterion.name, found.criterion.curves, found.colors)
    return page.text()
