"""Regressions with normal errors, bound to data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.column_summary import RELATIVE_RESOLUTION
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import positive
from em_cli.engine.family import Degeneracy
from em_cli.families.regression.common_terms import CoefficientChart, in_a_row, taken_apart, times
from em_cli.families.regression.regressors import Regressors, dotted, tight_errors

TIGHT = 1e-6  # variance, relative to that of the response, below which sums about zero lose digits
TINY = 1e-300
TURNS = 12  # of coefficients and variances, each given the others, where some are common and there are no parameters


@dataclass(frozen=True, slots=True)
class LinearParameters:
    coefficients: Array  # (R, K, p)
    sigma: Array  # (R, K) standard deviation of the errors
    theta: Array  # (R, K, F)
    concentrated: Flags  # (R, K) components that are evaluated about their own coefficients
    typical: Array  # (R, K, p + 2) the regressors of a typical row
    information: Array = field(repr=False)  # (R, K, p, p) Σ z z' a row, that charts go by; no document knows it

    @property
    def variances(self) -> Array:
        return self.sigma**2


@dataclass(frozen=True, slots=True, eq=False)
class BoundLinear:
    """Features 1, whether there is a response, −y²/2, y z and the products of two of the z; statistics are their sums.

    Those of a tight component have the residuals of its own coefficients for y.
    """

    reweighting: ClassVar[None] = None
    elliptic: ClassVar[None] = None
    approximate: ClassVar[None] = None
    needs_frame: ClassVar[bool] = False
    kindred: ClassVar[None] = None

    regressors: Regressors

    @property
    def quantities(self) -> dict[str, Quantity]:
        return {"sigma": Quantity.POSITIVE, **self.regressors.quantities}

    @property
    def exponential(self) -> BoundLinear:
        return self

    @property
    def penalty(self) -> BoundLinear:
        return self

    @property
    def completing(self) -> BoundLinear:
        return self

    @property
    def coupled(self) -> bool:
        return self.regressors.c > 0

    @property
    def _scale(self) -> float:
        return self.regressors.frame.response[1]

    @property
    def _floor(self) -> float:
        """Standard deviation of errors, below which there is but rounding."""
        return max(self.regressors.frame.rounding / float(np.sqrt(12)) / self._scale, RELATIVE_RESOLUTION)

    def n_features(self) -> int:
        p = self.regressors.p
        return 3 + p + p * (p + 1) // 2

    def n_own_features(self) -> int:
        return self.n_features()

    def monomials(self) -> Integers | None:
        return None

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        return np.zeros(0)

    def features(self, x: Array, out: Array) -> None:
        own, p = self.regressors, self.regressors.p
        z, (mean, scale) = own.z(x), own.frame.response
        y = (own.response(x) - own.offset(x) - own.frame.offset - mean) / scale
        seen = own.observed(x, z)
        if not seen.all():
            z, y = np.where(seen, z, 0.0), np.where(seen, y, 0.0)
        out[0], out[1], out[2] = 1.0, seen, -0.5 * y * y
        np.multiply(y, z, out=out[3 : 3 + p])
        out[3 + p :] = own.squares(z)

    def base_measure(self, x: Array) -> Array:
        seen = self.regressors.observed(x, self.regressors.z(x))
        return np.asarray(np.where(seen, -np.log(self._scale), 0.0))

    def embedding(self, x: Array) -> Array:
        """Residuals of the one regression of all rows, alone and times each regressor: other slopes show there."""
        own = self.regressors
        z, (mean, scale) = own.z(x), own.frame.response
        y = (own.response(x) - own.offset(x) - own.frame.offset - mean) / scale
        away = y if own.frame.overall is None else (y - own.frame.overall @ z) / own.frame.spread
        return np.asarray(np.where(own.observed(x, z), away * z[: own.f], 0.0))

    def natural(self, parameters: LinearParameters) -> tuple[Array, Flags]:
        return parameters.theta, np.logical_or.reduce(parameters.concentrated, axis=-1)

    def log_density(self, features: Array, parameters: LinearParameters, offset: Array, out: Array) -> None:
        if not parameters.concentrated.all():
            exponential_family.log_density(features, parameters.theta, offset, out)
        for r, k in zip(*np.nonzero(parameters.concentrated), strict=True):
            away, variance = self._residuals(features, parameters.coefficients[r, k]), parameters.variances[r, k]
            out[r, k] = offset[r, k] - 0.5 * (features[1] * np.log(2 * np.pi * variance) + away**2 / variance)

    def _residuals(self, features: Array, coefficients: Array) -> Array:
        """(n,) of rows with a response, of their features."""
        p = self.regressors.p
        away: Array = features[3] - coefficients @ features[3 + p : 3 + 2 * p]
        return away

    def statistics(self, features: Array, responsibilities: Array, parameters: LinearParameters | None) -> Array:
        sums = exponential_family.statistics(features, responsibilities)
        if parameters is not None and parameters.concentrated.any():
            p = self.regressors.p
            for r, k in zip(*np.nonzero(parameters.concentrated), strict=True):
                away = self._residuals(features, parameters.coefficients[r, k])
                weighed = responsibilities[r, k] * away
                sums[r, k, 2] = -0.5 * (weighed @ away)
                sums[r, k, 3 : 3 + p] = features[3 + p : 3 + 2 * p] @ weighed
        return sums

    def maximize(self, statistics: Array, parameters: LinearParameters | None) -> LinearParameters:
        own, p = self.regressors, self.regressors.p
        right, squares = statistics[..., 3 : 3 + p], statistics[..., 3 + p :]
        if own.c:
            step, variances = self._in_turn(statistics, parameters)
        else:
            step = own.solved(squares, right)
            variances = self._variances(statistics, self._sum_of_squares(statistics, step))
        information = own.matrices(squares) / np.maximum(statistics[..., 1], TINY)[..., None, None]
        typical = own.typical(step.shape[:-1])
        sigma = np.sqrt(np.maximum(variances, 0.0))
        return self._at(own.joined(self._origin(parameters, step) + step), sigma, typical, information)

    def _in_turn(self, statistics: Array, parameters: LinearParameters | None) -> tuple[Array, Array]:
        """Steps (R, K, p) and variances (R, K): common coefficients are told by all components, by their variances."""
        own, p = self.regressors, self.regressors.p
        right, full = statistics[..., 3 : 3 + p], own.matrices(statistics[..., 3 + p :])
        step, variances, turns = np.zeros_like(right), np.ones(right.shape[:-1]), TURNS
        if parameters is not None:
            step = parameters.coefficients - self._origin(parameters, right)
            variances, turns = parameters.variances, 1
        for _ in range(turns):
            precisions = 1 / np.maximum(variances, self._floor**2)[..., None]
            slope = (right - times(full, step)) * precisions
            step = step + own.solved_of(full * precisions[..., None], slope)
            squares = -2 * statistics[..., 2] + dotted(step, times(full, step) - 2 * right)
            variances = self._variances(statistics, squares)
        return step, variances

    def _variances(self, statistics: Array, squares: Array) -> Array:
        """(R, K) of errors of these sums of squares; one where there are no rows."""
        variances = squares / np.maximum(statistics[..., 1], TINY)
        return np.where(statistics[..., 1] > TINY, variances, 1.0)

    def _origin(self, parameters: LinearParameters | None, like: Array) -> Array:
        """(R, K, p) the coefficients about which statistics are."""
        if parameters is None:
            return np.zeros_like(like)
        return np.where(parameters.concentrated[..., None], parameters.coefficients, 0.0)

    def _sum_of_squares(self, statistics: Array, step: Array) -> Array:
        """(R, K) of residuals, so far from where the statistics are about."""
        p = self.regressors.p
        bent = self.regressors.bent(statistics[..., 3 + p :], step)
        return np.asarray(-2 * statistics[..., 2] + dotted(step, bent - 2 * statistics[..., 3 : 3 + p]))

    def _at(self, coefficients: Array, sigma: Array, typical: Array, information: Array) -> LinearParameters:
        sigma = np.maximum(sigma, self._floor)
        variances = sigma**2
        first, second = self.regressors.pairs
        products = coefficients[..., first] * coefficients[..., second]
        products *= np.where(first == second, -0.5, -1.0)
        level = -0.5 * np.log(2 * np.pi * variances)
        rest = np.concatenate([np.ones_like(level)[..., None], coefficients, products], axis=-1) / variances[..., None]
        theta = np.concatenate([np.zeros_like(level)[..., None], level[..., None], rest], axis=-1)
        tight = (variances < TIGHT) | (not self.regressors.frame.known)
        return LinearParameters(coefficients, sigma, theta, tight, typical, information)

    def n_parameters(self, n_components: int) -> int:
        return n_components * (self.regressors.f + 1) + self.regressors.c

    def degenerate(self, parameters: LinearParameters, support: Array) -> list[Degeneracy | None]:
        """By the rules of `Gaussian.degenerate`, for errors beside those of the one regression of all rows."""
        needed = self.regressors.f + 1
        relative = parameters.variances / self.regressors.frame.spread**2
        at_resolution = parameters.sigma <= self._floor * (1 + 1e-6)
        return tight_errors(relative, at_resolution, support, needed)

    def moments(self, parameters: LinearParameters) -> tuple[Array, Array]:
        """Of the response to a typical row."""
        own, (place, scale) = self.regressors, self.regressors.frame.response
        typical = parameters.typical
        mean = (parameters.coefficients * typical[..., :-2]).sum(axis=-1) * scale + place + own.frame.offset
        return own.around(mean + typical[..., -2], parameters.sigma * scale)

    def to_document(self, parameters: LinearParameters) -> dict[str, object]:
        own, (place, scale) = self.regressors, self.regressors.frame.response
        coefficients = own.in_units(parameters.coefficients, scale, place + own.frame.offset)
        typical = own.typical_to_document(parameters.typical)
        return {"coefficients": coefficients.tolist(), "sigma": (parameters.sigma * scale).tolist()} | typical

    def from_document(self, document: Mapping[str, object], n_components: int) -> LinearParameters:
        own, (place, scale) = self.regressors, self.regressors.frame.response
        raw = own.coefficients_of(document, n_components)
        sigma = positive(document, "sigma", n_components)
        coefficients = own.from_units(raw, scale, place + own.frame.offset)
        typical = own.typical_from_document(document, n_components)
        return self._at(coefficients, sigma / scale, typical, own.flat((n_components,)))

    def expected_log_density(self, statistics: Array, parameters: LinearParameters) -> Array:
        expected: Array = np.einsum("...f,...f->...", statistics, parameters.theta)
        return expected

    def penalty_statistics(self, parameters: LinearParameters, plain: bool) -> Array:
        """One whose error is as large as those of the one regression of all rows, wherever the component runs."""
        pseudo = np.zeros((*parameters.variances.shape, self.n_features()))
        pseudo[..., :2] = 1.0
        pseudo[..., 2] = -0.5 * self.regressors.frame.spread**2
        return pseudo

    def chart(self, parameters: LinearParameters, weight: Array) -> LinearChart:
        return LinearChart(self, parameters, weight)

    def sample(self, parameters: LinearParameters, labels: Integers, rng: np.random.Generator) -> Array:
        return self._with_responses(self.regressors.drawn(len(labels), rng), parameters, labels, rng)

    def complete(self, x: Array, parameters: LinearParameters, responsibilities: Array) -> Array:
        """With the mean of a missing response, given what it regresses on."""
        means = self._means(x, parameters)
        return self._filled(x, (means * responsibilities).sum(axis=0))

    def draw(self, x: Array, parameters: LinearParameters, labels: Integers, rng: np.random.Generator) -> Array:
        return self._filled(x, self._with_responses(x, parameters, labels, rng)[self.regressors.roles.response])

    def _filled(self, x: Array, responses: Array) -> Array:
        filled, at = x.copy(), self.regressors.roles.response
        filled[at] = np.where(np.isnan(x[at]), responses, x[at])
        return filled

    def _means(self, x: Array, parameters: LinearParameters) -> Array:
        """(K, n) in the user's units."""
        own, (place, scale) = self.regressors, self.regressors.frame.response
        return np.asarray((parameters.coefficients @ own.z(x)) * scale + place + own.frame.offset + own.offset(x))

    def _with_responses(
        self, x: Array, parameters: LinearParameters, labels: Integers, rng: np.random.Generator
    ) -> Array:
        drawn, n = x.copy(), np.arange(len(labels))
        sigma = parameters.sigma[labels] * self._scale
        drawn[self.regressors.roles.response] = self._means(x, parameters)[labels, n] + sigma * rng.standard_normal(
            len(labels)
        )
        return drawn

    def spread_of(self, x: Array, parameters: LinearParameters) -> tuple[Array, Array]:
        """Means and standard deviations (K, n) of the responses to rows."""
        means = self._means(x, parameters)
        return means, np.broadcast_to((parameters.sigma * self._scale)[:, None], means.shape)


@dataclass(frozen=True, slots=True, eq=False)
class LinearChart:
    """Coefficients in units of their information, and logarithms of standard deviations likewise."""

    family: BoundLinear
    base: LinearParameters
    weight: Array  # (…, K)
    steps: CoefficientChart = field(init=False, repr=False)

    def __post_init__(self) -> None:
        information = self.base.information / self.base.variances[..., None, None]
        object.__setattr__(self, "steps", self.family.regressors.chart(information, self.weight))

    @property
    def _twice(self) -> Array:
        """(…, K) the root of the information of log σ."""
        return np.asarray(np.sqrt(2 * np.maximum(self.weight, 1.0)))

    def coordinates(self, parameters: LinearParameters) -> Array:
        own, common = self.steps.coordinates(parameters.coefficients - self.base.coefficients)
        logs = np.log(parameters.sigma / self.base.sigma) * self._twice
        return in_a_row(own, logs, common)

    def parameters(self, u: Array) -> LinearParameters:
        p, f, c = self.family.regressors.p, self.family.regressors.f, self.family.regressors.c
        both, common = taken_apart(u, f + 1, c)
        coefficients = self.base.coefficients + self.steps.steps(both[..., :f], common)
        logs = np.clip(both[..., f] / self._twice, -30.0, 30.0)
        typical = np.broadcast_to(self.base.typical, (*coefficients.shape[:-1], p + 2))
        information = np.broadcast_to(self.base.information, (*coefficients.shape, p))
        return self.family._at(coefficients, self.base.sigma * np.exp(logs), typical.copy(), information.copy())

    def gradient(self, statistics: Array, parameters: LinearParameters) -> Array:
        own, p = self.family.regressors, self.family.regressors.p
        step = parameters.coefficients - self.family._origin(parameters, parameters.coefficients)
        slope = statistics[..., 3 : 3 + p] - own.bent(statistics[..., 3 + p :], step)
        by_own, by_common = self.steps.gradient(slope / parameters.variances[..., None])
        excess = self.family._sum_of_squares(statistics, step) / parameters.variances - statistics[..., 1]
        return in_a_row(by_own, excess / self._twice, by_common)
