"""A response given its linear predictor η: log-likelihood, slope and curvature (McCullagh & Nelder 1989)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from em_cli.engine.arrays import Array, Flags

LARGEST_PREDICTOR = 700.0  # whose exponential is a number

Terms = tuple[Array, Array, Array]  # log-likelihood less base measure, its slope and its negative curvature, by η


class Response(Protocol):
    """A response y among t trials; t is one where there are none."""

    def allows(self, y: Array, t: Array) -> Flags: ...
    @property
    def requirement(self) -> str: ...
    def base_measure(self, y: Array, t: Array) -> Array: ...
    def terms(self, eta: Array, y: Array, t: Array) -> Terms: ...
    def start(self, y: Array, t: Array) -> Array:
        """The predictor (n,) that nearly fits each response by itself."""

    def curvature(self, eta: Array, t: Array) -> Array: ...
    def moments(self, eta: Array, t: Array) -> tuple[Array, Array]:
        """Mean and standard deviation."""

    def sample(self, eta: Array, t: Array, rng: np.random.Generator) -> Array: ...


@dataclass(frozen=True, slots=True)
class PoissonResponse:
    """Counts whose logarithmic mean is η."""

    def allows(self, y: Array, t: Array) -> Flags:
        return np.asarray((y >= 0) & (y == np.floor(y)))

    @property
    def requirement(self) -> str:
        return "a whole number ≥ 0"

    def base_measure(self, y: Array, t: Array) -> Array:
        from scipy.special import gammaln  # a quarter of a second to import: only where there are counts

        return np.asarray(-gammaln(y + 1))

    def terms(self, eta: Array, y: Array, t: Array) -> Terms:
        mean = np.exp(np.minimum(eta, LARGEST_PREDICTOR))
        return y * eta - mean, y - mean, mean

    def start(self, y: Array, t: Array) -> Array:
        return np.asarray(np.log(y + 0.5))

    def curvature(self, eta: Array, t: Array) -> Array:
        return np.asarray(np.exp(np.minimum(eta, LARGEST_PREDICTOR)))

    def moments(self, eta: Array, t: Array) -> tuple[Array, Array]:
        mean = self.curvature(eta, t)
        return mean, np.sqrt(mean)

    def sample(self, eta: Array, t: Array, rng: np.random.Generator) -> Array:
        return np.asarray(rng.poisson(np.exp(np.minimum(eta, 40.0))), np.float64)


@dataclass(frozen=True, slots=True)
class BinomialResponse:
    """Successes among trials, with log-odds η."""

    def allows(self, y: Array, t: Array) -> Flags:
        return np.asarray((y >= 0) & (y == np.floor(y)) & (t == np.floor(t)) & (y <= t))

    @property
    def requirement(self) -> str:
        return "a whole number from 0 to the number of trials"

    def base_measure(self, y: Array, t: Array) -> Array:
        from scipy.special import gammaln

        return np.asarray(gammaln(t + 1) - gammaln(y + 1) - gammaln(t - y + 1))

    def terms(self, eta: Array, y: Array, t: Array) -> Terms:
        p = _expit(eta)
        return y * eta - t * np.logaddexp(0.0, eta), y - t * p, t * p * _expit(-eta)

    def start(self, y: Array, t: Array) -> Array:
        return np.asarray(np.log((y + 0.5) / (t - y + 0.5)))

    def curvature(self, eta: Array, t: Array) -> Array:
        return t * _expit(eta) * _expit(-eta)

    def moments(self, eta: Array, t: Array) -> tuple[Array, Array]:
        return t * _expit(eta), np.sqrt(self.curvature(eta, t))

    def sample(self, eta: Array, t: Array, rng: np.random.Generator) -> Array:
        return np.asarray(rng.binomial(np.rint(t).astype(np.int64), _expit(eta)), np.float64)


def _expit(eta: Array) -> Array:
    """Without overflow on either side."""
    small = np.exp(-np.abs(eta))
    return np.asarray(np.where(eta >= 0, 1.0, small) / (1.0 + small))


RESPONSES: dict[str, Response] = {"poisson": PoissonResponse(), "binomial": BinomialResponse()}
