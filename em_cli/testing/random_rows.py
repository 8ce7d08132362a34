"""Rows of every kind of column, in groups that are so far apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from em_cli.engine.arrays import Array, Flags, Integers

Kinds = tuple[str, ...]  # of the columns, as "real", "positive", "12 trials", or "3 levels"


def rows(kinds: Kinds, seed: int, n: int, separation: float = 4.0, k: int = 3) -> tuple[Array, Integers]:
    """Rows (D, n) in k groups `separation` standard deviations apart, and the group (n,) of each."""
    rng = np.random.default_rng((seed, n, k))
    labels = np.concatenate([np.arange(k), rng.integers(k, size=n - k)])
    places = np.stack([rng.permutation(k) for _ in kinds])[:, labels]
    noise = (np.eye(len(kinds)) + 0.3 * rng.standard_normal((len(kinds), len(kinds)))) @ rng.standard_normal(
        (len(kinds), n)
    )
    x = separation * places + noise
    scale = min(separation, 1e3)  # log x! takes the digits of larger ones
    counts = [j for j, kind in enumerate(kinds) if kind == "count"]
    x[counts] = rng.poisson(1 + scale * places[counts])
    for j, kind in enumerate(kinds):
        maker = next(
            (maker for ending, maker in MAKERS.items() if kind.startswith(ending) or kind.endswith(ending)), None
        )
        if maker is not None:
            x[j] = maker(rng, places[j], Groups(kind, k, separation, scale))
    return x, labels


@dataclass(frozen=True)
class Groups:
    kind: str
    k: int
    separation: float
    scale: float  # the same, but not so large that counts lose their digits

    def odds(self, places: Array) -> Array:
        """Places from -1/2 to 1/2."""
        return np.asarray(places / max(self.k - 1, 1) - 0.5)


def _inflated_counts(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    return np.where(rng.random(len(places)) < 0.3, 0.0, rng.poisson(1 + of.scale * places))


def _inflated_amounts(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    """Every third is zero, more in one group than in another."""
    return np.where(rng.random(len(places)) < 0.2 + 0.1 * places, 0.0, _skewed(rng, places, of))


def _inflated_numbers(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    numbers = of.separation * (places - 0.5) + rng.standard_normal(len(places))
    return np.where(rng.random(len(places)) < 0.2 + 0.1 * places, 0.0, numbers)


def _dispersed_counts(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    return rng.poisson(rng.gamma(3, 4 * (1 + min(of.scale, 30.0)) ** places / 3)).astype(np.float64)


def _successes(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    odds = np.exp(of.odds(places) * min(of.scale, 50.0))
    return np.asarray(rng.binomial(number_in(of.kind), odds / (1 + odds)), np.float64)


def _trials(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    return np.full(len(places), float(number_in(of.kind)))


def _positive(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    return rng.exponential((1 + of.scale) ** places)


def _skewed(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    """In logarithms, groups are 1.2 apart."""
    shape = (of.separation / 1.2) ** 2
    return rng.gamma(shape, np.exp(1.2 * places) / shape)


def _proportions(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    """Groups are evenly apart in the unit interval."""
    mean = (places + 1) / (of.k + 1)
    precision = max(mean.min() * (1 - mean.min()) * ((of.k + 1) * of.separation) ** 2 - 1, 1.0)
    return np.asarray(np.clip(rng.beta(precision * mean, precision * (1 - mean)), 1e-9, 1 - 1e-9), np.float64)


def _angles(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    """Groups are evenly apart on the circle."""
    noise = rng.vonmises(0.0, (of.separation * of.k / (2 * np.pi)) ** 2, len(places))
    return np.asarray(np.remainder(2 * np.pi * (places + 0.5) / of.k + noise, 2 * np.pi))


def _binary(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    far = 2 * np.tanh(of.separation / 2) if of.separation < 10 else of.scale
    return (rng.random(len(places)) < expit(2 * of.odds(places) * far)).astype(np.float64)


def _levels(rng: np.random.Generator, places: Array, of: Groups) -> Array:
    levels = np.arange(n_levels(of.kind))[:, None]
    logits = 0.4 * of.scale * (places % n_levels(of.kind) == levels)
    return np.asarray((logits + rng.gumbel(size=logits.shape)).argmax(axis=0), np.float64)


MAKERS: dict[str, Callable[[np.random.Generator, Array, Groups], Array]] = {
    "inflated count": _inflated_counts,
    "inflated skewed": _inflated_amounts,
    "inflated real": _inflated_numbers,
    "dispersed count": _dispersed_counts,
    "trials": _successes,
    "of ": _trials,
    "positive": _positive,
    "skewed": _skewed,
    "proportion": _proportions,
    "angle": _angles,
    "binary": _binary,
    "levels": _levels,
}  # by the beginning or the end of the kind; those of real columns and counts are drawn together


def real(kinds: Kinds) -> Flags:
    return np.array([kind == "real" for kind in kinds])


def measured(kinds: Kinds) -> Flags:
    """Which columns have units."""
    return np.array([kind.removeprefix("inflated ") in ("real", "positive", "skewed") for kind in kinds])


def n_levels(kind: str) -> int:
    return int(kind.removesuffix(" levels"))


def number_in(kind: str) -> int:
    return int(kind.removeprefix("of ").removesuffix(" trials"))


def with_gaps(x: Array, share: float, seed: int) -> Array:
    """The rows with some cells missing, but not all of one row, and one at least of each column."""
    rng = np.random.default_rng((seed, 77))
    missing = rng.random(x.shape) < share
    missing[:, 0], missing[:, 1] = False, np.arange(len(x)) > 0
    missing[rng.integers(len(x), size=x.shape[1]), np.arange(x.shape[1])] = False
    return np.where(missing, np.nan, x)


def axis(kind: str, low: float, high: float) -> tuple[Array, Array]:
    """Values that a column of this kind may have, and weights for sums or integrals over them."""
    if kind in ("inflated real", "inflated skewed"):
        nodes, masses = axis(kind.removeprefix("inflated "), low, high)
        return np.append(nodes, 0.0), np.append(masses, 1.0)
    if kind == "real":
        nodes = np.linspace(low, high, 2001)
        return nodes, np.full(2001, nodes[1] - nodes[0])
    if kind == "angle":
        nodes = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
        return nodes, np.full(2000, np.pi / 1000)
    if kind == "proportion":
        logits = np.linspace(-40, 30, 4001)  # there are no numbers so close to one as to zero
        return expit(logits), expit(logits) * expit(-logits) * (logits[1] - logits[0])
    if kind in ("positive", "skewed"):  # a sum over logarithms is exact to all digits, where the density falls off fast
        logs = np.linspace(-45, np.log(60 * high), 4001)
        return np.exp(logs), np.exp(logs) * (logs[1] - logs[0])
    if kind.endswith("count"):
        nodes = np.arange(np.ceil(high), dtype=np.float64)
    elif kind.startswith("of "):
        nodes = np.array([float(number_in(kind))])
    elif kind.endswith("trials"):
        nodes = np.arange(number_in(kind) + 1.0)
    else:
        nodes = np.arange(2.0 if kind == "binary" else n_levels(kind), dtype=np.float64)
    return nodes, np.ones(len(nodes))
