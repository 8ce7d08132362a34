"""A response against a regressor: the rows, and what each component expects, other regressors at their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.models.groups import regression_in, regression_of
from em_cli.reports import furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.points import draw_points, spread_out
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 4000
FINE = 200  # points of a line
BAND = 0.12  # opacity, of one standard deviation to both sides


@dataclass(frozen=True, slots=True)
class RegressionLines:
    needs_rows: ClassVar[bool] = True
    shows: ClassVar[str] = "regressors that are numbers, one of them"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        found = regression_of(run.groups, run.model, run.parameters)
        if found is None:
            return ()
        family, _, columns = found
        places = [int(columns[at]) for at in family.regressors.design.places]
        return tuple(place for place in places if not run.column(place).levels)

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if regression_in(run.groups) is None:
            return "there is no regression."
        return "" if columns else "no regressor is a number."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        across, up = columns[0], _response(run)
        names = [run.column(place).name for place in (across, up)]
        rows = run.shown.some(MOST_POINTS)
        held = [run.column(place).name for place in _others(run, across)]
        caption = words.sentences(
            f"{names[1]} against {names[0]}: each row in the colour of its likeliest component, the fainter the less "
            "certain.",
            "Lines are what each component expects, bands one standard deviation of it to both sides.",
            f"Elsewhere the lines are at means and commonest levels: {', '.join(held)}." if held else "",
            words.which_rows(run, rows.n),
        )
        x, means, _ = lines(run, across)
        ends = ", ".join(f"from {own[0]:.4g} to {own[-1]:.4g}" for own in means)
        alt = f"{names[1]} expected by {words.components(run)} for {names[0]} from {x[0]:.4g} to {x[-1]:.4g}: {ends}."
        title = words.title_of(run, f"{short(names[1])} on {short(names[0])}")
        return Picture("regression", title, caption, alt, (6.6, 4.8), partial(_draw, run, across, up))


def _response(run: FinishedRun) -> int:
    group = regression_in(run.groups)
    assert group is not None, "there is a regression"
    return run.schema.names.index(group.options["response"])


def _others(run: FinishedRun, across: int) -> list[int]:
    """The regressors, offsets and trials that are held where they are on average."""
    found = regression_of(run.groups, run.model, run.parameters)
    assert found is not None, "there is a regression"
    family, _, columns = found
    roles = family.regressors.roles
    beside = [place for place in (roles.offset, roles.trials) if place is not None]
    used = [int(columns[at]) for at in [*family.regressors.design.places, *beside]]
    return [place for place in used if place != across]


def lines(run: FinishedRun, across: int) -> tuple[Array, Array, Array]:
    """Values (m,) of a regressor; means and standard deviations (K, m) of the response there."""
    found = regression_of(run.groups, run.model, run.parameters)
    assert found is not None, "there is a regression"
    family, own, columns = found
    rows = run.shown.x
    x = np.linspace(np.nanmin(rows[across]), np.nanmax(rows[across]), FINE)
    cells = np.full((len(rows), FINE), np.nan)
    cells[across] = x
    for place in _others(run, across):
        values = rows[place, ~np.isnan(rows[place])]
        cells[place] = _commonest(values.astype(np.intp)) if run.column(place).levels else values.mean()
    means, sds = family.spread_of(cells[columns], own)
    return x, means, sds


def _commonest(codes: Integers) -> int:
    return int(np.bincount(codes).argmax())


def _draw(run: FinishedRun, across: int, up: int, figure: Figure, theme: Theme) -> None:
    axes, rows = figure.add_subplot(), run.shown.some(MOST_POINTS)
    x, y = (spread_out(run, place, rows.x[place]) for place in (across, up))
    draw_points(axes, run, theme, rows, x, y, 16 if rows.n < 1000 else 7)
    low, high = axes.get_ylim()
    at, means, sds = lines(run, across)
    for number, (mean, sd) in enumerate(zip(means, sds, strict=True)):
        mark = theme.mark(number, run.k)
        axes.fill_between(at, mean - sd, mean + sd, color=mark.colour, alpha=BAND, linewidth=0)
        axes.plot(at, mean, color=mark.colour, linestyle=mark.dash)
    margin = 0.2 * (high - low)
    axes.set_ylim(max(low - margin, min(low, float(means.min()))), min(high + margin, max(high, float(means.max()))))
    axes.set_xlabel(short(run.column(across).name, 50))
    axes.set_ylabel(short(run.column(up).name, 40))
    furniture.legend(figure, run, theme, "line")
    furniture.corner(figure, theme, words.remark(run, rows.n))
