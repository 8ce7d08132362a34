"""Regressions of counts and of successes among trials, bound to data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from em_cli.engine import exponential
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.family import Degeneracy
from em_cli.families.regression.regressors import Regressors, dotted, solved_for, times
from em_cli.families.regression.responses import Response

TINY = 1e-300


@dataclass(frozen=True, slots=True)
class GeneralizedParameters:
    coefficients: Array  # (R, K, p)
    typical: Array  # (R, K, p + 2) the regressors, offset and trials of a typical row
    information: Array = field(repr=False)  # (R, K, p, p) Σ w z z' a row, that charts go by; no document knows it


@dataclass(frozen=True, slots=True, eq=False)
class BoundGeneralized:
    """Statistics are N = Σr, Σr where there is a response, and Σr of a parabola c + b z'β − w (z'β)²/2 in its products.

    It touches the log-likelihood of a row midway between where the row, and where all rows as one regression, would
    have it best; or in the frame of parameters at these. From the first, the M-step is least squares, and the worth of
    a move is a guess; from the second, it is a Newton step. That is cut to log(1 + m)/m of it, where all of it would
    move no predictor by more than m: curvatures of Poisson and binomial log-likelihoods change no faster than exp(m),
    so that it never descends (Bach 2010).
    """

    regressors: Regressors
    law: Response

    @property
    def exponential(self) -> None:
        return None

    @property
    def reweighting(self) -> None:
        return None

    @property
    def penalty(self) -> BoundGeneralized:
        return self

    @property
    def completing(self) -> BoundGeneralized:
        return self

    @property
    def elliptic(self) -> None:
        return None

    @property
    def approximate(self) -> None:
        return None

    @property
    def coupled(self) -> bool:
        return False

    @property
    def _n_sums(self) -> int:
        p = self.regressors.p
        return 3 + p + p * (p + 1) // 2

    def n_features(self) -> int:
        return self._n_sums + self.regressors.p + 3

    def features(self, x: Array, out: Array) -> None:
        """Those of the plain statistics; then z, response, trials and offset, and no curvature where there is none."""
        own, p, s = self.regressors, self.regressors.p, self._n_sums
        z, y, t, offset = own.z(x), own.response(x), own.trials(x), own.offset(x)
        seen = own.observed(x, z)
        if not seen.all():
            z, y, t, offset = (np.where(seen, part, 0.0) for part in (z, y, t, offset))
        touched = 0.5 * (self.law.start(y, t) + self._anchor(z) + offset)
        level, slope, curvature = self.law.terms(touched, y, t)
        away = offset - touched  # of a predictor of zero
        out[0], out[1] = 1.0, seen
        out[2] = seen * (level + slope * away - 0.5 * curvature * away**2)
        out[3 : 3 + p] = (slope - curvature * away) * z
        out[3 + p : s] = curvature * own.squares(z)
        out[s : s + p], out[s + p], out[s + p + 1], out[s + p + 2] = z, y, t, offset

    def _anchor(self, z: Array) -> Array:
        """(n,) the predictors, less offsets, of the one regression of all rows; of their mean if it is unknown."""
        frame = self.regressors.frame
        if frame.overall is not None:
            return frame.overall @ z
        mean = np.full(z.shape[1], max(frame.response[0] + frame.offset, 0.0))
        own = self.regressors.roles
        trials = frame.trials if own.trials is not None else own.n_trials
        return self.law.start(mean, np.maximum(trials, mean))

    def base_measure(self, x: Array) -> Array:
        own = self.regressors
        seen = own.observed(x, own.z(x))
        y, t = (np.where(seen, part, 0.0) for part in (own.response(x), own.trials(x)))
        return np.where(seen, self.law.base_measure(y, t), 0.0)

    def embedding(self, x: Array) -> Array:
        """Residuals of the one regression of all rows, alone and times each regressor: other slopes show there."""
        own = self.regressors
        features = np.empty((self.n_features(), x.shape[1]))
        self.features(x, features)
        z, y, t, offset = self._cells(features)
        eta = offset if own.frame.overall is None else own.frame.overall @ z + offset
        away = features[1] * (self.law.start(y, t) - eta) * np.sqrt(self.law.curvature(self.law.start(y, t), t))
        return np.asarray(away * z)

    def _cells(self, features: Array) -> tuple[Array, Array, Array, Array]:
        s, p = self._n_sums, self.regressors.p
        return features[s : s + p], features[s + p], features[s + p + 1], features[s + p + 2]

    def _terms(self, features: Array, parameters: GeneralizedParameters) -> tuple[Array, Array, Array]:
        """(R, K, n) each."""
        z, y, t, offset = self._cells(features)
        level, slope, curvature = self.law.terms(np.matmul(parameters.coefficients, z) + offset, y, t)
        return features[1] * level, features[1] * slope, features[1] * curvature

    def log_density(self, features: Array, parameters: GeneralizedParameters, offset: Array, out: Array) -> None:
        np.add(self._terms(features, parameters)[0], offset[..., None], out=out)

    def statistics(self, features: Array, responsibilities: Array, parameters: GeneralizedParameters | None) -> Array:
        if parameters is None:
            return exponential.statistics(features[: self._n_sums], responsibilities)
        z = self._cells(features)[0]
        level, slope, curvature = self._terms(features, parameters)
        return np.concatenate(
            [
                exponential.statistics(features[:2], responsibilities),
                np.add.reduce(responsibilities * level, axis=-1)[..., None],
                np.matmul(responsibilities * slope, z.T),
                np.matmul(responsibilities * curvature, self.regressors.squares(z).T),
            ],
            axis=-1,
        )

    def maximize(self, statistics: Array, parameters: GeneralizedParameters | None) -> GeneralizedParameters:
        own, p = self.regressors, self.regressors.p
        squares, seen = statistics[..., 3 + p :], np.maximum(statistics[..., 1], TINY)
        step = own.solved(squares, statistics[..., 3 : 3 + p])
        information = own.matrices(squares) / seen[..., None, None]
        if parameters is None:
            return GeneralizedParameters(step, own.typical(step.shape[:-1]), information)
        most = np.maximum(own.frame.reach * np.sqrt(dotted(step, step)), 1e-12)[..., None]
        coefficients = parameters.coefficients + np.log1p(most) / most * step
        return GeneralizedParameters(coefficients, parameters.typical, information)

    def n_parameters(self, n_components: int) -> int:
        return n_components * self.regressors.p

    def degenerate(self, parameters: GeneralizedParameters, support: Array) -> list[Degeneracy | None]:
        """The likelihood is bounded."""
        return [None] * len(support)

    def moments(self, parameters: GeneralizedParameters) -> tuple[Array, Array]:
        """Of the response to a typical row."""
        typical = parameters.typical
        eta = (parameters.coefficients * typical[..., :-2]).sum(axis=-1) + typical[..., -2]
        return self.regressors.around(*self.law.moments(eta, typical[..., -1]))

    def to_document(self, parameters: GeneralizedParameters) -> dict[str, Any]:
        own = self.regressors
        coefficients = own.in_units(parameters.coefficients).tolist()
        return {"coefficients": coefficients} | own.typical_to_document(parameters.typical)

    def from_document(self, document: Mapping[str, Any], n_components: int) -> GeneralizedParameters:
        own = self.regressors
        coefficients = own.from_units(own.coefficients_of(document, n_components))
        typical = own.typical_from_document(document, n_components)
        return GeneralizedParameters(coefficients, typical, own.flat((n_components,)))

    def expected_log_density(self, statistics: Array, parameters: GeneralizedParameters) -> Array:
        """Of the parabolas."""
        own, p, beta = self.regressors, self.regressors.p, parameters.coefficients
        bent = own.bent(statistics[..., 3 + p :], beta)
        return np.asarray(statistics[..., 2] + dotted(statistics[..., 3 : 3 + p] - 0.5 * bent, beta))

    def penalty_statistics(self, parameters: GeneralizedParameters, plain: bool) -> Array:
        """A typical row with the response that the one regression of all rows expects of it, as its parabola."""
        p, frame = self.regressors.p, self.regressors.frame
        pseudo = np.zeros((*parameters.coefficients.shape[:-1], self._n_sums))
        expected = np.zeros(1) if frame.overall is None else frame.overall[:1]
        trials = parameters.typical[..., -1]
        curvature = self.law.curvature(expected, trials)
        away = expected - (0.0 if plain else parameters.coefficients[..., 0])
        pseudo[..., :2] = 1.0
        pseudo[..., 2] = -0.5 * curvature * away**2
        pseudo[..., 3], pseudo[..., 3 + p] = curvature * away, curvature
        return pseudo

    def chart(self, parameters: GeneralizedParameters, weight: Array) -> GeneralizedChart:
        return GeneralizedChart(self, parameters, self.regressors.root(parameters.information, weight))

    def sample(self, parameters: GeneralizedParameters, labels: Integers, rng: np.random.Generator) -> Array:
        x, trials = self.regressors.drawn(len(labels), rng), self.regressors.roles.trials
        if trials is not None:
            x[trials] = np.maximum(np.rint(x[trials]), 0.0)
        return self._with_responses(x, parameters, labels, rng)

    def complete(self, x: Array, parameters: GeneralizedParameters, responsibilities: Array) -> Array:
        """With the mean of a missing response, made a count, given what it regresses on."""
        means = self.spread_of(x, parameters)[0]
        return self._filled(x, np.rint((means * responsibilities).sum(axis=0)))

    def draw(self, x: Array, parameters: GeneralizedParameters, labels: Integers, rng: np.random.Generator) -> Array:
        return self._filled(x, self._with_responses(x, parameters, labels, rng)[self.regressors.roles.response])

    def _filled(self, x: Array, responses: Array) -> Array:
        filled, at = x.copy(), self.regressors.roles.response
        filled[at] = np.where(np.isnan(x[at]), responses, x[at])
        return filled

    def _predictors(self, x: Array, parameters: GeneralizedParameters) -> Array:
        """(K, n)."""
        return np.asarray(parameters.coefficients @ self.regressors.z(x) + self.regressors.offset(x))

    def _with_responses(
        self, x: Array, parameters: GeneralizedParameters, labels: Integers, rng: np.random.Generator
    ) -> Array:
        drawn, eta = x.copy(), self._predictors(x, parameters)[labels, np.arange(len(labels))]
        drawn[self.regressors.roles.response] = self.law.sample(eta, self.regressors.trials(x), rng)
        return drawn

    def spread_of(self, x: Array, parameters: GeneralizedParameters) -> tuple[Array, Array]:
        """Means and standard deviations (K, n) of the responses to rows."""
        return self.law.moments(self._predictors(x, parameters), self.regressors.trials(x))


@dataclass(frozen=True, slots=True, eq=False)
class GeneralizedChart:
    """Coefficients in units of their information."""

    family: BoundGeneralized
    base: GeneralizedParameters
    root: Array  # (…, K, p, p)

    def coordinates(self, parameters: GeneralizedParameters) -> Array:
        steps = times(self.root.swapaxes(-1, -2), parameters.coefficients - self.base.coefficients)
        return steps.reshape(*steps.shape[:-2], -1)

    def parameters(self, u: Array) -> GeneralizedParameters:
        p = self.family.regressors.p
        steps = solved_for(self.root.swapaxes(-1, -2), u.reshape(*u.shape[:-1], -1, p))
        coefficients = self.base.coefficients + steps
        typical = np.broadcast_to(self.base.typical, (*coefficients.shape[:-1], p + 2))
        information = np.broadcast_to(self.base.information, (*coefficients.shape, p))
        return GeneralizedParameters(coefficients, typical.copy(), information.copy())

    def gradient(self, statistics: Array, parameters: GeneralizedParameters) -> Array:
        p = self.family.regressors.p
        slope = solved_for(self.root, statistics[..., 3 : 3 + p])
        return slope.reshape(*slope.shape[:-2], -1)
