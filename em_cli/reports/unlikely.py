"""The rows of a run that its model finds least likely."""

from __future__ import annotations

import numpy as np

from em_cli.engine import patterns
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.tail_probability import Densities, tail_probabilities
from em_cli.reports.answer import mark
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.html import Child, Html, figure_of, join, paragraph, table
from em_cli.reports.moments import moments
from em_cli.reports.numbers import significant
from em_cli.reports.style import short

LISTED = 10
ALPHA = 0.005  # that the draws tell to a tenth
MOST_PATTERNS = 12  # of missing cells, whose rows are looked at


def unlikely(run: FinishedRun) -> list[Child]:
    """A table of them; nothing where rows depend on each other, or are likely only given totals or other columns."""
    given = len(run.described) < len(run.schema.columns)  # the mixing weights
    given |= any(run.beside(place) not in (None, ()) for place in run.described)
    if run.rows is None or run.model.latent.needs_groups or given:
        return []
    rows = run.shown
    kept = _alike(patterns.codes(rows.x))
    seen = Densities.of(rows.log_density[kept], patterns.codes(rows.x[:, kept]), len(rows.x))
    tails = tail_probabilities(run.model, run.parameters, seen, ALPHA, 0)
    order = np.lexsort((seen.log_density, tails.probability))[:LISTED]
    means, sds = moments(run)
    places = list(run.numeric)
    lines = []
    for place in order.tolist():
        row, p = int(kept[place]), float(tails.probability[place])
        k = int(rows.component[row])
        lines.append(
            [f"{rows.numbers[row]}", figure_of(p, f"{p:.2g}"), _name(run, k), _far(run, row, k, places, means, sds)]
        )
    n, how = len(kept), "" if not tails.draws else f" (of {tails.draws:,} rows drawn from it)"
    first = float(tails.probability[order[0]])
    said = paragraph(
        f"The tail probability of a row is that of a density as low as its own under the model{how}. The lowest of "
        f"{n:,} rows{_which(run, n)} is {first:.2g}; about {1 / n:.2g} is to be expected where the model is right. "
        "em outliers lists all below a limit of one's own.",
    )
    heads = ["row", "tail probability", "likeliest component", "farthest from its mean"]
    return [said, table(f"The {len(lines)} least likely rows", heads, lines)]


def _which(run: FinishedRun, n: int) -> str:
    if run.shown.n < run.shown.n_fitted:
        return f" (a sample of the {run.shown.n_fitted:,})"
    return f" (of {run.shown.n:,}; the others lack cells as few rows do)" if n < run.shown.n else ""


def _alike(codes: Array) -> Integers:
    """Places of the rows that lack the cells that most rows lack."""
    _, pattern, counts = np.unique(codes, axis=1, return_inverse=True, return_counts=True)
    common = np.argsort(-counts, kind="stable")[:MOST_PATTERNS]
    return np.flatnonzero(np.isin(pattern.ravel(), common))


def _name(run: FinishedRun, k: int) -> Child:
    return join([mark(run, k), short(run.names[k])])


def _far(run: FinishedRun, row: int, k: int, places: list[int], means: Array, sds: Array) -> Child:
    """The column of numbers that is farthest from the mean of the component, in its standard deviations."""
    if k >= run.k or not places:
        return "—"
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (run.shown.x[places, row] - means[k, places]) / sds[k, places]
    if not np.isfinite(z).any():
        return "—"
    at = int(np.nanargmax(np.abs(np.where(np.isfinite(z), z, 0.0))))
    value = significant(float(run.shown.x[places[at], row]))
    return Html(
        join([f"{short(run.column(places[at]).name)} {value}, {abs(z[at]):.1f} sd {'above' if z[at] > 0 else 'below'}"])
    )
