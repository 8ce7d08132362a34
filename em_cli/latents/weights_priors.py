"""Priors of mixing weights whose posteriors are of their own form: a Dirichlet distribution, and sticks broken.

Of a Dirichlet process (Blei & Jordan 2006) the first K sticks are there: π_k = v_k Π_{j<k} (1 − v_j), v_k ~ Beta(1, γ).
The largest component takes the first stick, the next one the second: no other order is worth more (Kurihara, Welling &
Teh 2007), so the components may be in any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.errors import UsageError
from em_cli.latents.dirichlet import Dirichlet

DRAWS = 20_000  # of weights whose quantiles have no closed form
ENDS = (0.025, 0.975)


def _checked(concentration: float | None) -> None:
    if concentration is not None and not 0 < concentration < float("inf"):
        raise UsageError(f"the concentration of prior.weights must be above 0, not {concentration!r}.")


@dataclass(frozen=True, slots=True)
class DirichletWeights:
    """π ~ Dirichlet(α, …, α); counts are α + N_k."""

    concentration: float | None = None  # α; None for 1/K
    name = "dirichlet"

    def __post_init__(self) -> None:
        _checked(self.concentration)

    def _prior(self, n_components: int) -> Dirichlet:
        return Dirichlet(1 / n_components if self.concentration is None else self.concentration)

    def posterior(self, weight: Array) -> Array:
        k = weight.shape[-1]
        counts: Array = (self._prior(k).statistics(k) + 1 + weight)[..., None]
        return counts

    def expected(self, counts: Array) -> Array:
        own = counts[..., 0]
        expected: Array = own / np.add.reduce(own, axis=-1, keepdims=True)
        return expected

    def expected_log(self, counts: Array) -> Array:
        return self._prior(counts.shape[-2]).expected_natural(counts[..., 0] - 1)

    def divergence(self, counts: Array) -> Array:
        prior, k = self._prior(counts.shape[-2]), counts.shape[-2]
        at, own = counts[..., 0] - 1, prior.statistics(k)
        gained = np.add.reduce((at - own) * prior.expected_natural(at), axis=-1)
        return np.asarray(gained - prior.log_normaliser(at) + prior.log_normaliser(own))

    def intervals(self, counts: Array) -> Array:
        from scipy.special import betaincinv

        own = counts[..., 0]
        rest = np.add.reduce(own, axis=-1, keepdims=True) - own
        if len(own) == 1:
            return np.ones((1, 2))
        return np.asarray(betaincinv(own[..., None], rest[..., None], np.array(ENDS)), np.float64)

    def told(self, n_components: int) -> dict[str, object]:
        return {"weight_concentration_prior": float(self._prior(n_components).concentration)}


@dataclass(frozen=True, slots=True)
class StickBreaking:
    """Counts are a and b of each stick's Beta(a, b), in the order of the components."""

    concentration: float | None = None  # γ; None for 1/K
    name = "process"

    def __post_init__(self) -> None:
        _checked(self.concentration)

    def _gamma(self, n_components: int) -> float:
        return 1 / n_components if self.concentration is None else self.concentration

    def posterior(self, weight: Array) -> Array:
        order = np.argsort(-weight, axis=-1, kind="stable")
        own = np.take_along_axis(weight, order, axis=-1)
        beyond = np.flip(np.add.accumulate(np.flip(own, axis=-1), axis=-1), axis=-1) - own
        counts = np.empty((*weight.shape, 2))
        ordered = np.stack([1 + own, self._gamma(weight.shape[-1]) + np.maximum(beyond, 0.0)], axis=-1)
        np.put_along_axis(counts, order[..., None], ordered, axis=-2)
        return counts

    def _order(self, counts: Array) -> Integers:
        """(…, K) of the sticks: what lies beyond them falls."""
        order: Integers = np.lexsort((-counts[..., 0], -counts[..., 1]), axis=-1)
        return order

    def _beyond(self, of_rest: Array, order: Integers) -> Array:
        """(…, K) sums over the sticks that come before."""
        ordered = np.take_along_axis(of_rest, order, axis=-1)
        before = np.add.accumulate(ordered, axis=-1) - ordered
        found = np.empty_like(of_rest)
        np.put_along_axis(found, order, before, axis=-1)
        return found

    def expected(self, counts: Array) -> Array:
        a, b = counts[..., 0], counts[..., 1]
        before = self._beyond(np.log(b / (a + b)), self._order(counts))
        expected: Array = a / (a + b) * np.exp(before)
        return expected

    def expected_log(self, counts: Array) -> Array:
        from scipy.special import digamma

        a, b = counts[..., 0], counts[..., 1]
        both = digamma(a + b)
        expected: Array = digamma(a) - both + self._beyond(digamma(b) - both, self._order(counts))
        return expected

    def divergence(self, counts: Array) -> Array:
        from scipy.special import betaln, digamma

        a, b, gamma = counts[..., 0], counts[..., 1], self._gamma(counts.shape[-2])
        both = digamma(a + b)
        own = (a - 1) * (digamma(a) - both) + (b - gamma) * (digamma(b) - both) - betaln(a, b) + betaln(1.0, gamma)
        return np.asarray(np.add.reduce(own, axis=-1))

    def intervals(self, counts: Array) -> Array:
        """By draws, always the same, of weights that sum to one."""
        order = self._order(counts)
        sticks = np.random.default_rng(0).beta(counts[order, 0], counts[order, 1], (DRAWS, len(order)))
        left = np.cumprod(np.concatenate([np.ones((DRAWS, 1)), 1 - sticks[:, :-1]], axis=1), axis=1)
        weights = np.empty_like(sticks)
        weights[:, order] = sticks * left
        return np.asarray(np.quantile(weights / weights.sum(axis=1, keepdims=True), ENDS, axis=0).T)

    def told(self, n_components: int) -> dict[str, object]:
        return {"weight_concentration_prior": self._gamma(n_components)}
