"""When a normal component is degenerate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import WIDE, Columns
from em_cli.engine.family import Degeneracy
from em_cli.families.covariances.structure import Letters, clamp_full
from em_cli.families.distributions.degeneracies import INDEPENDENT, SOME, held_up, verdict
from em_cli.families.gaussian.parameters import Bounds, GaussianParameters
from em_cli.families.gaussian.prior import OWN

MATRICES = 1 << 21  # numbers in the covariances that are looked at together
HEAVY = 0.3  # of the largest part that a column has in a direction; columns of less are not named
NAMED = 4
SURELY = 0.99  # of a bound, within which rounding does not matter

Places = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Judge:
    """What is to be known of the columns, in coordinates of the family but for themselves; it is found out once."""

    columns: Columns
    scale: Array
    bounds: Bounds
    letters: Letters

    def degeneracies(self, parameters: GaussianParameters, support: Array) -> list[Degeneracy | None]:
        """Components at the resolution of the data where the data are not, and ones narrow and resting on few rows.

        The bounds (relative to the overall covariance: narrower than 1e-3 with fewer than
        5(D+1) distinct rows, than 1e-6 with any number, or D+1 distinct rows or fewer) are those
        by which the reference optima were judged. Where columns are independent in a component and rows are
        too few for an overall covariance, each column is judged by its own variance, and INDEPENDENT rows will do.
        """
        d, letters = len(self.scale), self.letters
        wide = letters.diagonal and (self.columns.n_rows < 5 * (d + 1) or d > WIDE)
        needed, bounded = min(d + 1, INDEPENDENT) if wide else d + 1, letters.bounded(d)
        broad = np.zeros(len(support), np.bool_) if wide else self._broad(parameters.factors)
        reasons: list[Degeneracy | None] = [None] * len(support)
        unsure = np.flatnonzero(~(broad if bounded else np.logical_and(broad, support > needed)))
        if len(unsure):
            rows = np.full(len(unsure), np.inf) if bounded else support[unsure].astype(np.float64)
            found = self._reasons(parameters.covariances[unsure], rows, broad[unsure], needed, wide, bounded)
            for k, reason in zip(unsure.tolist(), found, strict=True):
                reasons[k] = reason
        return reasons

    def _reasons(
        self, covariances: Array, support: Array, broad: Flags, needed: int, wide: bool, bounded: bool
    ) -> list[Degeneracy | None]:
        """The same of some that are not surely sound."""
        rows: list[float] = support.tolist()
        looked_at = np.flatnonzero(~broad).tolist()
        held = (self._columns_held if self.letters.diagonal else self._directions_held)(covariances[looked_at])
        reasons: list[Degeneracy | None] = [None] * len(rows)
        for k, along in zip(looked_at, held, strict=True):
            reasons[k] = None if along is None else held_up(along, rows[k], needed)
        if bounded:
            return reasons
        unsure = [k for k in looked_at if reasons[k] is None and not rows[k] <= needed]
        narrow = (self._narrow_columns if wide else self._narrow_directions)(covariances[unsure])
        found = dict(zip(unsure, narrow, strict=True))
        return [reason or verdict(rows[k], needed, *found.get(k, (1.0, ()))) for k, reason in enumerate(reasons)]

    def _broad(self, factors: Array) -> Flags:
        """(K,) those surely not at the resolution of the data, and not narrow where that matters.

        The smallest eigenvalue is no less than the inverse of the trace of the inverse, in units of either.
        """
        precision = factors * factors if self.letters.diagonal else np.add.reduce(factors * factors, axis=-2)
        broad: Flags = precision @ self._floor**2 < SURELY
        if self.letters.bounded(len(self.scale)):
            return broad
        if self.letters.diagonal:
            narrowness = precision @ np.diagonal(self._overall)
        else:
            along = factors @ self._root
            narrowness = np.add.reduce(along * along, axis=(-1, -2))
        return np.logical_and(broad, narrowness < SURELY / SOME)

    @cached_property
    def _floor(self) -> Array:
        return np.where(self.bounds.floor > 0, self.bounds.floor, 1e-300)

    @cached_property
    def _overall(self) -> Array:
        """(D, D) in coordinates of the family; columns may be copies."""
        return clamp_full(self.columns.covariance / np.outer(self.scale, self.scale), self._floor)

    @cached_property
    def _root(self) -> Array:
        """Its Cholesky factor."""
        return np.asarray(np.linalg.cholesky(self._overall), np.float64)

    def _columns_held(self, variances: Array) -> list[Places | None]:
        """The columns (of K components) in which they are held up by the resolution of the data alone, if any."""
        least = self._floor**2
        own = self.columns.joint.variances / self.scale**2 <= OWN * least
        flags = (variances < least * (1 + 1e-6)) & ~own
        return [tuple(np.flatnonzero(flag).tolist()) if flag.any() else None for flag in flags]

    def _directions_held(self, covariances: Array) -> list[Places | None]:
        """The columns whose combination is held up by the resolution of the data alone, if any is."""
        floor = self._floor
        relative = covariances / np.outer(floor, floor)
        found: list[Places | None] = [None] * len(covariances)
        held = np.flatnonzero(_smallest(relative) < 1 + 1e-6)
        if not len(held):
            return found
        overall = self._overall / np.outer(floor, floor)
        for k in held:
            values, vectors = np.linalg.eigh(relative[k])
            low = vectors[:, values <= max(values[0], 1 + 1e-6)]
            spread, turns = np.linalg.eigh(low.T @ overall @ low)
            if spread[-1] > OWN:
                found[k] = self._parts(low @ turns[:, -1] / floor)
        return found

    def _narrow_columns(self, variances: Array) -> list[tuple[float, Places]]:
        """The smallest variance beside that of its column, and of which."""
        ratios = variances / np.maximum(self.columns.joint.variances / self.scale**2, 1e-300)
        return [(float(ratio.min()), (int(ratio.argmin()),)) for ratio in ratios]

    def _narrow_directions(self, covariances: Array) -> list[tuple[float, Places]]:
        """The smallest variance beside that of all data, in any direction, and the columns of that."""
        if not len(covariances):
            return []
        matrices = covariances[..., None] * np.eye(len(self.scale)) if self.letters.diagonal else covariances
        base = np.asarray(np.linalg.inv(self._root), np.float64)
        found: list[tuple[float, Places]] = []
        for k, least in enumerate(_smallest(matrices, base).tolist()):
            along: Places = ()
            if least < SOME:
                _, vectors = np.linalg.eigh(base @ matrices[k] @ base.T)
                along = self._parts(vectors[:, 0] @ base)
            found.append((least, along))
        return found

    def _parts(self, coefficients: Array) -> Places:
        """The columns that have a part in a linear combination (D,), the weightiest first."""
        weight = np.abs(coefficients) * self.columns.unit / self.scale
        order = np.argsort(-weight, kind="stable")[:NAMED]
        return tuple(int(j) for j in order if weight[j] > HEAVY * weight[order[0]])


def _smallest(matrices: Array, base: Array | None = None) -> Array:
    """(K,) the smallest eigenvalue of each, in the coordinates of a base if one is given."""
    found, at_once = np.empty(len(matrices)), max(1, MATRICES // max(1, matrices.shape[-1] ** 2))
    for first in range(0, len(matrices), at_once):
        some = matrices[first : first + at_once]
        found[first : first + at_once] = np.linalg.eigvalsh(some if base is None else base @ some @ base.T)[:, 0]
    return found
