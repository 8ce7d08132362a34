"""The rows seen from where the components are furthest apart (Fisher 1936; Rao 1948)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.reports import furniture, words
from em_cli.reports.ellipses import draw_ellipses
from em_cli.reports.finished_run import FinishedRun, Rows
from em_cli.reports.kind import Picture
from em_cli.reports.points import draw_points
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 4000
NAMED = (3, 2)  # columns that the axes name
SMALL = 1e-10  # variance, beside the largest, of columns that are sums of others


@dataclass(frozen=True, slots=True)
class Projection:
    """Two directions, as coefficients of standardised columns, and the components seen along them."""

    complete: Flags  # (m,) rows without missing cells
    points: Array  # (2, m) of the complete rows
    coefficients: Array  # (D, 2)
    means: Array  # (K, 2)
    matrices: Array  # (K, 2, 2)


@dataclass(frozen=True, slots=True)
class Discriminant:
    needs_rows: ClassVar[bool] = True
    shows: ClassVar[str] = "columns of numbers, three at least"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return run.numeric

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if run.k < 2:
            return "there is one component."
        if len(columns) < 3:
            return "it needs three columns of numbers; scatter shows two."
        complete = int((~np.isnan(run.shown.x[list(columns)]).any(axis=0)).sum())
        return "" if complete > len(columns) + 1 else "there are too few rows without missing cells."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        seen = projection(run.shown, columns, run.k)
        n = min(int(seen.complete.sum()), MOST_POINTS)
        left_out = int((~seen.complete).sum())
        caption = words.sentences(
            f"The {len(columns)} columns of numbers along the two directions in which the components differ most "
            "(linear discriminants), each row in the colour of its likeliest component; ellipses at 1 and 2 standard "
            "deviations.",
            f"{left_out:,} rows with missing cells are not shown." if left_out else "",
            words.which_rows(run, n) if n + left_out < run.shown.n_fitted else "",
        )
        title = words.title_of(run, "where the components differ most")
        alt = f"Scatter plot of the rows along two discriminant directions, with {words.components(run)}."
        return Picture("discriminant", title, caption, alt, (6.6, 4.8), partial(_draw, run, list(columns), seen))


def projection(rows: Rows, columns: Sequence[int], k: int) -> Projection:
    """The directions in which means differ most beside the spread within the components.

    There is one such direction between two components; the other is that in which their spreads differ
    most (Scrucca 2010).
    """
    x = rows.x[list(columns)]
    complete: Flags = np.logical_not(np.isnan(x).any(axis=0))
    mass = rows.mass[:, complete]
    total = mass.sum(axis=0) / mass.sum()
    mean = x[:, complete] @ total
    centred = x[:, complete] - mean[:, None]
    sd = np.sqrt(np.square(centred) @ total)
    z = centred / np.where(sd > 0, sd, 1.0)[:, None]
    share = mass[:k].sum(axis=1)
    own = mass[:k] / np.maximum(share, 1e-300)[:, None]
    means = own @ z.T
    away = z[None] - means[..., None]
    within = np.einsum("kn,kdn,ken->kde", own, away, away)
    share = share / share.sum()
    values, vectors = np.linalg.eigh(np.tensordot(share, within, 1))
    kept = values > SMALL * values[-1]
    whiten = vectors[:, kept] / np.sqrt(values[kept])
    away_from = whiten.T @ (means - share @ means).T
    directions = np.linalg.eigh((away_from * share) @ away_from.T)[1][:, ::-1]
    if k == 2:
        rest = directions[:, 1:]
        apart = rest.T @ (whiten.T @ within @ whiten - np.eye(whiten.shape[1])) @ rest
        directions[:, 1] = rest @ np.linalg.eigh(np.tensordot(share, apart @ apart, 1))[1][:, -1]
    coefficients = whiten @ directions[:, :2]
    largest = np.abs(coefficients).argmax(axis=0)
    coefficients = coefficients * np.where(coefficients[largest, [0, 1]] < 0, -1.0, 1.0)
    return Projection(
        complete, coefficients.T @ z, coefficients, means @ coefficients, coefficients.T @ within @ coefficients
    )


def _draw(run: FinishedRun, columns: Sequence[int], seen: Projection, figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    whole = np.full((2, run.shown.n), np.nan)
    whole[:, seen.complete] = seen.points
    placed = replace(run.shown, x=whole).some(MOST_POINTS)
    draw_points(axes, run, theme, placed, placed.x[0], placed.x[1], 16 if placed.n < 1000 else 7)
    draw_ellipses(axes, run, theme, seen.means, seen.matrices, (1.0, 2.0))
    axes.set_xlabel(_formula(run, columns, seen.coefficients[:, 0], NAMED[0]), fontsize=9)
    axes.set_ylabel(_formula(run, columns, seen.coefficients[:, 1], NAMED[1]), fontsize=9)
    axes.margins(0.06)
    furniture.legend(figure, run, theme, "point")
    furniture.corner(figure, theme, words.remark(run, placed.n))


def _formula(run: FinishedRun, columns: Sequence[int], coefficients: Array, named: int) -> str:
    """The direction in words: its largest coefficients."""
    size = coefficients / np.sqrt(np.square(coefficients).sum())
    largest = np.argsort(-np.abs(size), kind="stable")[:named]
    terms = [
        f"{'−' if size[i] < 0 else '+' if n else ''}{' ' if n else ''}{abs(size[i]):.2f} "
        f"{short(run.column(columns[i]).name, 16)}"
        for n, i in enumerate(largest)
    ]
    return " ".join(terms) + (" …" if len(columns) > named else "")
