"""The M-steps of many candidates of one structure or several, all their components one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import CovarianceStructure, Letters
from em_cli.families.gaussian.parameters import Bounds, GaussianParameters, of_matrices, of_variances

Stacks = Sequence[GaussianParameters]  # (…, K)


def together(
    structures: Sequence[CovarianceStructure],
    sizes: Sequence[Integers],
    bounds: Bounds,
    averages: tuple[Array, Array, Array],
    at: Sequence[Stacks] | None,
) -> GaussianParameters:
    """From weight, mean and scatter of components (C, …): the maximum, or one step towards it from parameters.

    The structures share their coordinates; for each it is told how many components each of its candidates has, and
    where they are.
    """
    weight, means, scatter = averages
    letters, first, n_matrices = structures[0].letters, 0, 0
    covariances, which = list[Array](), list[Integers]()
    for place, (structure, own) in enumerate(zip(structures, sizes, strict=True)):
        begin = None if at is None else at[place]
        owners = Owners(own)
        part = slice(first, first + len(owners.of))
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
    at: Stacks | None,
) -> Array:
    """Covariances (C, …), or one for each candidate.

    Sums with few digits may have led to components that are concentrated: of their candidates it is the maximum.
    """
    letters, scatter = structure.letters, not_negative(structure.letters, scatter)
    if at is None:
        return structure.constrain(owners, weight, scatter, floor)
    begin = None if letters.closed_form else _joined(at, "covariances")
    covariances = structure.constrain(owners, weight, scatter, floor, begin, 1)
    if letters.coupled and not letters.shared and any(own.concentrated.any() for own in at):
        some, places = owners.some(np.unique(owners.of[_joined(at, "concentrated")]))
        begin = None if begin is None else begin[places]
        covariances[places] = structure.constrain(some, weight[places], scatter[places], floor, begin)
    return covariances


def _joined(at: Stacks, name: str) -> Any:
    """An array of parameters for all components (C, …)."""
    arrays = [(getattr(own, name), own.concentrated.ndim) for own in at]
    return np.concatenate([array.reshape(-1, *array.shape[lead:]) for array, lead in arrays])
