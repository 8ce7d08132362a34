"""What a fitted mixture says of rows: densities and responsibilities, and their totals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers, add, stack
from em_cli.engine.column_moments import Moments
from em_cli.engine.decoder import Decoded
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.patterns import LANES, pattern_order
from em_cli.engine.plan import tile_rows
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source, checked_groups, quanta


@dataclass(frozen=True, slots=True)
class RowScores:
    log_density: Array  # (n,) of the mixture; (G,) of each group of rows, where the latent structure needs them
    responsibilities: Array  # (K, n), and behind them those of the outcomes beyond the components
    path: Integers | None = None  # (n,) the most probable labels together, where rows follow each other
    share: Array | None = None  # (n,) one over the number of rows that share the label, where a group has one label


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over rows; they add over blocks. Logarithms are natural."""

    log_likelihood: Array  # ()
    entropy: Array  # () of the responsibilities
    log_largest: Array  # () sum of the log of each row's largest responsibility
    n_effective: Array  # (K,) sum of responsibilities, and of those of the outcomes beyond the components
    n_assigned: Array  # likewise, rows whose largest responsibility it is


NEGLIGIBLE = 1e-300  # a responsibility of which no digit is known: it may stand for a smaller one


def score_rows(model: Model, parameters: Parameters, x: Array, labels: Integers | None = None) -> RowScores:
    """Score the rows x (D, n), of which some may be labelled; the bits of a score do not depend on other rows."""
    return score_block(model, parameters, Block(0, x, labels=labels))


def score_block(model: Model, parameters: Parameters, block: Block) -> RowScores:
    """Score the rows of a block; the bits of a score depend on no other row, or on no other group of rows.

    `DataError` if the latent structure needs to know which rows belong together, and nothing says so.
    """
    if model.latent.needs_groups:
        return _score_groups(model, parameters, block)[0]
    return _score_rows(model, parameters, block.x, block.labels)


def _score_rows(model: Model, parameters: Parameters, x: Array, labels: Integers | None) -> RowScores:
    order = pattern_order(x) if np.isnan(x).any() else None
    if order is not None:
        scores = _score_rows(model, parameters, x.take(order, axis=1), None if labels is None else labels[order])
        back = np.argsort(order)
        return RowScores(scores.log_density[back], scores.responsibilities.take(back, axis=1))
    n, step = x.shape[1], tile_rows(model.family.n_features())
    k = model.n_components
    log_density, responsibilities = np.empty(n), np.empty((model.n_outcomes, n))
    stacked = stack([parameters])
    prior = model.latent.log_prior(stacked.latent)
    for first in range(0, n, step):
        tile = x[:, first : first + step]
        m = tile.shape[1]
        padded = _padded(tile)
        known = None if labels is None else np.pad(labels[first : first + step], (0, -m % LANES), mode="edge")
        joint = _log_density(model, stacked, padded, prior)
        posterior = model.latent.posterior(joint, stacked.latent, Block(0, padded, labels=known))
        log_density[first : first + m] = posterior.log_likelihood[0, :m] + model.family.base_measure(tile)
        responsibilities[:k, first : first + m] = joint[0, :, :m]
        if posterior.extra is not None:
            responsibilities[k:, first : first + m] = posterior.extra[0, :, :m]
    responsibilities[responsibilities < NEGLIGIBLE] = 0.0
    return RowScores(log_density, responsibilities)


def _padded(tile: Array) -> Array:
    return tile if tile.shape[1] % LANES == 0 else np.pad(tile, ((0, 0), (0, -tile.shape[1] % LANES)), mode="edge")


def _score_groups(model: Model, parameters: Parameters, block: Block) -> tuple[RowScores, Array]:
    """And the log-likelihood () under the case weights."""
    groups = checked_groups(block)
    stacked = stack([parameters])
    joint = log_densities(model, stacked, block.x, model.latent.log_prior(stacked.latent))
    posterior = model.latent.posterior(joint, stacked.latent, block)
    base = model.family.base_measure(block.x)
    total = model.latent.total(posterior.log_likelihood, block, block.weights)[0]
    total += (base if block.weights is None else base * block.weights).sum()
    responsibilities = joint[0] if posterior.extra is None else np.concatenate([joint[0], posterior.extra[0]])
    responsibilities[responsibilities < NEGLIGIBLE] = 0.0
    return RowScores(posterior.log_likelihood[0] + np.add.reduceat(base, groups[:-1]), responsibilities), total


def decode(model: Model, parameters: Parameters, block: Block) -> Decoded | None:
    """None where rows do not follow each other."""
    decoder = model.latent.decoder
    if decoder is None:
        return None
    groups = checked_groups(block)
    none = np.zeros((1, model.n_components))
    joint = log_densities(model, stack([parameters]), block.x, none)[0]
    found = decoder.decode(joint, parameters.latent, block)
    base = model.family.base_measure(block.x)
    for probabilities in (found.responsibilities, found.filtered):
        probabilities[probabilities < NEGLIGIBLE] = 0.0
    return Decoded(
        found.responsibilities,
        found.filtered,
        found.log_density + base,
        found.path,
        found.path_log_probability + np.add.reduceat(base, groups[:-1]),
    )


def log_densities(model: Model, stacked: Parameters, x: Array, offset: Array) -> Array:
    """(R, K, n) of the components less the base measure, plus the offset (R, K); the rows in any order."""
    order = pattern_order(x) if np.isnan(x).any() else None
    if order is not None:
        ordered = log_densities(model, stacked, x.take(order, axis=1), offset)
        return ordered.take(np.argsort(order), axis=2)
    n, step = x.shape[1], tile_rows(model.family.n_features())
    density = np.empty((len(offset), model.n_components, n))
    for first in range(0, n, step):
        tile = x[:, first : first + step]
        density[..., first : first + step] = _log_density(model, stacked, _padded(tile), offset)[..., : tile.shape[1]]
    return density


def component_log_density(model: Model, parameters: Parameters, x: Array) -> Array:
    """(K, n) of each component at the rows x (D, n), in the user's units; missing cells are integrated out."""
    n, step = x.shape[1], tile_rows(model.family.n_features())
    density, stacked = np.empty((model.n_components, n)), stack([parameters])
    none = np.zeros((1, model.n_components))
    for first in range(0, n, step):
        tile = x[:, first : first + step]
        density[:, first : first + step] = _log_density(model, stacked, tile, none)[0] + model.family.base_measure(tile)
    return density


def _log_density(model: Model, stacked: Parameters, tile: Array, offset: Array) -> Array:
    """(R, K, n) of the components less the base measure, plus the offset (R, K)."""
    density = np.empty((len(offset), model.n_components, tile.shape[1]))
    features = np.empty((model.family.n_features(), tile.shape[1]))
    with np.errstate(over="ignore"):  # squares of huge values, which a concentrated component does not use
        model.family.features(tile, features)
        model.family.log_density(features, stacked.components, offset, density)
    return density


def totals(scores: RowScores, weights: Array | None = None) -> Totals:
    """Of rows that are units by themselves, under case weights (n,)."""
    w = np.ones(scores.responsibilities.shape[1]) if weights is None else weights
    return _totals(scores.responsibilities, w, (w * scores.log_density).sum(), scores.share)


def _totals(r: Array, w: Array, log_likelihood: Array, share: Array | None = None) -> Totals:
    once = w if share is None else w * share  # what is not known of a label is so once for all rows that share it
    surprise = np.maximum(r, NEGLIGIBLE)  # so that no logarithm is infinite, which is slow
    np.log(surprise, out=surprise)
    surprise *= r
    return Totals(
        np.asarray(log_likelihood),
        np.asarray(-(once * surprise.sum(axis=0)).sum()),
        np.asarray((once * np.log(r.max(axis=0))).sum()),
        (w * r).sum(axis=1),
        np.bincount(r.argmax(axis=0), w, len(r)).astype(np.float64),
    )


def score_source(model: Model, parameters: Parameters, source: Source, runner: Runner) -> Totals:
    """The totals of all rows: of each SUM_ROWS first, then of groups of these, in their order."""
    result: Totals | None = None
    for part in runner.sums(_score_block, add, source, (model, parameters), range(len(source))):
        result = part if result is None else add(result, part)
    assert result is not None, "a source has at least one block"
    return result


def _score_block(source: Source, fitted: tuple[Model, Parameters], index: int) -> list[Totals]:
    model, parameters = fitted
    block = source[index]
    return [_totals_of(model, parameters, quantum) for quantum in quanta(block)]


def _totals_of(model: Model, parameters: Parameters, piece: Block) -> Totals:
    if not model.latent.needs_groups:
        return totals(score_block(model, parameters, piece), piece.weights)
    scores, log_likelihood = _score_groups(model, parameters, piece)
    weights = np.ones(piece.n_rows) if piece.weights is None else piece.weights
    decoder, share = model.latent.decoder, None
    if decoder is not None and not decoder.ordered:
        lengths = np.diff(checked_groups(piece))
        share = 1 / np.repeat(lengths, lengths)
    return _totals(scores.responsibilities, weights, log_likelihood, share)


def unit_scores(scores: RowScores, block: Block) -> tuple[Array, Array | None]:
    """(1 + L, U) log-density per row and responsibilities of each unit, group or row, and its weight (U,)."""
    if block.groups is None or len(scores.log_density) == block.n_rows:
        return np.concatenate([scores.log_density[None], scores.responsibilities]), block.weights
    first, lengths = block.groups[:-1], np.diff(block.groups)
    shares = np.add.reduceat(scores.responsibilities, first, axis=1) / lengths
    weights = None if block.weights is None else block.weights[first]
    return np.concatenate([(scores.log_density / lengths)[None], shares]), weights


def moments_of_scores(model: Model, parameters: Parameters, source: Source, runner: Runner) -> Moments:
    """Of what `unit_scores` gives, over all rows."""
    result: Moments | None = None
    for part in runner.sums(_moments_of_block, add, source, (model, parameters), range(len(source))):
        result = part if result is None else result + part
    assert result is not None, "a source has at least one block"
    return result


def _moments_of_block(source: Source, fitted: tuple[Model, Parameters], index: int) -> list[Moments]:
    found = []
    for quantum in quanta(source[index]):
        values, weights = unit_scores(score_block(*fitted, quantum), quantum)
        found.append(Moments.of(values, None, weights, pairs=False))
    return found
