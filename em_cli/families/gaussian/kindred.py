"""The M-steps of many candidates of one structure or several, all their components one behind the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.arrays import Array, Integers, take
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import CovarianceStructure, Letters
from em_cli.families.gaussian.parameters import Bounds, GaussianParameters, of_matrices, of_variances


def together(
    structures: Sequence[CovarianceStructure],
    sizes: Sequence[Integers],
    bounds: Bounds,
    averages: tuple[Array, Array, Array],
    at: GaussianParameters | None,
) -> GaussianParameters:
    """From weight, mean and scatter of components (C, …): the maximum, or one step towards it from parameters.

    The structures share their coordinates; for each it is told how many components each of its candidates has.
    """
    weight, means, scatter = averages
    letters, first, n_matrices = structures[0].letters, 0, 0
    covariances, which = list[Array](), list[Integers]()
    for structure, own in zip(structures, sizes, strict=True):
        owners = Owners(own)
        part = slice(first, first + len(owners.of))
        begin = None if at is None else take(at, part)
        covariances.append(_constrained(structure, owners, weight[part], scatter[part], bounds.floor, begin))
        alone = len(covariances[-1]) == len(owners.of)
        which.append(n_matrices + (np.arange(len(owners.of)) if alone else owners.of))
        first, n_matrices = part.stop, n_matrices + len(covariances[-1])
    every = covariances[0] if len(covariances) == 1 else np.concatenate(covariances)
    if letters.diagonal:
        return of_variances(means, every, bounds, letters.isotropic)
    of = None if n_matrices == first else np.concatenate(which)
    return of_matrices(means, every, bounds, not letters.rotated, of)


def not_negative(letters: Letters, scatter: Array) -> Array:
    """Variances that rounding has made negative are none; of shared ones, only their mean need be right."""
    return np.maximum(scatter, 0.0) if letters.diagonal and not letters.shared else scatter


def _constrained(
    structure: CovarianceStructure,
    owners: Owners,
    weight: Array,
    scatter: Array,
    floor: Array,
    at: GaussianParameters | None,
) -> Array:
    """Covariances (C, …), or one for each candidate.

    Sums with few digits may have led to components that are concentrated: of their candidates it is the maximum.
    """
    letters, scatter = structure.letters, not_negative(structure.letters, scatter)
    if at is None:
        return structure.constrain(owners, weight, scatter, floor)
    covariances = structure.constrain(owners, weight, scatter, floor, at.covariances, 1)
    if letters.coupled and not letters.shared and at.concentrated.any():
        some, places = owners.some(np.unique(owners.of[at.concentrated]))
        covariances[places] = structure.constrain(some, weight[places], scatter[places], floor, at.covariances[places])
    return covariances
