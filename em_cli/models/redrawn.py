"""Rows drawn from a mixture in the place of those that it was fitted to: as many, lacking the same cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from em_cli.engine.arrays import Array, Integers, stack
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.rows import Block, Source, joined
from em_cli.models.groups import Group, regression_of
from em_cli.sources.in_memory import InMemory
from em_cli.sources.refilled import refilled

MOST_UNITS = 1_000_000  # rows as which rows of whole weights are drawn, each counting once


def redrawn(
    model: Model, groups: Sequence[Group], parameters: Parameters, source: Source, seed: tuple[int, ...]
) -> Source:
    """Each with a component that is drawn, or the one of its group, or its state in its sequence.

    Of several blocks each is drawn by a seed of its own, so that no more need be in memory at once.
    """

    def draw(index: int) -> Array:
        own = seed if len(source) == 1 else (*seed, index)
        return drawn_like(model, groups, parameters, source[index], np.random.default_rng(own))

    return refilled(source, map(draw, range(len(source))))


def drawn_like(
    model: Model, groups: Sequence[Group], parameters: Parameters, rows: Block, rng: np.random.Generator
) -> Array:
    """(D, n) in the place of these rows; of a regression the responses are drawn, given the other columns."""
    labels, k = _outcomes(model, parameters, rows, rng), model.n_components
    at = np.minimum(labels, k - 1)
    found = regression_of(groups, model, parameters)
    if found is None:
        x = model.family.sample(parameters.components, at, rng)
        x = np.where(np.isnan(x), rows.x, x)  # what tells mixing weights is not drawn
    else:
        family, own, columns = found
        x = rows.x.copy()
        x[columns[family.regressors.roles.response]] = np.nan
        x[columns] = family.draw(x[columns], own, at, rng)
    if model.latent.beyond is not None and (beyond := labels >= k).any():
        x[:, beyond] = model.latent.beyond.draw(labels[beyond] - k, rng)
    x[np.isnan(rows.x)] = np.nan
    return x


def _outcomes(model: Model, parameters: Parameters, rows: Block, rng: np.random.Generator) -> Integers:
    """(n,) the component of each row, or K and up for those beyond them."""
    latent, decoder, n = model.latent, model.latent.decoder, rows.n_rows
    if rows.groups is not None and decoder is not None:
        lengths = np.diff(rows.groups)
        if decoder.ordered:
            drawn = [latent.sample(parameters.latent, int(length), rng) for length in lengths]
            return np.concatenate(drawn)
        return np.repeat(latent.sample(parameters.latent, len(lengths), rng), lengths)
    if latent.extra:
        return latent.sample(parameters.latent, n, rng)
    stacked = stack([parameters])
    law = np.zeros((1, model.n_components, n)) + latent.log_prior(stacked.latent)[..., None]
    latent.posterior(law, stacked.latent, Block(0, rows.x))
    up_to: Array = np.cumsum(law[0, :-1], axis=0)
    return np.asarray((rng.random(n) > up_to).sum(axis=0), np.intp)


def as_units(source: Source) -> Source:
    """Rows of whole weights as so many rows, or groups, that count once; others, and too many, as they are."""
    if source.n_rows > MOST_UNITS or source[0].weights is None:
        return source
    rows = joined([source[index] for index in range(len(source))])
    weights, labels = rows.weights, rows.labels
    if weights is None or (weights != np.rint(weights)).any() or weights.sum() > MOST_UNITS:
        return source
    if rows.groups is None:
        often = weights.astype(np.intp)
        return InMemory(np.repeat(rows.x, often, axis=1), labels=None if labels is None else np.repeat(labels, often))
    first = rows.groups[:-1]
    chosen = np.repeat(np.arange(len(first)), weights[first].astype(np.intp))
    block = replace(rows, weights=None).take_groups(chosen)
    return InMemory(block.x, labels=block.labels, groups=block.groups)
