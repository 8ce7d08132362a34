"""Rows drawn from a mixture in the place of those that it was fitted to: as many, lacking the same cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from em_cli.engine.arrays import Array, Integers, stack
from em_cli.engine.expectation import Parameters
from em_cli.engine.latent import BeyondComponents
from em_cli.engine.model import Model
from em_cli.engine.rows import Block, Source, joined
from em_cli.models.groups import Group, regression_of
from em_cli.sources.in_memory import InMemory

MOST_UNITS = 1_000_000  # rows as which rows of whole weights are drawn, each counting once


def redrawn(
    model: Model, groups: Sequence[Group], parameters: Parameters, source: InMemory, rng: np.random.Generator
) -> InMemory:
    """Each with a component that is drawn, or the one of its group, or its state in its sequence.

    Of a regression the responses are drawn, given the other columns.
    """
    labels, k = _outcomes(model, parameters, source, rng), model.n_components
    at = np.minimum(labels, k - 1)
    found = regression_of(groups, model, parameters)
    if found is None:
        x = model.family.sample(parameters.components, at, rng)
        x = np.where(np.isnan(x), source.x, x)  # what tells mixing weights is not drawn
    else:
        family, own, columns = found
        x = source.x.copy()
        x[columns[family.regressors.roles.response]] = np.nan
        x[columns] = family.draw(x[columns], own, at, rng)
    if (beyond := labels >= k).any():
        x[:, beyond] = cast(BeyondComponents, model.latent).draw(labels[beyond] - k, rng)
    x[np.isnan(source.x)] = np.nan
    return InMemory(x, source.weights, groups=source.groups)


def _outcomes(model: Model, parameters: Parameters, source: InMemory, rng: np.random.Generator) -> Integers:
    """(n,) the component of each row, or K and up for those beyond them."""
    latent, decoder, n = model.latent, model.latent.decoder, source.n_rows
    if source.groups is not None and decoder is not None:
        lengths = np.diff(source.groups)
        if decoder.ordered:
            drawn = [latent.sample(parameters.latent, int(length), rng) for length in lengths]
            return np.concatenate(drawn)
        return np.repeat(latent.sample(parameters.latent, len(lengths), rng), lengths)
    if latent.extra:
        return latent.sample(parameters.latent, n, rng)
    stacked = stack([parameters])
    law = np.zeros((1, model.n_components, n)) + latent.log_prior(stacked.latent)[..., None]
    latent.posterior(law, stacked.latent, Block(0, source.x))
    up_to: Array = np.cumsum(law[0, :-1], axis=0)
    return np.asarray((rng.random(n) > up_to).sum(axis=0), np.intp)


def in_units(source: InMemory) -> InMemory:
    """Rows of whole weights as so many rows, or groups, that count once; others, and too many, as they are."""
    weights, labels = source.weights, source.labels
    if weights is None or (weights != np.rint(weights)).any() or weights.sum() > MOST_UNITS:
        return source
    if source.groups is None:
        often = weights.astype(np.intp)
        return InMemory(np.repeat(source.x, often, axis=1), labels=None if labels is None else np.repeat(labels, often))
    first = source.groups[:-1]
    chosen = np.repeat(np.arange(len(first)), weights[first].astype(np.intp))
    block = Block(0, source.x, labels=labels, groups=source.groups).take_groups(chosen)
    return InMemory(block.x, labels=block.labels, groups=block.groups)


def as_units(source: Source) -> Source:
    """The same of rows that may lie elsewhere."""
    if source.n_rows > MOST_UNITS:
        return source
    rows = joined([source[index] for index in range(len(source))])
    return source if rows.weights is None else in_units(InMemory(rows.x, rows.weights, rows.labels, groups=rows.groups))
