"""What a covariance structure is: the eigenvalue decomposition of Banfield & Raftery (1993), Celeux & Govaert (1995).

Σ_k = λ_k D_k A_k D_kᵀ: a volume, an orientation, and a shape of determinant one. Three letters
say of volume, shape and orientation whether they are equal in all components (E), the component's own
(V), or the identity (I).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.owners import Owners, equal_owners

RESOLVED = 3e-7  # the least standard deviation along an axis that a matrix with ones beside it still shows
WIDE = 24  # columns, from which a Cholesky factor of each matrix costs less than eliminating in all of them together


@dataclass(frozen=True, slots=True)
class Letters:
    volume: str
    shape: str
    orientation: str

    @property
    def diagonal(self) -> bool:
        """Covariances are handled as variances (…, K, D)."""
        return self.orientation == "I"

    @property
    def isotropic(self) -> bool:
        """One variance for all columns."""
        return self.shape == "I"

    @property
    def rotated(self) -> bool:
        """Axes and their lengths are shared differently: orthogonal maps are all that the structure survives."""
        return not self.diagonal and self.shape != self.orientation

    @property
    def common_scale(self) -> bool:
        """Columns may not be rescaled one by one."""
        return self.isotropic or self.rotated

    @property
    def shared(self) -> bool:
        """All components have the same covariance."""
        return "V" not in self._all

    @property
    def coupled(self) -> bool:
        """The covariance of one component depends on the others."""
        return "E" in self._all

    @property
    def closed_form(self) -> bool:
        """The M-step is, and does not begin anywhere (Celeux & Govaert 1995, table 1)."""
        volumes = self.volume == "V" and self.shape == "E"
        return not volumes and not (self.shape == "V" and self.orientation == "E")

    @property
    def mclust(self) -> tuple[str, str]:
        """Its name there, in one dimension and in more."""
        return self.volume, self._all

    def bounded(self, n_columns: int) -> bool:
        """The likelihood is: no component can collapse alone."""
        return "V" not in (self.volume if n_columns == 1 else self.volume + self.shape)

    def n_parameters(self, n_components: int, n_columns: int) -> int:
        k, d = n_components, n_columns
        times = {"E": 1, "V": k, "I": 0}
        parts = ((self.volume, 1), (self.shape, d - 1), (self.orientation, d * (d - 1) // 2))
        return sum(times[letter] * size for letter, size in parts)

    @property
    def _all(self) -> str:
        return self.volume + self.shape + self.orientation


class CovarianceStructure(Protocol):
    """Constraints on the covariances of K components."""

    letters: ClassVar[Letters]

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        """Maximum-likelihood covariances, given the weight (C,) and own covariance of each component.

        Diagonal structures get and give variances (C, D), or get (C, 1) if they are isotropic, and
        hold them at floor² (D,) at least. Others get matrices (C, D, D), and if they are shared they give one
        for each candidate (R, D, D): those that survive a rescaling of columns are clamped to the floor by the
        caller, if they are not yet; rotated ones hold their eigenvalues at the least floor² themselves.

        A structure whose maximum has no closed form may begin at covariances of the same structure. It
        does not descend from them, and takes so many steps at most: what one leads to need not be the maximum.
        Without them one step begins at the own covariances.
        """


def clamp_full(covariances: Array, floor: Array) -> Array:
    """Exact maximum under Σ ⪰ diag(floor²): eigenvalues, taken relative to the floor, are raised to one."""
    if not (floor > 0).all():
        return covariances
    unit = np.outer(floor, floor)
    relative = covariances / unit
    try:
        np.linalg.cholesky(relative - np.eye(len(floor)))
        return covariances
    except np.linalg.LinAlgError:
        low = _not_above_one(relative)
    values, vectors = np.linalg.eigh(relative[low])
    clamped = covariances.copy()
    clamped[low] = composed(vectors, np.maximum(values, 1.0)) * unit
    return clamped


def _not_above_one(matrices: Array) -> Flags:
    """Which of some matrices (…, D, D) have an eigenvalue of one or below: those that, less I, have such a pivot."""
    d = matrices.shape[-1]
    rest, low = matrices - np.eye(d), np.zeros(matrices.shape[:-2], np.bool_)
    if d >= WIDE:
        low.reshape(-1)[:] = [not _definite(one) for one in rest.reshape(-1, d, d)]
        return low
    with np.errstate(over="ignore", invalid="ignore"):  # of pivots that are hardly any
        for j in range(d):
            pivot = rest[..., j, j]
            low |= ~(pivot > 0)
            column = np.where(low[..., None], 0.0, rest[..., j + 1 :, j] / np.where(low, 1.0, pivot)[..., None])
            rest[..., j + 1 :, j + 1 :] -= column[..., :, None] * rest[..., None, j, j + 1 :]
    return low


def _definite(matrix: Array) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def clamp_definite(covariances: Array) -> Array:
    """The eigenvalues of matrices that numerically have no inverse raised to what can be told from the largest."""
    values, vectors = np.linalg.eigh(covariances)
    least = 16 * np.finfo(float).eps * np.maximum(values[..., -1:], np.finfo(float).tiny)
    low = values[..., :1] < least
    clamped: Array = np.where(low[..., None], composed(vectors, np.maximum(values, least)), covariances)
    return clamped


def composed(vectors: Array, values: Array) -> Array:
    """U diag(v) Uᵀ (…, D, D), exactly symmetric."""
    product = (vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    symmetric: Array = 0.5 * (product + np.swapaxes(product, -1, -2))
    return symmetric


def shares(weight: Array) -> Array:
    """(…, K) of all rows."""
    share: Array = weight / weight.sum(axis=-1, keepdims=True)
    return share


def constrained(
    structure: CovarianceStructure,
    weight: Array,
    scatter: Array,
    floor: Array,
    at: Array | None = None,
    steps: int = 60,
) -> Array:
    """The same of candidates of one size, stacked or not: from weights (…, K) and scatter (…, K, …)."""
    k = weight.shape[-1]
    owners, own = equal_owners(weight.size // k, k), weight.shape
    tail = scatter.shape[weight.ndim :]
    one = np.broadcast_to(scatter, (*own, *tail)).reshape(-1, *tail)
    begin = None if at is None else at.reshape(-1, *at.shape[weight.ndim :])
    found = structure.constrain(owners, weight.ravel(), one, floor, begin, steps)
    if len(found) != len(owners.of):
        found = found[owners.of]
    return found.reshape(*own, *found.shape[1:])


def floors(floor: Array) -> tuple[Array, float]:
    """Units of variance (D,), and the least variance in them; none, if it is not known of every column."""
    return (floor * floor, 1.0) if (floor > 0).all() else (np.ones(len(floor)), 0.0)


def least(floor: Array) -> float:
    """The least variance along any axis that turns."""
    return float(floor.min()) ** 2
