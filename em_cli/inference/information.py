"""The information that rows hold of the parameters of a mixture, in the coordinates of its chart.

The observed information is minus the Hessian of the log-likelihood: in closed form where log-densities are linear in
features of the rows (Louis 1982), else by central differences of the gradient, for which one pass serves all points.
The scores of the rows are then differences of their log-densities at the same points (McLachlan & Peel 2000, section
2.15; White 1982).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, map_arrays, n_candidates, stack, take
from em_cli.engine.expectation import Batch, ModelStatistics, Parameters
from em_cli.engine.model import Model, ModelChart
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack, tile_rows
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source, checked_groups, quanta
from em_cli.engine.scoring import log_densities
from em_cli.inference.louis import Slopes, Squares, hessian_of, is_linear, natural, slopes, squares

STEP = 0.003  # in standard errors, were all labels known
AT_ONCE = 1 << 18  # log-densities
COORDINATES = 1 << 16  # of the points about a fit that are held at once


@dataclass(frozen=True, slots=True, eq=False)
class Information:
    """Of P coordinates, in units of what the rows would tell if all labels were known."""

    observed: Array  # (P, P)
    at_base: ModelStatistics  # (1, …) of the E-step at the base point
    scores: Array  # (P, P) sum of the outer products of the scores of the units, under their weights
    n_units: int  # rows, or groups of rows that belong together


def points(chart: ModelChart, base: Parameters, along: slice = slice(None)) -> Parameters:
    """2P candidates about the base point: a step up along each coordinate, and a step down; or along some of them."""
    steps = (np.eye(chart.coordinates(base).shape[-1]) * STEP)[along]
    return chart.parameters(np.concatenate([steps, -steps]))


def by_some(chart: ModelChart, base: Parameters, of: Callable[[Parameters], Array]) -> Array:
    """(2P, …) of the points about the base point, a few of which are held at once."""
    size = chart.coordinates(base).shape[-1]
    step = max(1, COORDINATES // max(1, size))
    found = [np.split(of(points(chart, base, slice(first, first + step))), 2) for first in range(0, size, step)]
    return np.concatenate([part[way] for way in (0, 1) for part in found])


def differences(values: Array) -> Array:
    """(P, …) derivatives of what has these values (2P, …) at the points."""
    up, down = np.split(values, 2)
    slopes: Array = (up - down) / (2 * STEP)
    return slopes


def information(
    model: Model, chart: ModelChart, base: Parameters, source: Source, runner: Runner, frequencies: bool
) -> Information:
    """At the base point; weights are frequencies of rows, or else those of a sample."""
    if (along := slopes_at(model, chart, base)) is not None:
        observed, at_base, found = _by_slopes(model, chart, base, along, source, runner)
        return Information(observed, at_base, found.scores if frequencies else found.squared, found.n_rows)
    around = points(chart, base)
    observed, at_base = _by_differences(model, chart, base, around, source, runner)
    scores, n_units = np.zeros_like(observed), 0
    for parts in runner.map(_scores_of_block, source, (model, around, frequencies), range(len(source))):
        for part, units in parts:
            scores += part
            n_units += units
    return Information(observed, at_base, scores, n_units)


def observed_information(model: Model, chart: ModelChart, base: Parameters, source: Source, runner: Runner) -> Array:
    """(P, P) at the base point."""
    if (along := slopes_at(model, chart, base)) is not None:
        return _by_slopes(model, chart, base, along, source, runner)[0]
    return _by_differences(model, chart, base, points(chart, base), source, runner)[0]


def slopes_at(model: Model, chart: ModelChart, base: Parameters) -> Slopes | None:
    """By steps along each coordinate; None of models that are not linear, or lose digits so."""
    if not is_linear(model):
        return None
    theta = natural(model, stack([base]))
    moved = by_some(chart, base, lambda some: natural(model, some))
    return None if np.isnan(theta).any() or np.isnan(moved).any() else slopes(model, base, theta[0], differences(moved))


def _by_slopes(
    model: Model, chart: ModelChart, base: Parameters, along: Slopes, source: Source, runner: Runner
) -> tuple[Array, ModelStatistics, Squares]:
    """(P, P), what the E-step found at the base point, and the squares of the slopes there."""
    at_base = one_pass([Stack(model, along.at)], source, runner)[0].statistics
    found = squares(model, along, source, runner)

    def gradients(some: Parameters) -> Array:
        many = n_candidates(some)
        nowhere = np.zeros(many)
        return chart.gradients(Batch(some, nowhere, _repeated(at_base, many), nowhere))

    hessian = hessian_of(found, along) + differences(by_some(chart, base, gradients))
    return -(hessian + hessian.T) / 2, at_base, found


def _by_differences(
    model: Model, chart: ModelChart, base: Parameters, around: Parameters, source: Source, runner: Runner
) -> tuple[Array, ModelStatistics]:
    """(P, P), and what the E-step found at the base point."""
    batch, at_base = one_pass([Stack(model, around), Stack(model, stack([base]))], source, runner)
    hessian = differences(chart.gradients(batch))
    return -(hessian + hessian.T) / 2, at_base.statistics


def _repeated(at_base: ModelStatistics, many: int) -> ModelStatistics:
    return map_arrays(lambda array: np.broadcast_to(array, (many, *array.shape[1:])), at_base)


def complete_information(model: Model, chart: ModelChart, at_base: ModelStatistics, directions: Array) -> Array:
    """(M,) along each of the directions (P, M), were all labels known to be what the E-step expects.

    It is one, but where parameters are at a bound: there nothing moves, and it is less.
    """
    steps = directions.T * STEP
    places = chart.parameters(np.concatenate([steps, -steps, np.zeros_like(steps)]))
    up, down, here = np.split(model.expected_log_likelihood(_repeated(at_base, len(steps) * 3), places), 3)
    bent: Array = (2 * here - up - down) / STEP**2
    return bent


def _scores_of_block(source: Source, shared: tuple[Model, Parameters, bool], index: int) -> list[tuple[Array, int]]:
    """By what is summed in one go, with the number of units there."""
    model, around, frequencies = shared
    step, found = tile_rows(model.family.n_features()), []
    for quantum in quanta(source[index]):
        parts = [_squared(tile, model, around, frequencies) for tile in _tiles(quantum, model, step)]
        units = len(checked_groups(quantum)) - 1 if model.latent.needs_groups else quantum.n_rows
        found.append((np.add.reduce(parts), units))
    return found


def _tiles(quantum: Block, model: Model, step: int) -> Iterator[Block]:
    if model.latent.needs_groups:
        yield quantum
        return
    for rows in quantum.pieces(step):
        yield quantum.cut(rows)


def _squared(tile: Block, model: Model, around: Parameters, frequencies: bool) -> Array:
    """(P, P) the outer products of the scores of the units, summed."""
    scores = differences(_log_likelihoods(tile, model, around))
    weights = _unit_weights(tile, model)
    if weights is None:
        return scores @ scores.T
    return scores * (weights if frequencies else weights**2) @ scores.T


def _log_likelihoods(tile: Block, model: Model, around: Parameters) -> Array:
    """(2P, U) of each unit at each point, base measure left out."""
    at_once = max(1, AT_ONCE // (model.n_components * tile.n_rows))
    found = []
    for first in range(0, n_candidates(around), at_once):
        some = take(around, slice(first, first + at_once))
        joint = log_densities(model, some, tile.x, model.latent.log_prior(some.latent))
        found.append(model.latent.posterior(joint, some.latent, tile).log_likelihood)
    return np.concatenate(found)


def _unit_weights(tile: Block, model: Model) -> Array | None:
    if tile.weights is None or not model.latent.needs_groups:
        return tile.weights
    return tile.weights[checked_groups(tile)[:-1]]
