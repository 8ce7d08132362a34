"""A response given its linear predictor η: log-likelihood, slope and curvature (McCullagh & Nelder 1989)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.families.distributions.gamma_function import stirling_rest
from em_cli.families.distributions.negative_binomial_sizes import rising
from em_cli.families.regression.dispersion import Dispersion, GammaShape, NegativeBinomialSize, by_count

SMALLEST_QUANTITY = 1e-300
LARGEST_PREDICTOR = 700.0  # whose exponential is a number

Terms = tuple[Array, Array, Array]  # log-likelihood less base measure, its slope and its negative curvature, by η


class Response(Protocol):
    """A response y among t trials, t being one where there are none; a is its dispersion, if its law has one.

    `counted` is whether it is whole, `blank` stands for one that is missing.
    """

    counted: ClassVar[bool]
    blank: ClassVar[float]
    dispersion: ClassVar[Dispersion | None]

    def allows(self, y: Array, t: Array) -> Flags: ...
    @property
    def requirement(self) -> str: ...
    def base_measure(self, y: Array, t: Array) -> Array: ...
    def terms(self, eta: Array, y: Array, t: Array, a: Array) -> Terms: ...
    def start(self, y: Array, t: Array) -> Array:
        """The predictor (n,) that nearly fits each response by itself."""

    def curvature(self, eta: Array, t: Array, a: Array) -> Array: ...
    def moments(self, eta: Array, t: Array, a: Array) -> tuple[Array, Array]:
        """Mean and standard deviation."""

    def sample(self, eta: Array, t: Array, a: Array, rng: np.random.Generator) -> Array: ...


@dataclass(frozen=True, slots=True)
class PoissonResponse:
    """Counts whose logarithmic mean is η."""

    requirement: ClassVar[str] = "a whole number ≥ 0"
    counted: ClassVar[bool] = True
    blank: ClassVar[float] = 0.0
    dispersion: ClassVar[Dispersion | None] = None

    def allows(self, y: Array, t: Array) -> Flags:
        return np.asarray((y >= 0) & (y == np.floor(y)))

    def base_measure(self, y: Array, t: Array) -> Array:
        from scipy.special import gammaln  # a quarter of a second to import: only where there are counts

        return np.asarray(-gammaln(y + 1))

    def terms(self, eta: Array, y: Array, t: Array, a: Array) -> Terms:
        mean = np.exp(np.minimum(eta, LARGEST_PREDICTOR))
        return y * eta - mean, y - mean, mean

    def start(self, y: Array, t: Array) -> Array:
        return np.asarray(np.log(y + 0.5))

    def curvature(self, eta: Array, t: Array, a: Array) -> Array:
        return np.asarray(np.exp(np.minimum(eta, LARGEST_PREDICTOR)))

    def moments(self, eta: Array, t: Array, a: Array) -> tuple[Array, Array]:
        mean = self.curvature(eta, t, a)
        return mean, np.sqrt(mean)

    def sample(self, eta: Array, t: Array, a: Array, rng: np.random.Generator) -> Array:
        return np.asarray(rng.poisson(np.exp(np.minimum(eta, 40.0))), np.float64)


@dataclass(frozen=True, slots=True)
class BinomialResponse:
    """Successes among trials, with log-odds η."""

    requirement: ClassVar[str] = "a whole number from 0 to the number of trials"
    counted: ClassVar[bool] = True
    blank: ClassVar[float] = 0.0
    dispersion: ClassVar[Dispersion | None] = None

    def allows(self, y: Array, t: Array) -> Flags:
        return np.asarray((y >= 0) & (y == np.floor(y)) & (t == np.floor(t)) & (y <= t))

    def base_measure(self, y: Array, t: Array) -> Array:
        from scipy.special import gammaln

        return np.asarray(gammaln(t + 1) - gammaln(y + 1) - gammaln(t - y + 1))

    def terms(self, eta: Array, y: Array, t: Array, a: Array) -> Terms:
        p = _expit(eta)
        return y * eta - t * np.logaddexp(0.0, eta), y - t * p, t * p * _expit(-eta)

    def start(self, y: Array, t: Array) -> Array:
        return np.asarray(np.log((y + 0.5) / (t - y + 0.5)))

    def curvature(self, eta: Array, t: Array, a: Array) -> Array:
        return t * _expit(eta) * _expit(-eta)

    def moments(self, eta: Array, t: Array, a: Array) -> tuple[Array, Array]:
        return t * _expit(eta), np.sqrt(self.curvature(eta, t, a))

    def sample(self, eta: Array, t: Array, a: Array, rng: np.random.Generator) -> Array:
        return np.asarray(rng.binomial(np.rint(t).astype(np.int64), _expit(eta)), np.float64)


@dataclass(frozen=True, slots=True)
class GammaResponse:
    """Quantities above zero whose logarithmic mean is η, with a shape: their relative standard deviation is one over
    its root."""

    requirement: ClassVar[str] = "above 0"
    counted: ClassVar[bool] = False
    blank: ClassVar[float] = 1.0
    dispersion: ClassVar[Dispersion | None] = GammaShape()

    def allows(self, y: Array, t: Array) -> Flags:
        return np.asarray(y > 0)

    def base_measure(self, y: Array, t: Array) -> Array:
        return np.asarray(-np.log(y))

    def terms(self, eta: Array, y: Array, t: Array, a: Array) -> Terms:
        away = np.minimum(np.log(y) - eta, LARGEST_PREDICTOR)
        excess = np.expm1(away)
        return stirling_rest(a) + a * (away - excess), a * excess, a * (1 + excess)

    def start(self, y: Array, t: Array) -> Array:
        return np.asarray(np.log(y))

    def curvature(self, eta: Array, t: Array, a: Array) -> Array:
        return np.broadcast_to(a, np.broadcast_shapes(np.shape(a), np.shape(eta)))

    def moments(self, eta: Array, t: Array, a: Array) -> tuple[Array, Array]:
        mean = np.exp(np.minimum(eta, LARGEST_PREDICTOR))
        return mean, mean / np.sqrt(a)

    def sample(self, eta: Array, t: Array, a: Array, rng: np.random.Generator) -> Array:
        mean = np.exp(np.minimum(eta, LARGEST_PREDICTOR))
        return np.maximum(rng.gamma(a, mean / a), SMALLEST_QUANTITY)


@dataclass(frozen=True, slots=True)
class NegativeBinomialResponse:
    """Counts whose logarithmic mean is η, with a size s: their variance is μ + μ²/s (NB2 of Cameron & Trivedi 1986)."""

    counted: ClassVar[bool] = True
    blank: ClassVar[float] = 0.0
    dispersion: ClassVar[Dispersion | None] = NegativeBinomialSize()

    def allows(self, y: Array, t: Array) -> Flags:
        return PoissonResponse().allows(y, t)

    @property
    def requirement(self) -> str:
        return PoissonResponse().requirement

    def base_measure(self, y: Array, t: Array) -> Array:
        return PoissonResponse().base_measure(y, t)

    def terms(self, eta: Array, y: Array, t: Array, a: Array) -> Terms:
        logits = eta - np.log(a)
        p, rest = _expit(logits), _expit(-logits)
        level = by_count(lambda counts: rising(counts, a), y) + y * eta - (y + a) * np.logaddexp(0.0, logits)
        return level, y * rest - a * p, (y + a) * p * rest

    def start(self, y: Array, t: Array) -> Array:
        return PoissonResponse().start(y, t)

    def curvature(self, eta: Array, t: Array, a: Array) -> Array:
        return np.asarray(a * _expit(eta - np.log(a)))

    def moments(self, eta: Array, t: Array, a: Array) -> tuple[Array, Array]:
        mean = np.exp(np.minimum(eta, LARGEST_PREDICTOR))
        return mean, np.sqrt(mean * (1 + mean / a))

    def sample(self, eta: Array, t: Array, a: Array, rng: np.random.Generator) -> Array:
        return np.asarray(rng.poisson(np.minimum(rng.gamma(a, np.exp(np.minimum(eta, 40.0)) / a), 1e17)), np.float64)


def _expit(eta: Array) -> Array:
    """Without overflow on either side."""
    small = np.exp(-np.abs(eta))
    return np.asarray(np.where(eta >= 0, 1.0, small) / (1.0 + small))


RESPONSES: dict[str, Response] = {
    "poisson": PoissonResponse(),
    "binomial": BinomialResponse(),
    "gamma": GammaResponse(),
    "negative_binomial": NegativeBinomialResponse(),
}
