"""The two matrix products of a mixture of exponential families.

The log-density of a component is ⟨θ, φ(x)⟩ plus a base measure, so the E-step is Θ Φ and
the sufficient statistics are R Φᵀ: one product each, for all components of a candidate.
Candidates are stacked on a leading axis and multiplied one by one, so that the bits of one
do not depend on its company.

The products are cut, by fixed rules, into pieces small enough for the kernels that OpenBLAS
keeps for small matrices: they do not copy their factors first, and are up to three times as fast.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, flat, map_arrays
from em_cli.engine.generic import P_told

PRODUCT = 1_000_000  # multiplications in a piece
PLANE = 1_200  # numbers in a piece of the statistics
MANY_FEATURES = 256
FEWEST_ROWS = 128  # in a piece; rather, the components are divided


class Exponential(Protocol[P_told]):
    """A family whose E-step is these two products, for some candidates at least.

    A part ⟨θ₀, ψ(x)⟩ of the log-density may be common to all components: it cancels in the
    responsibilities. Its features ψ are the last ones: a pass goes without them, and adds their
    sums over the data at the end.
    """

    def natural(self, parameters: P_told) -> tuple[Array, Flags]:
        """θ (R, K, F), and which candidates (R,) may not be evaluated by it.

        The statistics of the others are plain sums: their M-step needs no parameters.
        """

    @property
    def needs_frame(self) -> bool:
        """Whether no candidate may: such a family has no sufficient statistics that are plain sums."""

    def n_own_features(self) -> int:
        """Features that are not common to the components: the first ones. `features` can be asked for these alone."""

    def monomials(self) -> Integers | None:
        """(F, D) of each feature, if all are products of powers of the columns, centred and scaled: the exponents."""

    @property
    def kindred(self) -> Kindred | None:
        """Itself, if there are families whose M-steps may go with its own."""

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        """Σ w ψ(x) (F - n_own,) of rows, from their own features (n_own, n)."""


class Kindred(Protocol):
    """A family whose M-steps go with those of its kin, all their components one behind the other.

    The M-step of a candidate has the bits that it has alone.
    """

    @property
    def kin(self) -> Hashable:
        """Families of equal kin have statistics and parameters of one make."""

    def maximize_kin(
        self, families: Sequence[Any], sizes: Sequence[Integers], statistics: Array, parameters: Sequence[Sequence[Any]]
    ) -> Any:
        """The M-steps of families of its kin from statistics (C, S), in the frame of parameters and from there.

        For each family it is told how many components each of its candidates has, and their stacks of parameters.
        """


class Framed(Protocol):
    @property
    def concentrated(self) -> Flags:
        """Which components have their statistics about their own parameters."""


Parameters = TypeVar("Parameters", bound=Framed)


class Uncoupled(Protocol[Parameters]):
    """A family the M-step of whose components does not depend on the others, but on their own frames."""

    def maximize(self, statistics: Array, parameters: Parameters | None) -> Parameters: ...


def maximize_uncoupled(
    family: Uncoupled[Parameters], statistics: Array, parameters: Sequence[Sequence[Parameters]]
) -> Parameters:
    """`Kindred.maximize_kin` of such a family, whose arrays may have any leading axes: here (C, …)."""
    every = [own for stacks in parameters for own in stacks]
    if not any(own.concentrated.any() for own in every):
        return family.maximize(statistics, None)
    return family.maximize(statistics, map_arrays(lambda *arrays: np.concatenate(arrays), *map(flat, every)))


def of_common(theta: Array, weight: Array, common: Array) -> tuple[Array, Array]:
    """What features with these sums (1 or R, C) add that products leave out: (R,) to log-likelihoods, and (R, K, C).

    The latter are statistics, which the components share by the weight (R, K) that they bear.
    """
    share = weight / np.add.reduce(weight, axis=1)[:, None]
    return np.add.reduce(theta[:, 0, -common.shape[1] :] * common, axis=1), share[..., None] * common[:, None]


def rows_at_once(n_components: int, n_features: int) -> int:
    """Rows of one product Θ Φ."""
    rows = PRODUCT // (n_components * n_features) // 64 * 64
    return rows if rows >= FEWEST_ROWS else 1 << 30


def log_density(features: Array, theta: Array, offset: Array | None, out: Array) -> None:
    """Θ Φ with the offset (R, K), if any, added to the first natural parameter; the first feature must be one."""
    if offset is not None:
        theta = theta.copy()
        theta[..., 0] += offset
    k, f = theta.shape[-2:]
    n = features.shape[-1]
    if k * f * n <= PRODUCT:
        np.matmul(theta, features, out=out)
    elif (rows := rows_at_once(k, f)) < n:
        for first in range(0, n, rows):
            np.matmul(theta, features[..., first : first + rows], out=out[..., first : first + rows])
    else:
        some = max(4, PRODUCT // (f * n) // 4 * 4)
        for first in range(0, k, some):
            np.matmul(theta[..., first : first + some, :], features, out=out[..., first : first + some, :])


def statistics(features: Array, responsibilities: Array) -> Array:
    """R Φᵀ, (R, K, F)."""
    k, n = responsibilities.shape[-2:]
    f = len(features)
    if k * f <= PLANE:
        sums: Array = np.matmul(responsibilities, features.T)
        return sums
    if f >= MANY_FEATURES:  # it pays to turn the responsibilities around
        turned = np.ascontiguousarray(responsibilities.swapaxes(-1, -2))
        sums = np.empty((*responsibilities.shape[:-2], f, k))
        wide = max(64, PRODUCT // (k * n) // 8 * 8)
        for top in range(0, f, wide):
            np.matmul(features[top : top + wide], turned, out=sums[..., top : top + wide, :])
        return sums.swapaxes(-1, -2)
    sums = np.empty((*responsibilities.shape[:-1], f))
    tall = -(-k // -(-k // 20))  # components in parts of at most 20
    wide = max(32, PLANE // tall)
    for top in range(0, k, tall):
        some = responsibilities[..., top : top + tall, :]
        for left in range(0, f, wide):
            np.matmul(some, features[left : left + wide].T, out=sums[..., top : top + tall, left : left + wide])
    return sums
