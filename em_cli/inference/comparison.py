"""Two models of the same rows: whose density is higher, and do they group the rows alike?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers

FEWEST_UNITS = 10  # sequences or groups that tell how the gain varies


@dataclass(frozen=True, slots=True)
class DensityTest:
    """Vuong's (1989) test for models that are not nested, with the penalty of BIC for their parameters."""

    mean: float  # nats per row by which the first is above the second
    standard_error: float | None  # none of few units
    z: float  # of the penalised sum; none (NaN) where the densities are the same


def vuong(
    first: Array,
    second: Array,
    more_parameters: int,
    weights: Array | None = None,
    frequencies: bool = True,
    units: Integers | None = None,
) -> DensityTest:
    """Of log-densities (n,) of the same rows; the first has so many more parameters.

    Weights count equal rows, or are those of a sample, worth as many rows as have the variance (Kish 1965). Rows of
    the same of some `units` (n,), which are sequences or groups, depend on each other; these do not.
    """
    gain, w = first - second, np.ones(len(first)) if weights is None else weights
    n_rows = float(w.sum() if frequencies else w.sum() ** 2 / np.square(w).sum())
    mean, penalty = float((w * gain).sum() / w.sum()), more_parameters / 2 * np.log(n_rows)
    if units is not None:
        _, first_row, of_row = np.unique(units, return_index=True, return_inverse=True)
        gain, w = np.bincount(of_row, gain).astype(np.float64), w[first_row]
        if len(gain) < FEWEST_UNITS:
            return DensityTest(mean, None, np.nan)
    n = float(w.sum() if frequencies else w.sum() ** 2 / np.square(w).sum())
    middle = float((w * gain).sum() / w.sum())
    spread = float(np.sqrt(n * (w * (gain - middle) ** 2).sum() / w.sum()))  # of the sum of so many
    z = (n * middle - penalty) / spread if spread > 0 else np.nan
    return DensityTest(mean, spread / n_rows, float(z))


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    statistic: float
    df: int
    p: float


def in_letters(structure: str) -> bool:
    """Whether this is a covariance structure in the letters that mclust has for volume, shape and orientation."""
    return not set(structure) - set("IEV")


def nested(narrow: str, wide: str) -> bool:
    """Whether one covariance structure, in mclust's letters, is the other with parameters held."""
    if not (in_letters(narrow) and in_letters(wide)):
        return False
    order = ["IEV".index(letter) for letter in narrow], ["IEV".index(letter) for letter in wide]
    return narrow != wide and len(narrow) == len(wide) and all(a <= b for a, b in zip(*order, strict=True))


def likelihood_ratio(narrow: float, wide: float, df: int) -> LikelihoodRatio | None:
    """Of log-likelihoods of regular nested models (Wilks 1938); None where the wider one has not reached the narrow."""
    from scipy.special import chdtrc

    statistic = 2 * (wide - narrow)
    return LikelihoodRatio(statistic, df, float(chdtrc(df, statistic))) if statistic >= 0 and df > 0 else None


def adjusted_rand(first: Integers, second: Integers, weights: Array | None = None) -> float:
    """Agreement of two partitions (n,), zero by chance and one for the same (Hubert & Arabie 1985).

    Weights say how many rows each is.
    """
    counts = np.zeros((first.max(initial=0) + 1, second.max(initial=0) + 1))
    np.add.at(counts, (first, second), 1.0 if weights is None else weights)

    def pairs(sizes: Array) -> float:
        return float((sizes * (sizes - 1) / 2).sum())

    together, total = pairs(counts), pairs(np.array([counts.sum()]))
    rows, columns = pairs(counts.sum(axis=1)), pairs(counts.sum(axis=0))
    expected = rows * columns / total if total else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def entropy_r2(responsibilities: Array, weights: Array | None = None) -> float | None:
    """One minus the entropy of the responsibilities (K, n), beside that of knowing nothing; None for one component."""
    k, n = responsibilities.shape
    w = np.ones(n) if weights is None else weights
    if k == 1:
        return None
    surprise = np.where(responsibilities > 0, -np.log(np.maximum(responsibilities, 1e-300)), 0.0)
    return float(1 - (w * responsibilities * surprise).sum() / (w.sum() * np.log(k)))
