"""Is each row what was forecast of it? Pseudo-residuals of rows that follow each other, against the normal law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.rows import Block
from em_cli.engine.scoring import component_log_density
from em_cli.errors import UsageError
from em_cli.inference.pseudo_residuals import TYPES, Forecasts, forecast_of
from em_cli.reports import words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_COLUMNS = 6
BAND = 0.95


@dataclass(frozen=True, slots=True)
class Residuals:
    needs_rows: ClassVar[bool] = True
    shows: ClassVar[str] = "columns of numbers or levels"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return run.places(TYPES)

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if "transmat" not in run.document or run.shown.path is None:
            return "its rows do not follow each other."
        if run.shown.n < run.shown.n_fitted:
            return "not all rows are shown, so that there are no forecasts."
        return "" if columns and found_in(run, columns) else "no column has residuals."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        found = found_in(run, columns)
        caption = words.sentences(
            "Pseudo-residuals: the normal score of every cell among what the rows before it let one expect, the least "
            f"first, against those of normal numbers. Where the model is right they lie about the line, {BAND:.0%} of "
            "the points in the band; those of counts go in steps.",
            words.which_rows(run),
        )
        alt = "; ".join(
            f"{run.column(place).name}: mean {own.mean():.2g}, standard deviation {own.std():.2g}"
            for place, own in found.items()
        )
        across = min(len(found), 3)
        size = 2.6 * across + 0.5, 2.6 * -(-len(found) // across) + 0.6
        title = words.title_of(run, "are rows what was forecast?")
        return Picture("residuals", title, caption, alt, size, partial(_draw, run, found, across))


def found_in(run: FinishedRun, columns: Sequence[int]) -> dict[int, Array]:
    """The residuals of columns, the least first; of those that have any."""
    shown, decoder = run.shown, run.model.latent.decoder
    assert shown.sequence is not None and shown.step is not None and decoder is not None, "it is refused elsewhere"
    last = np.flatnonzero(np.diff(shown.sequence, append=-1))
    groups = np.concatenate([[0], np.cumsum(shown.step[last] + 1)])
    at = groups[np.searchsorted(last, np.arange(shown.n))] + shown.step
    x = np.full((len(shown.x), groups[-1]), np.nan)
    x[:, at] = shown.x
    density = component_log_density(run.model, run.parameters, x)
    filtered = decoder.decode(density, run.parameters.latent, Block(0, x, groups=groups)).filtered
    states = forecast_of(run.model, run.parameters, filtered, groups).take(at, axis=1)
    by, found = Forecasts(run.model, run.parameters, run.schema.columns, states), dict[int, Array]()
    for place in columns[:MOST_COLUMNS]:
        try:
            own = by.residuals(place, shown.x[place])
        except UsageError:  # its density cannot be summed
            continue
        if (known := ~np.isnan(own)).any():
            found[place] = np.sort(own[known])
    return found


def _draw(run: FinishedRun, found: dict[int, Array], across: int, figure: Figure, theme: Theme) -> None:
    from scipy.special import betaincinv, ndtri

    down = -(-len(found) // across)
    for number, (place, own) in enumerate(found.items()):
        axes = figure.add_subplot(down, across, number + 1)
        n, rank = len(own), np.arange(1, len(own) + 1)
        expected = ndtri((rank - 0.5) / n)
        lower, upper = (ndtri(betaincinv(rank, n - rank + 1, share)) for share in ((1 - BAND) / 2, (1 + BAND) / 2))
        axes.fill_between(expected, lower, upper, color=theme.faint, linewidth=0)
        axes.axline((0, 0), slope=1, color=theme.ink, linewidth=0.9)
        axes.plot(expected, own, "o", color=theme.mark(0, run.k).colour, markersize=2.5, linestyle="")
        axes.set_title(short(run.column(place).name, 16))
        if number + across >= len(found):
            axes.set_xlabel("expected")
        if number % across == 0:
            axes.set_ylabel("pseudo-residual")
