"""Are the components what they are taken for? Mahalanobis distances of the rows against those that are expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.family import Ellipsoids
from em_cli.reports import furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import OfTheWhole, Picture
from em_cli.reports.style import Theme, short
from em_cli.sources.quoting import listed, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COMPONENTS = 12
MOST_POINTS = 600  # of each component
BAND = 0.95


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of one component: distances, the least first, where they are expected to be, and between what."""

    expected: Array  # (m,)
    observed: Array  # (m,)
    lower: Array  # (m,)
    upper: Array  # (m,)


@dataclass(frozen=True, slots=True)
class QuantileQuantile(OfTheWhole):
    needs_rows: ClassVar[bool] = True

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if run.elliptic else "no columns have normal or t components."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        group = max(run.elliptic, key=lambda found: len(found.columns))
        names = listed([run.column(place).name for place in group.columns])
        law = "t" if group.dof is not None else "normal"
        of = "F distribution" if group.dof is not None else "chi-square distribution"
        freedom = f"{plural(len(group.columns), 'degree')} of freedom"
        found = [quantiles(run, group, number) for number in range(min(run.k, MOST_COMPONENTS))]
        caption = words.sentences(
            f"Mahalanobis distances of the rows from the mean of each component in {names}, weighted by "
            f"responsibility, against those of {law} rows ({of} with {freedom}). "
            f"On the line the component is {law}; {BAND:.0%} of the points should lie in the band.",
            f"The first {MOST_COMPONENTS} of {run.k} components." if run.k > MOST_COMPONENTS else "",
            words.which_rows(run),
        )
        title = words.title_of(run, f"are the components {law}?")
        alt = "Quantile–quantile plots: " + "; ".join(
            f"component {run.names[number]}: {outside(each):.0%} of the points outside the band"
            for number, each in enumerate(found)
        )
        across = 3 if len(found) in (5, 6, 9) else min(len(found), 4)
        size = (2.5 * across + 0.5, 2.6 * -(-len(found) // across) + 0.6)
        if len(found) == 1:
            size = (4.6, 4.6)
        return Picture("qq", title, caption, alt, size, partial(_draw, run, group, found, across))


def distances(run: FinishedRun, group: Ellipsoids, number: int) -> tuple[Array, Array]:
    """(m,) squared, of every row from a component; and of how many observed cells they are."""
    x = run.shown.x[list(group.columns)]
    missing = np.isnan(x)
    squared, size = np.zeros(x.shape[1]), (~missing).sum(axis=0)
    patterns, which = np.unique(missing, axis=1, return_inverse=True)
    for place in range(patterns.shape[1]):
        rows, seen = np.flatnonzero(which.ravel() == place), ~patterns[:, place]
        if seen.any():
            away = x[np.ix_(seen, rows)] - group.locations[number, seen][:, None]
            if group.scales.ndim == 2:
                squared[rows] = (np.square(away) / group.scales[number, seen][:, None]).sum(axis=0)
                continue
            root = np.linalg.cholesky(group.scales[number][np.ix_(seen, seen)])
            squared[rows] = np.square(np.linalg.solve(root, away)).sum(axis=0)
    return squared, size


def quantiles(run: FinishedRun, group: Ellipsoids, number: int) -> Quantiles:
    """Of the rows that are likeliest of the component; their ranks are among all, by responsibility.

    A distance with missing cells stands where an as unlikely one without them stands.
    """
    from scipy.special import betaincinv

    squared, size = distances(run, group, number)
    mass = run.shown.mass[number]
    kept = (size > 0) & (mass > 0)
    squared, size, mass, own = squared[kept], size[kept], mass[kept], (run.shown.component == number)[kept]
    d = len(group.columns)
    dof = None if group.dof is None else float(group.dof[number])
    if (size < d).any():
        squared = np.where(size < d, _above(_share_above(squared, size, dof), d, dof), squared)
    order = np.argsort(squared, kind="stable")
    squared, mass, own = squared[order], mass[order], own[order]
    total = float(mass.sum())
    beyond = (total - mass.cumsum() + mass / 2) / total
    squared, beyond = squared[own], beyond[own]
    if len(squared) > MOST_POINTS:
        some = np.unique(np.round(np.linspace(0, len(squared) - 1, MOST_POINTS)).astype(np.intp))
        some = np.union1d(some, np.arange(len(squared) - 20, len(squared)))
        squared, beyond = squared[some], beyond[some]
    rank = beyond * total
    tail = (1 - BAND) / 2
    highest = betaincinv(rank + 0.5, total - rank + 0.5, 1 - tail)
    lowest = betaincinv(rank + 0.5, total - rank + 0.5, tail)
    root = [np.sqrt(_above(share, d, dof)) for share in (beyond, highest, lowest)]
    return Quantiles(root[0], np.sqrt(squared), root[1], root[2])


def outside(found: Quantiles) -> float:
    """The share of the points outside the band."""
    if not len(found.observed):
        return 0.0
    return float(((found.observed < found.lower) | (found.observed > found.upper)).mean())


def _share_above(squared: Array, size: Array, dof: float | None) -> Array:
    """The chance of a larger squared distance."""
    from scipy.special import chdtrc, fdtrc

    return np.asarray(chdtrc(size, squared) if dof is None else fdtrc(size, dof, squared / size))


def _above(share: Array, size: int, dof: float | None) -> Array:
    """The squared distance that this share exceeds."""
    from scipy.special import betaincinv, chdtri

    if dof is None:
        return np.asarray(chdtri(size, share))
    beta = betaincinv(dof / 2, size / 2, share)  # ν / (ν + squared distance)
    return np.asarray(dof * (1 - beta) / beta)


def _draw(
    run: FinishedRun, group: Ellipsoids, found: Sequence[Quantiles], across: int, figure: Figure, theme: Theme
) -> None:
    down = -(-len(found) // across)
    for number, each in enumerate(found):
        axes = figure.add_subplot(down, across, number + 1)
        _panel(axes, each, theme, run, number)
        axes.set_title(f"component {short(run.names[number], 16)}", color=theme.mark(number, run.k).colour)
        if number + across >= len(found):
            axes.set_xlabel("expected distance")
        if number % across == 0:
            axes.set_ylabel("observed distance")
    furniture.corner(figure, theme, words.remark(run))


def _panel(axes: Axes, found: Quantiles, theme: Theme, run: FinishedRun, number: int) -> None:
    mark = theme.mark(number, run.k)
    if not len(found.expected):
        return
    axes.fill_between(found.expected, found.lower, found.upper, color=theme.faint, linewidth=0)
    end = float(found.expected[-1])
    axes.plot([0, end], [0, end], color=theme.ink, linewidth=0.9)
    axes.plot(found.expected, found.observed, mark.marker, color=mark.colour, markersize=3, linestyle="")
    begin = min(float(found.expected[0]), float(found.observed[0]))
    begin = 0.9 * begin if begin > 0.35 * end else 0.0
    axes.set_xlim(begin, 1.04 * end)
    axes.set_ylim(begin, 1.05 * max(float(found.observed[-1]), end))
