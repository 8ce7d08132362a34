"""The information of a mixture of exponential families by one pass over the rows (Louis 1982).

The log-density of a component is linear in the features of a row, and so is its slope along a coordinate. With the
slopes D of the components, under the responsibilities r, a row has the score s = Σ r D; minus the Hessian of its
log-likelihood is s sᵀ - Σ r D Dᵀ, and beside it what expected labels leave to bend, which needs no rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Integers, stack
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source, quanta
from em_cli.inference.feature_products import (
    ROWS,
    FeatureProducts,
    Products,
    feature_products,
    multiplications,
    products_of,
    squares_of,
)

TILE_FLOATS = 1 << 17  # of scores
SPARSE_ROWS = 1 << 12  # that are looked at together where each bears on few components
OF_PASS = 5  # multiplications of squares in the time of one of a pass, of each component and feature
PASSES_BESIDE = 3
MANY = 128  # coordinates, from which it is worth to ask whether they do
FEW, VERY_FEW = 1 / 4, 1 / 16  # of all pairs of components, that rows bear on; the latter beside products of features
NEGLIGIBLE = 1e-10  # responsibility by mixing weight: rows of less tell of a component, all together, a millionth


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Of the log-densities of K components along P coordinates, at a base point."""

    at: Parameters  # (1, …)
    theta: Array  # (K, F) natural parameters, the log-prior of the label in the first
    places: tuple[Integers, ...]  # of each component, the coordinates along which it changes
    of: tuple[Array, ...]  # of each component (·, F), along these
    size: int  # P
    products: Products


@dataclass(frozen=True, slots=True, eq=False)
class Squares:
    """Sums over rows, which add."""

    within: tuple[Array, ...]  # of each component (·, ·) of r D Dᵀ along its coordinates, under the weights of the rows
    scores: Array  # (P, P) of s sᵀ, under these weights
    squared: Array  # (P, P) of s sᵀ, under their squares
    n_rows: int

    @classmethod
    def none(cls, along: Slopes) -> Squares:
        nothing = np.zeros((along.size, along.size))
        return cls(tuple(np.zeros((len(of), len(of))) for of in along.of), nothing, nothing, 0)

    def __add__(self, other: Squares) -> Squares:
        return Squares(
            tuple(own + more for own, more in zip(self.within, other.within, strict=True)),
            self.scores + other.scores,
            self.squared + other.squared,
            self.n_rows + other.n_rows,
        )


def is_linear(model: Model) -> bool:
    """Whether log-densities are products with features, and rows have their labels by themselves."""
    family = model.family.exponential
    return model.latent.is_bayes_alone and family is not None and not family.needs_frame


def keeps_digits(model: Model, at: Parameters) -> bool:
    """Whether the products of a linear model tell its components apart there (no stack)."""
    return is_linear(model) and not np.isnan(natural(model, stack([at]))).any()


def passes_of_squares(model: Model) -> float:
    """How many passes over the rows `squares` takes as long as, about."""
    k, p, f = model.n_components, model.n_parameters, model.family.n_features()
    own = min(p, f)
    directly = p**2 // 2 + k * own * (f + own // 2)
    exponential = model.family.exponential
    assert exponential is not None, "a linear model"
    a_pass = OF_PASS * k * exponential.n_own_features()
    return PASSES_BESIDE + min(directly, k * (k + 1) // 2 * len(_products(model).one)) / a_pass


def natural(model: Model, at: Parameters) -> Array:
    """(R, K, F) of a linear model, the log-prior of the label in the first; NaN where products would lose digits."""
    family = model.family.exponential
    assert family is not None
    theta, apart = family.natural(at.components)
    theta = theta.copy()
    theta[..., 0] += model.latent.log_prior(at.latent)
    theta[apart] = np.nan
    return theta


def _products(model: Model) -> Products:
    family = model.family.exponential
    assert family is not None, "a linear model"
    return products_of(model.family.n_features(), family.monomials())


def slopes(model: Model, base: Parameters, theta: Array, by_coordinate: Array) -> Slopes:
    """From natural parameters (K, F) at a base point, and their derivatives (P, K, F) there."""
    places = tuple(np.flatnonzero(by_coordinate[:, k].any(axis=1)) for k in range(len(theta)))
    of = tuple(by_coordinate[own, k] for k, own in enumerate(places))
    return Slopes(stack([base]), theta, places, of, len(by_coordinate), _products(model))


def hessian_of(found: Squares, along: Slopes) -> Array:
    """(P, P) of the log-likelihood, but for what expected labels leave to bend."""
    total = -found.scores
    for places, within in zip(along.places, found.within, strict=True):
        total[np.ix_(places, places)] += within
    return total


def squares(model: Model, along: Slopes, source: Source, runner: Runner) -> Squares:
    """Sums over all rows of what their scores and informations along the coordinates are.

    By products of features where these take less, and keep digits enough.
    """
    if multiplications(len(along.theta), along.products, source.n_rows) < source.n_rows * _multiplications(along):
        total, products = Squares.none(along), None
        for found in runner.map(_products_of_block, source, (model, along), range(len(source))):
            for few, own in found:
                total = total if few is None else total + few
                products = own if products is None or own is None else products + own
        if products is None:
            return total
        told = squares_of(products, along.products, along.of, along.places, along.size)
        if told is not None:
            return total + Squares(*told, source.n_rows - total.n_rows)
    total = Squares.none(along)
    for parts in runner.map(_of_block, source, (model, along), range(len(source))):
        for part in parts:
            total = total + part
    return total


def _of_block(source: Source, shared: tuple[Model, Slopes], index: int) -> list[Squares]:
    return [_by_rows(quantum, *shared) for quantum in quanta(source[index])]


def _products_of_block(
    source: Source, shared: tuple[Model, Slopes], index: int
) -> list[tuple[Squares | None, FeatureProducts | None]]:
    return [_by_products(quantum, *shared) for quantum in quanta(source[index])]


def _multiplications(along: Slopes) -> int:
    """What a row takes by its own slopes."""
    return along.size**2 // 2 + sum(of.size + len(of) ** 2 // 2 for of in along.of)


def _by_products(quantum: Block, model: Model, along: Slopes) -> tuple[Squares | None, FeatureProducts | None]:
    """Of rows that bear on very few components, and of the others."""
    least = _least(model, along)
    total: Squares | None = None
    products: FeatureProducts | None = None
    for rows in quantum.pieces(SPARSE_ROWS):
        tile = quantum.cut(rows)
        features, responsibilities = _expected(tile, model, along)
        if along.size >= MANY and _bear_on_few(responsibilities, least, VERY_FEW):
            few = _of_few(features, responsibilities, least, tile.weights, along)
            total = few if total is None else total + few
            continue
        for some in tile.pieces(ROWS):
            weights = None if tile.weights is None else tile.weights[some]
            own = feature_products(along.products, features[:, some], responsibilities[:, some], weights)
            products = own if products is None else products + own
    return total, products


def _by_rows(quantum: Block, model: Model, along: Slopes) -> Squares:
    step = max(64, TILE_FLOATS // along.size // 64 * 64)
    least = _least(model, along)
    total: Squares | None = None
    for rows in quantum.pieces(max(step, SPARSE_ROWS if along.size >= MANY else 0)):
        tile = quantum.cut(rows)
        features, responsibilities = _expected(tile, model, along)
        if along.size >= MANY and _bear_on_few(responsibilities, least, FEW):
            parts = [_of_few(features, responsibilities, least, tile.weights, along)]
        else:
            pieces = [tile.cut(some) for some in tile.pieces(step)]
            parts = [_of_all(*_expected(piece, model, along), piece.weights, along) for piece in pieces]
        for part in parts:
            total = part if total is None else total + part
    assert total is not None, "a quantum has rows"
    return total


def _least(model: Model, along: Slopes) -> Array:
    """(K,) responsibilities below which rows tell nothing of a component."""
    least: Array = NEGLIGIBLE * np.exp(model.latent.log_prior(along.at.latent)[0])
    return least


def _expected(tile: Block, model: Model, along: Slopes) -> tuple[Array, Array]:
    """Features (F, n) of the rows, and their responsibilities (K, n)."""
    features = np.empty((along.theta.shape[1], tile.n_rows))
    model.family.features(tile.x, features)
    joint = np.empty((1, *along.theta.shape[:1], tile.n_rows))
    exponential_family.log_density(features, along.theta[None], None, joint)
    model.latent.posterior(joint, along.at.latent, tile)
    return features, joint[0]


def _of_all(features: Array, responsibilities: Array, weights: Array | None, along: Slopes) -> Squares:
    n = features.shape[1]
    roots = np.sqrt(responsibilities if weights is None else responsibilities * weights)
    within, scores = list[Array](), np.zeros((along.size, n))
    for k, (places, of) in enumerate(zip(along.places, along.of, strict=True)):
        slope = of @ features
        scores[places] += slope * responsibilities[k]
        slope *= roots[k]
        within.append(slope @ slope.T)
    if weights is None:
        outer = scores @ scores.T
        return Squares(tuple(within), outer, outer, n)
    scores *= np.sqrt(weights)
    outer = scores @ scores.T
    scores *= np.sqrt(weights)
    return Squares(tuple(within), outer, scores @ scores.T, n)


def _bear_on_few(responsibilities: Array, least: Array, share: float) -> bool:
    """Whether pairs of components, of which a row bears on one and somewhat on the other, are fewer than this share."""
    each = np.add.reduce(responsibilities > least[:, None], axis=0)
    clearly = np.add.reduce(responsibilities > NEGLIGIBLE**0.5, axis=0)
    return bool(each @ clearly < share * responsibilities.shape[0] * responsibilities.size)


def _of_few(features: Array, responsibilities: Array, least: Array, weights: Array | None, along: Slopes) -> Squares:
    """The same where most rows bear on few components: by pairs of these, of the rows that bear on both."""
    rows = [np.flatnonzero(own > enough) for own, enough in zip(responsibilities, least, strict=True)]
    slopes = [of @ features.take(some, axis=1) for of, some in zip(along.of, rows, strict=True)]
    within = list[Array]()
    outer = np.zeros((along.size, along.size))
    squared = outer if weights is None else outer.copy()
    for k, (some, slope) in enumerate(zip(rows, slopes, strict=True)):
        own = responsibilities[k, some] if weights is None else responsibilities[k, some] * weights[some]
        within.append((slope * own) @ slope.T)
        for other in range(k + 1):
            shares = responsibilities[k, some] * responsibilities[other, some]
            both = np.flatnonzero(
                (shares > min(least[k], least[other])) & (responsibilities[other, some] > least[other])
            )
            if not len(both):
                continue
            first = slope.take(both, axis=1)
            second = slopes[other].take(np.searchsorted(rows[other], some[both]), axis=1)
            powers = ((outer, 0),) if weights is None else ((outer, 1), (squared, 2))
            for total, power in powers:
                weighed = shares[both] if weights is None else shares[both] * weights[some[both]] ** power
                product = (first * weighed) @ second.T
                total[np.ix_(along.places[k], along.places[other])] += product
                if k != other:
                    total[np.ix_(along.places[other], along.places[k])] += product.T
    return Squares(tuple(within), outer, squared, features.shape[1])
