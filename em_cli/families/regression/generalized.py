"""Regressions of counts, of successes among trials and of quantities above zero, bound to data."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import positive
from em_cli.engine.family import Degeneracy
from em_cli.families.regression.dispersion import LARGEST_SHAPE, DispersionChart, GammaShape
from em_cli.families.regression.generalized_chart import GeneralizedChart, GeneralizedParameters
from em_cli.families.regression.regressors import Regressors, dotted, tight_errors
from em_cli.families.regression.responses import Response, Terms

TINY = 1e-300


class _Last(threading.local):
    """What the log-densities of rows were computed with, till the statistics of the same rows are."""

    known: tuple[Array, GeneralizedParameters, Terms] | None = None

    def taken(self, features: Array, parameters: GeneralizedParameters) -> Terms | None:
        known, self.known = self.known, None
        return known[2] if known and known[0] is features and known[1] is parameters else None


_last = _Last()


@dataclass(frozen=True, slots=True, eq=False)
class BoundGeneralized:
    """Statistics are N = Σr, Σr where there is a response, and Σr of a parabola c + b z'β − w (z'β)²/2 in its products.

    It touches the log-likelihood of a row midway between where the row, and where all rows as one regression, would
    have it best; or in the frame of parameters at these. From the first, the M-step is least squares, and the worth of
    a move is a guess; from the second, it is a Newton step. That is cut to log(1 + m)/m of it, where all of it would
    move no predictor by more than m: curvatures of Poisson and binomial log-likelihoods change no faster than exp(m),
    so that it never descends (Bach 2010). So do those of gamma and negative binomial laws, whatever the dispersion; of
    these there are two sums more, by which it is improved where the coefficients are as they were.
    """

    exponential: ClassVar[None] = None
    reweighting: ClassVar[None] = None
    elliptic: ClassVar[None] = None
    approximate: ClassVar[None] = None

    regressors: Regressors
    law: Response

    @property
    def quantities(self) -> dict[str, Quantity]:
        beside = {} if self.law.dispersion is None else {self.law.dispersion.name: Quantity.POSITIVE}
        return {**beside, **self.regressors.quantities}

    @property
    def penalty(self) -> BoundGeneralized:
        return self

    @property
    def completing(self) -> BoundGeneralized:
        return self

    @property
    def coupled(self) -> bool:
        return self.regressors.c > 0

    @property
    def _n_sums(self) -> int:
        p = self.regressors.p
        return 3 + p + p * (p + 1) // 2 + (2 if self.law.dispersion else 0)

    def n_features(self) -> int:
        return self._n_sums + self.regressors.p + 3

    def features(self, x: Array, out: Array) -> None:
        """Those of the plain statistics; then z, response, trials and offset, and no curvature where there is none."""
        own, p, s = self.regressors, self.regressors.p, self._n_sums
        z, y, t, offset = own.z(x), own.response(x), own.trials(x), own.offset(x)
        seen = own.observed(x, z)
        if not seen.all():
            z, t, offset = (np.where(seen, part, 0.0) for part in (z, t, offset))
            y = np.where(seen, y, self.law.blank)
        touched = 0.5 * (self.law.start(y, t) + self._anchor(z) + offset)
        level, slope, curvature = self.law.terms(touched, y, t, self._plainly)
        away = offset - touched  # of a predictor of zero
        out[0], out[1] = 1.0, seen
        out[2] = seen * (level + slope * away - 0.5 * curvature * away**2)
        out[3 : 3 + p] = (slope - curvature * away) * z
        if self.law.dispersion is not None:
            out[s - 2], out[s - 1] = seen * y, seen * y**2
        out[3 + p : 3 + p + len(own.pairs[0])] = curvature * own.squares(z)
        out[s : s + p], out[s + p], out[s + p + 1], out[s + p + 2] = z, y, t, offset

    @property
    def _plainly(self) -> Array:
        """The dispersion that plain statistics are of."""
        scaled = isinstance(self.law.dispersion, GammaShape)
        return np.array(1.0 if scaled else self.regressors.frame.spread)

    @property
    def _mean(self) -> float:
        """Of a typical response."""
        frame = self.regressors.frame
        eta = 0.0 if frame.overall is None else float(frame.overall[0])
        return float(np.exp(np.clip(eta, -40.0, 40.0)))

    @property
    def _largest(self) -> float:
        """Shape, beyond which a quantity varies less than it was rounded; sizes have another end."""
        if not isinstance(self.law.dispersion, GammaShape):
            return float("inf")
        rounding = max(self.regressors.frame.rounding, 1e-12 * self._mean)
        return min(12 * (self._mean / rounding) ** 2, LARGEST_SHAPE)

    def _anchor(self, z: Array) -> Array:
        """(n,) the predictors, less offsets, of the one regression of all rows; of their mean if it is unknown."""
        frame = self.regressors.frame
        if frame.overall is not None:
            return frame.overall @ z
        mean = np.full(z.shape[1], max(frame.response[0] + frame.offset, 0.0) or self.law.blank)
        own = self.regressors.roles
        trials = frame.trials if own.trials is not None else own.n_trials
        return self.law.start(mean, np.maximum(trials, mean))

    def base_measure(self, x: Array) -> Array:
        own = self.regressors
        seen = own.observed(x, own.z(x))
        y, t = np.where(seen, own.response(x), self.law.blank), np.where(seen, own.trials(x), 0.0)
        return np.where(seen, self.law.base_measure(y, t), 0.0)

    def embedding(self, x: Array) -> Array:
        """Residuals of the one regression of all rows, alone and times each regressor: other slopes show there."""
        own = self.regressors
        features = np.empty((self.n_features(), x.shape[1]))
        self.features(x, features)
        z, y, t, offset = self._cells(features)
        eta = offset if own.frame.overall is None else own.frame.overall @ z + offset
        own_best, spread = self.law.start(y, t), np.array(own.frame.spread)
        away = features[1] * (own_best - eta) * np.sqrt(self.law.curvature(own_best, t, spread))
        return np.asarray(away * z[: own.f])

    def _cells(self, features: Array) -> tuple[Array, Array, Array, Array]:
        s, p = self._n_sums, self.regressors.p
        return features[s : s + p], features[s + p], features[s + p + 1], features[s + p + 2]

    def _terms(self, features: Array, parameters: GeneralizedParameters) -> Terms:
        """(R, K, n) each, as if every response were seen."""
        z, y, t, offset = self._cells(features)
        eta = np.matmul(parameters.coefficients, z) + offset
        return self.law.terms(eta, y, t, parameters.dispersion[..., None])

    def log_density(self, features: Array, parameters: GeneralizedParameters, offset: Array, out: Array) -> None:
        terms = self._terms(features, parameters)
        _last.known = features, parameters, terms
        np.multiply(features[1], terms[0], out=out)
        np.add(out, offset[..., None], out=out)

    def statistics(self, features: Array, responsibilities: Array, parameters: GeneralizedParameters | None) -> Array:
        if parameters is None:
            return exponential_family.statistics(features[: self._n_sums], responsibilities)
        z, masses = self._cells(features)[0], responsibilities * features[1]
        level, slope, curvature = _last.taken(features, parameters) or self._terms(features, parameters)
        sums = [
            exponential_family.statistics(features[:2], responsibilities),
            np.add.reduce(masses * level, axis=-1)[..., None],
            np.matmul(masses * slope, z.T),
            np.matmul(masses * curvature, self.regressors.squares(z).T),
        ]
        if self.law.dispersion is not None:
            y, offset = features[self._n_sums + self.regressors.p], features[-1]
            eta = np.matmul(parameters.coefficients, z) + offset
            own = self.law.dispersion.sums(eta, y, parameters.dispersion[..., None])
            sums += [np.add.reduce(masses * part, axis=-1)[..., None] for part in own]
        return np.concatenate(sums, axis=-1)

    def maximize(self, statistics: Array, parameters: GeneralizedParameters | None) -> GeneralizedParameters:
        own, p = self.regressors, self.regressors.p
        squares, seen = self._squares(statistics), np.maximum(statistics[..., 1], TINY)
        step = own.solved(squares, statistics[..., 3 : 3 + p])
        information = own.matrices(squares) / seen[..., None, None]
        dispersion = self._dispersion(statistics, parameters, step)
        if parameters is None:
            nothing = np.zeros(step.shape[:-1])
            return GeneralizedParameters(step, dispersion, own.typical(step.shape[:-1]), information, nothing)
        told = parameters.told
        if self.law.dispersion is not None:
            sums = statistics[..., -2], statistics[..., -1]
            told = self.law.dispersion.observed(parameters.dispersion, sums, self._mean) / seen
        most = np.maximum(own.frame.reach * np.sqrt(dotted(step, step)), 1e-12)[..., None]
        if own.c:  # a step of all components together
            most = np.maximum.reduce(most, axis=-2, keepdims=True)
        coefficients = parameters.coefficients + np.log1p(most) / most * step
        return GeneralizedParameters(coefficients, dispersion, parameters.typical, information, told)

    def _squares(self, statistics: Array) -> Array:
        """(R, K, q) the sums of products of two regressors."""
        first = 3 + self.regressors.p
        return statistics[..., first : first + len(self.regressors.pairs[0])]

    def _dispersion(self, statistics: Array, parameters: GeneralizedParameters | None, step: Array) -> Array:
        """(R, K)."""
        own, p = self.law.dispersion, self.regressors.p
        if own is None:
            return np.ones(step.shape[:-1])
        seen = statistics[..., 1]
        if parameters is None:
            level = statistics[..., 2] + 0.5 * dotted(statistics[..., 3 : 3 + p], step)
            told = np.maximum(seen, TINY)
            mean, square = statistics[..., -2] / told, statistics[..., -1] / told
            return own.guess(level / told, mean, square, self.regressors.frame.spread)
        sums = statistics[..., -2], statistics[..., -1]
        means = self._typical_means(parameters)
        return own.maximized(parameters.dispersion, seen, sums, means, self._mean, self._largest)

    def _typical_means(self, parameters: GeneralizedParameters) -> Array:
        """(…, K) of responses to a typical row."""
        return np.asarray(np.exp(np.clip(parameters.coefficients[..., 0], -40.0, 40.0)))

    def n_parameters(self, n_components: int) -> int:
        return n_components * (self.regressors.f + (1 if self.law.dispersion else 0)) + self.regressors.c

    def degenerate(self, parameters: GeneralizedParameters, support: Array) -> list[Degeneracy | None]:
        """Quantities may follow from regressors; other likelihoods are bounded."""
        if not isinstance(self.law.dispersion, GammaShape):
            return [None] * len(support)
        relative = self.regressors.frame.spread / parameters.dispersion
        at_resolution = parameters.dispersion >= self._largest * (1 - 1e-6)
        return tight_errors(relative, at_resolution, support, self.regressors.f + 1)

    def moments(self, parameters: GeneralizedParameters) -> tuple[Array, Array]:
        """Of the response to a typical row."""
        typical = parameters.typical
        eta = (parameters.coefficients * typical[..., :-2]).sum(axis=-1) + typical[..., -2]
        return self.regressors.around(*self.law.moments(eta, typical[..., -1], parameters.dispersion))

    def to_document(self, parameters: GeneralizedParameters) -> dict[str, object]:
        own = self.regressors
        coefficients = own.in_units(parameters.coefficients).tolist()
        beside = {} if self.law.dispersion is None else {self.law.dispersion.name: parameters.dispersion.tolist()}
        return {"coefficients": coefficients} | beside | own.typical_to_document(parameters.typical)

    def from_document(self, document: Mapping[str, object], n_components: int) -> GeneralizedParameters:
        own = self.regressors
        coefficients = own.from_units(own.coefficients_of(document, n_components))
        typical = own.typical_from_document(document, n_components)
        dispersion = np.ones(n_components)
        if self.law.dispersion is not None:
            dispersion = positive(document, self.law.dispersion.name, n_components)
        return GeneralizedParameters(coefficients, dispersion, typical, own.flat((n_components,)), 0 * dispersion)

    def expected_log_density(self, statistics: Array, parameters: GeneralizedParameters) -> Array:
        """Of the parabolas."""
        own, p, beta = self.regressors, self.regressors.p, parameters.coefficients
        bent = own.bent(self._squares(statistics), beta)
        found = np.asarray(statistics[..., 2] + dotted(statistics[..., 3 : 3 + p] - 0.5 * bent, beta))
        if self.law.dispersion is None:
            return found
        return self.law.dispersion.expected(found, statistics[..., 1], parameters.dispersion)

    def penalty_statistics(self, parameters: GeneralizedParameters, plain: bool) -> Array:
        """A typical row with the response that the one regression of all rows expects of it, as its parabola.

        One that is above zero is spread as all are about that regression, wherever the component runs.
        """
        p, frame = self.regressors.p, self.regressors.frame
        pseudo = np.zeros((*parameters.coefficients.shape[:-1], self._n_sums))
        pseudo[..., :2] = 1.0
        if isinstance(self.law.dispersion, GammaShape):
            pseudo[..., -2] = self.law.dispersion.typical(frame.spread)
            pseudo[..., 2] = pseudo[..., -2] - 1 if plain else 0.0
            return pseudo
        expected = np.zeros(1) if frame.overall is None else frame.overall[:1]
        curvature = self.law.curvature(expected, parameters.typical[..., -1], np.array(frame.spread))
        away = expected - (0.0 if plain else parameters.coefficients[..., 0])
        pseudo[..., 2] = -0.5 * curvature * away**2
        pseudo[..., 3], pseudo[..., 3 + p] = curvature * away, curvature
        return pseudo

    def chart(self, parameters: GeneralizedParameters, weight: Array) -> GeneralizedChart:
        """Of dispersions too, if there are any."""
        steps, chart = self.regressors.chart(parameters.information, weight), None
        if self.law.dispersion is not None:
            about = parameters.dispersion, weight, self._typical_means(parameters), parameters.told
            chart = DispersionChart(self.law.dispersion, *about, self._mean, self._largest)
        return GeneralizedChart(self.regressors, parameters, steps, chart)

    def sample(self, parameters: GeneralizedParameters, labels: Integers, rng: np.random.Generator) -> Array:
        x, trials = self.regressors.drawn(len(labels), rng), self.regressors.roles.trials
        if trials is not None:
            x[trials] = np.maximum(np.rint(x[trials]), 0.0)
        return self._with_responses(x, parameters, labels, rng)

    def complete(self, x: Array, parameters: GeneralizedParameters, responsibilities: Array) -> Array:
        """With the mean of a missing response, made a count if it is one, given what it regresses on."""
        means = self.spread_of(x, parameters)[0]
        filled = (means * responsibilities).sum(axis=0)
        return self._filled(x, np.rint(filled) if self.law.counted else filled)

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
        trials, dispersion = self.regressors.trials(x), parameters.dispersion[labels]
        drawn[self.regressors.roles.response] = self.law.sample(eta, trials, dispersion, rng)
        return drawn

    def spread_of(self, x: Array, parameters: GeneralizedParameters) -> tuple[Array, Array]:
        """Means and standard deviations (K, n) of the responses to rows."""
        eta, trials = self._predictors(x, parameters), self.regressors.trials(x)
        return self.law.moments(eta, trials, parameters.dispersion[:, None])
