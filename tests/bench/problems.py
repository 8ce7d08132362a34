"""Mixtures to draw from, and the generated problems of the search benchmark.

Their seeds check: nothing is tuned on them, and no test uses them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Document = dict[str, Any]  # weights, means, covariances in scikit-learn's shapes
CHECK_SEED = 90_210
DRAWN_AT_ONCE = 1 << 15  # rows


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture by the matrix roots of its covariances, Σ = root rootᵀ."""

    weights: Array  # (K,)
    means: Array  # (K, D)
    roots: Array  # (K, D, D)

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Rows (D, n), with as many from each component as its weight says; no large temporaries."""
        (k, d), x = self.means.shape, np.empty((self.means.shape[1], n))
        edges = np.rint(np.cumsum([0.0, *self.weights]) / self.weights.sum() * n).astype(int)
        labels = np.repeat(np.arange(k, dtype=np.int16), np.diff(edges))
        rng.shuffle(labels)
        for first in range(0, n, DRAWN_AT_ONCE):
            here = labels[first : first + DRAWN_AT_ONCE]
            noise = rng.standard_normal((len(here), d))
            for c in range(k):
                rows = np.flatnonzero(here == c)
                x[:, first + rows] = (self.means[c] + noise[rows] @ self.roots[c].T).T
        return x

    def document(self, covariance: str) -> Document:
        """The truth, or what is nearest to it under the structure."""
        full = self.roots @ np.swapaxes(self.roots, 1, 2)
        variances = np.diagonal(full, axis1=1, axis2=2)
        shapes = {
            "full": full,
            "tied": np.einsum("k,kij->ij", self.weights, full),
            "diag": variances,
            "spherical": variances.mean(axis=1),
        }
        return {"weights": self.weights.copy(), "means": self.means.copy(), "covariances": shapes[covariance]}


@dataclass(frozen=True)
class Problem:
    name: str
    x: Array  # (D, n)
    k: int
    covariance: str
    known: float = -np.inf  # log-likelihood of the best fit known
    truth: Document | None = None  # where it was drawn from
    stretched: bool = False  # long thin clusters side by side


def rotation(rng: np.random.Generator, d: int) -> Array:
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    turned: Array = q * np.sign(np.diagonal(r))
    return turned


def random_roots(rng: np.random.Generator, k: int, d: int, stretch: float = 2.0) -> Array:
    """Turned at random, with axes between 1/stretch and stretch."""
    axes = stretch ** rng.uniform(-1, 1, (k, d))
    return np.stack([rotation(rng, d) * axis for axis in axes])


def equal(k: int) -> Array:
    return np.full(k, 1 / k)


def blobs(rng: np.random.Generator, k: int, d: int, spread: float, weights: Array | None = None) -> Mixture:
    """Centres `spread` apart in each column, by standard deviation; covariances of all shapes."""
    centres = spread * rng.standard_normal((k, d))
    return Mixture(equal(k) if weights is None else weights, centres, random_roots(rng, k, d))


def parallel(rng: np.random.Generator, d: int, stretch: float, apart: float) -> Mixture:
    """Three long thin clusters side by side, in directions that are nobody's column."""
    turn = rotation(rng, d)
    long = np.ones(d)
    long[0] = stretch
    centres = np.zeros((3, d))
    centres[:, 1] = apart * np.arange(3)
    return Mixture(equal(3), np.asarray(centres @ turn.T), np.stack([turn * long] * 3))


def crossing(rng: np.random.Generator) -> Mixture:
    """Three needles through almost the same place."""
    axes = np.array([[8.0, 0.6, 0.6], [0.6, 8.0, 0.6], [0.6, 0.6, 8.0]])
    turn = rotation(rng, 3)
    return Mixture(np.array([0.5, 0.3, 0.2]), rng.standard_normal((3, 3)), turn * axes[:, None, :])


def diagonal(rng: np.random.Generator, k: int, d: int, spread: float) -> Mixture:
    axes = 2.0 ** rng.uniform(-1, 1, (k, d))
    return Mixture(equal(k), spread * rng.standard_normal((k, d)), axes[:, :, None] * np.eye(d))


def one_shape(rng: np.random.Generator, k: int, d: int, spread: float) -> Mixture:
    return Mixture(equal(k), spread * rng.standard_normal((k, d)), np.repeat(random_roots(rng, 1, d, 4.0), k, axis=0))


def grid(side: int, apart: float) -> Mixture:
    corners = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2).astype(np.float64)
    return Mixture(equal(side**2), apart * corners, np.repeat(np.eye(2)[None], side**2, axis=0))


def overlapping_groups() -> Mixture:
    """Four groups in four columns, of which no two are apart."""
    return blobs(np.random.default_rng(CHECK_SEED), 4, 4, 1.2)


MAKERS: dict[str, tuple[Callable[[np.random.Generator], Mixture], str, int]] = {
    "separated": (lambda rng: blobs(rng, 5, 3, 5.0), "full", 1_000),
    "overlapping": (lambda rng: blobs(rng, 4, 4, 1.5), "full", 1_500),
    "twenty columns": (lambda rng: blobs(rng, 6, 20, 1.0), "full", 3_000),
    "fifty components": (lambda rng: blobs(rng, 50, 2, 12.0), "full", 5_000),
    "sizes 100:1": (lambda rng: blobs(rng, 4, 3, 3.0, np.array([100, 30, 10, 1]) / 141), "full", 6_000),
    "stretched in 10-D": (lambda rng: parallel(rng, 10, 15.0, 6.0), "full", 1_500),
    "stretched 20×": (lambda rng: parallel(rng, 2, 20.0, 3.5), "full", 600),
    "needles": (crossing, "full", 900),
    "diagonal": (lambda rng: diagonal(rng, 8, 8, 1.5), "diag", 2_000),
    "one shape": (lambda rng: one_shape(rng, 10, 5, 3.0), "tied", 2_000),
    "grid": (lambda rng: grid(5, 3.5), "spherical", 2_500),
}


def generated() -> list[Problem]:
    problems = []
    for number, (name, (make, covariance, n)) in enumerate(MAKERS.items()):
        rng = np.random.default_rng((CHECK_SEED, number))
        mixture = make(rng)
        x, truth = mixture.draw(n, rng), mixture.document(covariance)
        problems.append(
            Problem(name, x, len(mixture.weights), covariance, truth=truth, stretched=name.startswith("stretched"))
        )
    return problems
