"""Rows of which some columns are described, given the others: what is described is drawn anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.scoring import score_rows


def blank_and_labels(
    model: Model, parameters: Parameters, described: Sequence[int], x: Array, rng: np.random.Generator
) -> tuple[Array, Integers]:
    """The rows (D, n) without what is described of them, and components (n,) that are drawn by what is left."""
    blank = x.copy()
    blank[list(described)] = np.nan
    p = score_rows(model, parameters, blank).responsibilities[: model.n_components]
    return blank, np.asarray((rng.random(p.shape[1]) > np.cumsum(p[:-1], axis=0)).sum(axis=0), np.intp)


def with_described(
    model: Model,
    parameters: Parameters,
    described: Sequence[int],
    blank: Array,
    labels: Integers,
    rng: np.random.Generator,
) -> Array:
    """The rows with what is described of them drawn from their components."""
    drawn = blank.copy()
    drawn[list(described)] = model.family.sample(parameters.components, labels, rng)[list(described)]
    return drawn
