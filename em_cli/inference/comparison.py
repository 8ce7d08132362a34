"""Two models of the same rows: whose density is higher, and do they group the rows alike?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.inference.tails import above

FEWEST_UNITS = 10  # sequences or groups that tell how the gain varies


@dataclass(frozen=True, slots=True)
class DensityTest:
    """Vuong's (1989) test for models that are not nested, with the penalty of BIC for their parameters."""

    mean: float  # nats per row by which the first is above the second
    standard_error: float | None  # none of few units
    z: float  # of the penalised sum; none (NaN) where the densities are the same


@dataclass(frozen=True, slots=True)
class Gains:
    """Sums over units: by how much one density is above another, in nats; they add over parts of the units."""

    n: int
    weight: float  # Σ w
    squares: float  # Σ w²
    mean: float  # Σ w g / Σ w
    scatter: float  # Σ w (g − mean)²

    @classmethod
    def of(cls, gain: Array, weights: Array) -> Gains:
        """Of units (n,)."""
        weight = float(weights.sum())
        mean = float((weights * gain).sum() / weight) if weight else 0.0
        scatter = float((weights * (gain - mean) ** 2).sum())
        return cls(len(gain), weight, float(np.square(weights).sum()), mean, scatter)

    def __add__(self, other: Gains) -> Gains:
        weight = self.weight + other.weight
        apart, share = other.mean - self.mean, other.weight / weight if weight else 0.0
        return Gains(
            self.n + other.n,
            weight,
            self.squares + other.squares,
            self.mean + share * apart,
            self.scatter + other.scatter + self.weight * share * apart**2,  # Chan, Golub & LeVeque (1983)
        )

    def size(self, frequencies: bool) -> float:
        """How many rows they count: weights are equal rows, or those of a sample, worth as many rows as have the
        variance (Kish 1965)."""
        return self.weight if frequencies else self.weight**2 / self.squares


def of_units(gain: Array, weights: Array, units: Integers) -> Gains:
    """Of sequences or groups, whose rows (n,) depend on each other; each has the weight of its rows."""
    _, first_row, of_row = np.unique(units, return_index=True, return_inverse=True)
    return Gains.of(np.bincount(of_row, gain).astype(np.float64), weights[first_row])


def vuong(rows: Gains, units: Gains | None, more_parameters: int, frequencies: bool = True) -> DensityTest:
    """Of gains by row, and by unit where rows depend on each other; the first has so many more parameters."""
    if units is not None and units.n < FEWEST_UNITS:
        return DensityTest(rows.mean, None, np.nan)
    penalty, own = more_parameters / 2 * np.log(rows.size(frequencies)), units or rows
    n = own.size(frequencies)
    spread = float(np.sqrt(n * own.scatter / own.weight))  # of the sum of so many
    z = (n * own.mean - penalty) / spread if spread > 0 else np.nan
    return DensityTest(rows.mean, spread / rows.size(frequencies), float(z))


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
    statistic = 2 * (wide - narrow)
    return LikelihoodRatio(statistic, df, above(statistic, df)) if statistic >= 0 and df > 0 else None


def crosstab(first: Integers, second: Integers, weights: Array, shape: tuple[int, int]) -> Array:
    """How much of the rows (n,) is in each pair of classes of two partitions."""
    return np.bincount(first * shape[1] + second, weights, shape[0] * shape[1]).astype(np.float64).reshape(shape)


def adjusted_rand(counts: Array) -> float:
    """Agreement of two partitions by their cross-classification, zero by chance and one for the same (Hubert & Arabie
    1985)."""

    def pairs(sizes: Array) -> float:
        return float((sizes * (sizes - 1) / 2).sum())

    together, total = pairs(counts), pairs(np.array([counts.sum()]))
    rows, columns = pairs(counts.sum(axis=1)), pairs(counts.sum(axis=0))
    expected = rows * columns / total if total else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def entropy(responsibilities: Array, weights: Array) -> float:
    """Of the responsibilities (K, n), in nats over all rows."""
    surprise = np.where(responsibilities > 0, -np.log(np.maximum(responsibilities, 1e-300)), 0.0)
    return float((weights * responsibilities * surprise).sum())
