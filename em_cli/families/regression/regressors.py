"""Responses and regressors of rows, in coordinates in which regressors are uncorrelated with variance one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import LARGEST, finite
from em_cli.engine.family import Degeneracy
from em_cli.errors import DataError
from em_cli.families.regression.common_terms import (
    CoefficientChart,
    coefficient_chart,
    solved_for,
    solved_together,
    times,
)
from em_cli.families.regression.terms import Design


@dataclass(frozen=True, slots=True)
class Roles:
    """Which of the columns is what, by their places; the others are regressors, or nothing."""

    response: int
    offset: int | None
    trials: int | None
    n_trials: float  # where they have no column


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Where coordinates begin and how long they are; the user's units if nothing is known of the rows."""

    mean: Array  # (p,) of the regressors
    root: Array  # (p, p) lower triangular: regressors from their mean are root @ z
    reach: float  # the largest length of z, over the rows
    response: tuple[float, float]  # mean and standard deviation, offsets taken off, of a response that is normal
    offset: float  # mean
    trials: float  # mean
    rounding: float = 0.0  # of the response: all are multiples of it
    known: bool = True  # whether it is another one than the user's units
    overall: Array | None = None  # (p,) coefficients of the one regression of all rows, in these coordinates
    spread: float = 1.0  # standard deviation of its residuals, beside that of the response; or its dispersion


@cache
def _upper_triangle(p: int) -> tuple[Integers, Integers]:
    return np.triu_indices(p)


def plain_frame(p: int) -> Frame:
    """The user's units."""
    return Frame(np.zeros(p), np.eye(p), 1.0, (0.0, 1.0), 0.0, 1.0, known=False)


def dotted(some: Array, others: Array) -> Array:
    """(…,) of (…, p) each."""
    product: Array = np.add.reduce(some * others, axis=-1)
    return product


def frame_by_columns(design: Design, roles: Roles, columns: Columns) -> Frame:
    """What is known of the regressors by the columns alone, each by itself; the user's units where nothing is."""
    p, at = len(design.names), roles.response
    if not columns.n_rows:
        return plain_frame(p)
    ends = np.stack([columns.lowest, columns.mean, columns.highest], axis=1)
    low, mean, high = design.of(ends).T
    unit = np.maximum(np.abs(high - low) / 4, 1e-300 + (high == low))
    largest = np.maximum(np.abs(high - mean), np.abs(low - mean)) / unit
    reach = float(np.sqrt(1 + (largest[1:] ** 2).sum()))
    offset = 0.0 if roles.offset is None else float(columns.mean[roles.offset])
    trials = 1.0 if roles.trials is None else float(columns.mean[roles.trials])
    return Frame(
        mean, np.diag(unit), reach, (float(columns.mean[at]) - offset, float(columns.unit[at])), offset, trials
    )


def tight_errors(relative: Array, at_resolution: Flags, support: Array, needed: int) -> list[Degeneracy | None]:
    """By the rules of `Gaussian.degenerate`, for variances of errors beside those of the one regression of all rows."""
    few = (support <= needed) | ((relative < 1e-3) & (support < 5 * needed)) | (relative < 1e-6)
    return [
        Degeneracy("its variance is at the resolution of the data", True)
        if at_resolution[k]
        else Degeneracy(f"it rests on {support[k]:.3g} distinct rows, too few to trust", False)
        if few[k]
        else None
        for k in range(len(support))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Regressors:
    """What both steps need of rows: z (p, n), the response, its offset and trials."""

    design: Design
    roles: Roles
    frame: Frame
    columns: Columns

    @property
    def p(self) -> int:
        return len(self.design.names)

    @property
    def c(self) -> int:
        """Regressors, the last ones, whose coefficients are the same in all components."""
        return self.design.n_common

    @property
    def f(self) -> int:
        """Coefficients that each component has of its own."""
        return self.p - self.c

    @property
    def pairs(self) -> tuple[Integers, Integers]:
        """Rows and columns of the upper triangle, row by row."""
        return _upper_triangle(self.p)

    def z(self, x: Array) -> Array:
        """(p, n), the first ones."""
        return self.of_raw(self.design.of(x))

    def of_raw(self, raw: Array) -> Array:
        """Regressors (p, …) in these coordinates."""
        z = raw - np.where(np.arange(self.p) > 0, self.frame.mean, 0.0).reshape(-1, *(1,) * (raw.ndim - 1))
        if self.frame.known:
            z[1:] = np.linalg.solve(self.frame.root[1:, 1:], z[1:])
        return z

    def raw(self, z: Array) -> Array:
        """(…, p), the inverse."""
        back: Array = z.copy()
        if self.frame.known:
            back[..., 1:] = z[..., 1:] @ self.frame.root[1:, 1:].T + self.frame.mean[1:]
        return back

    def response(self, x: Array) -> Array:
        return np.asarray(x[self.roles.response])

    def offset(self, x: Array) -> Array:
        """(n,) from its mean."""
        if self.roles.offset is None:
            return np.zeros(x.shape[1])
        return np.asarray(x[self.roles.offset] - self.frame.offset)

    def trials(self, x: Array) -> Array:
        if self.roles.trials is None:
            return np.full(x.shape[1], self.roles.n_trials)
        return np.asarray(x[self.roles.trials])

    def observed(self, x: Array, z: Array) -> Flags:
        """Which rows (n,) tell anything: all of the response, its trials and the regressors are there."""
        there = np.isfinite(z).all(axis=0) & np.isfinite(self.response(x))
        return there & np.isfinite(self.offset(x)) & np.isfinite(self.trials(x))

    def squares(self, z: Array) -> Array:
        """(q, n) the products of two."""
        first, second = self.pairs
        return z[first] * z[second]

    def matrices(self, sums: Array) -> Array:
        """(…, p, p) from the sums (…, q) of products."""
        first, second = self.pairs
        full = np.zeros((*sums.shape[:-1], self.p, self.p))
        full[..., first, second] = sums
        full[..., second, first] = sums
        return full

    def solved(self, sums: Array, right: Array) -> Array:
        """(…, K, p) of the normal equations; what rows do not tell of is left at zero."""
        return self.solved_of(self.matrices(sums), right)

    def solved_of(self, full: Array, right: Array) -> Array:
        """The same, of matrices (…, K, p, p), whose diagonals it makes a little larger."""
        diagonal = np.einsum("...ii->...i", full)
        diagonal += 1e-13 * diagonal.sum(axis=-1, keepdims=True) + 1e-280
        return solved_together(full, right, self.c) if self.c else solved_for(full, right)

    def bent(self, sums: Array, step: Array) -> Array:
        """(…, p) the matrices of sums (…, q) times steps."""
        return times(self.matrices(sums), step)

    def chart(self, information: Array, weight: Array) -> CoefficientChart:
        """In units of the information (…, K, p, p) of rows of this weight (…, K); of none, next to nothing."""
        full = information * np.maximum(weight, 1.0)[..., None, None]
        diagonal = np.einsum("...ii->...i", full)
        diagonal += 1e-9 * np.add.reduce(diagonal, axis=-1, keepdims=True) + 1e-200
        return coefficient_chart(np.asarray(np.linalg.cholesky(full), np.float64), self.c)

    def flat(self, shape: tuple[int, ...]) -> Array:
        """(…, p, p) the information of a row of typical regressors, where nothing more is known."""
        return np.broadcast_to(np.eye(self.p), (*shape, self.p, self.p)).copy()

    def in_units(self, coefficients: Array, scale: float = 1.0, place: float = 0.0) -> Array:
        """(…, p) of the regressors as they are; a normal response is `place` plus `scale` times that in coordinates."""
        own: Array = coefficients * scale
        if self.frame.known:
            own[..., 1:] = np.linalg.solve(self.frame.root[1:, 1:].T, own[..., 1:, None])[..., 0]
            own[..., 0] -= own[..., 1:] @ self.frame.mean[1:]
        own[..., 0] += place - self.frame.offset
        return self.joined(own)

    def joined(self, coefficients: Array) -> Array:
        """(…, K, p) whose common ones are those of the first component, to the bit."""
        if self.c:
            coefficients[..., self.f :] = coefficients[..., :1, self.f :]
        return coefficients

    def from_units(self, coefficients: Array, scale: float = 1.0, place: float = 0.0) -> Array:
        """The inverse."""
        own: Array = coefficients.copy()
        own[..., 0] += self.frame.offset - place
        if self.frame.known:
            own[..., 0] += own[..., 1:] @ self.frame.mean[1:]
            own[..., 1:] = own[..., 1:] @ self.frame.root[1:, 1:]
        return self.joined(own / scale)

    def typical(self, shape: tuple[int, ...]) -> Array:
        """(…, p + 2) the regressors, offset and trials of a typical row, the same for all components."""
        z = np.zeros(self.p)
        z[0] = 1.0
        trials = self.roles.n_trials if self.roles.trials is None else self.frame.trials
        return np.broadcast_to(np.append(z, [0.0, trials]), (*shape, self.p + 2)).copy()

    @property
    def quantities(self) -> dict[str, Quantity]:
        """What the numbers of its documents are, by name."""
        of_design = ("coefficients", "common_coefficients", "typical_design", "typical_offset")
        return {**dict.fromkeys(of_design, Quantity.REAL), "typical_trials": Quantity.POSITIVE}

    def typical_to_document(self, typical: Array) -> dict[str, object]:
        z, (offset, trials) = typical[0, :-2], typical[0, -2:]
        found: dict[str, object] = {"typical_design": self.raw(z).tolist()}
        if self.roles.offset is not None:
            found["typical_offset"] = float(offset + self.frame.offset)
        if self.roles.trials is not None:
            found["typical_trials"] = float(trials)
        return found

    def typical_from_document(self, document: Any, n_components: int) -> Array:
        design = finite(document, "typical_design")
        if design.shape != (self.p,):
            raise DataError(f"the field 'typical_design' must hold {self.p} numbers.")
        rest = []
        for name, there in (("typical_offset", self.roles.offset), ("typical_trials", self.roles.trials)):
            value = finite(document, name) if there is not None else np.zeros(())
            if value.ndim:
                raise DataError(f"the field {name!r} must be a number.")
            rest.append(float(value))
        offset = rest[0] - self.frame.offset if self.roles.offset is not None else 0.0
        trials = rest[1] if self.roles.trials is not None else self.roles.n_trials
        return np.tile(np.append(self.of_raw(design), [offset, trials]), (n_components, 1))

    def coefficients_of(self, document: Any, n_components: int) -> Array:
        """(K, p) as the document has them."""
        found = finite(document, "coefficients")
        if found.shape != (n_components, self.p):
            raise DataError(f"the field 'coefficients' must hold {n_components} lists of {self.p} numbers.")
        if (np.abs(found) > np.sqrt(LARGEST)).any():
            raise DataError("the field 'coefficients' holds a number that is too large to compute with.")
        if (found[:, self.f :] != found[:1, self.f :]).any():
            raise DataError(
                f"the field 'coefficients': those of {' and '.join(self.design.names[self.f :])} are common to all "
                "components, and must be the same in each."
            )
        return found

    def around(self, mean: Array, sd: Array) -> tuple[Array, Array]:
        """Means and standard deviations (K, D) of all columns: the response, beside others as they are in all."""
        means = np.tile(self.columns.mean, (len(mean), 1))
        sds = np.tile(self.columns.sd, (len(mean), 1))
        means[:, self.roles.response], sds[:, self.roles.response] = mean, sd
        return means, sds

    def drawn(self, n: int, rng: np.random.Generator) -> Array:
        """Cells (D, n) of regressors, normal and apart from each other, within what was seen; no response yet."""
        columns = self.columns
        x = columns.mean[:, None] + columns.sd[:, None] * rng.standard_normal((len(columns.mean), n))
        return np.clip(x, columns.lowest[:, None], columns.highest[:, None])
