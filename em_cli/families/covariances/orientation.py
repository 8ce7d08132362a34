"""The axes that all components have in common.

Common principal components (Flury 1984), for which Flury & Gautschi (1986) and Browne & McNicholas (2014) give
first-order methods. Here the variances along the axes are always the best ones, and the likelihood,
then a function of the axes alone, is maximised by Newton's method on the rotation group: conjugate
gradients find one turn of all axes, and a step that does not climb is taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners, equal_owners
from em_cli.families.covariances.structure import composed

LONGEST = 0.5  # turn of one axis towards another in a step
SLIGHT = 1e-12  # nats a row still to be gained, after which one step ends it
NEGLIGIBLE = 1e-20  # nats a row
TINY = 1e-200  # a scatter below it is none
LARGEST_RATIO = 1e100  # of a variance to the scatter along its axis
SHORT = 1e-3  # turn that need not be tried first
NOISE = 1e-13  # of the function's value, by which it may seem to rise
ROUNDING = 1e-15  # of a scatter, beside which smaller ones have fewer digits
FIRST_TURNS = 3
GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Rule:
    """Of variances along given axes."""

    best: Callable[[Owners, Array, Array], Array]  # (C, D), from shares (C,) of the rows and scatter along the axes
    answer: Callable[[Array, Array, Array], Array]  # δlog v, from shares, v/s and δs/v


def common_axes(owners: Owners, weight: Array, scatter: Array, at: Array | None, rule: Rule, steps: int) -> Array:
    """The likeliest covariances (C, D, D) with axes in common; the search begins at those of `at`.

    Of Newton steps it takes so many at most, and two from axes nearby; a single one turns each plane by itself, a few
    times from axes of the scatter.
    """
    share = owners.shares(weight)
    if steps == 1:
        some = _common(owners, scatter if at is None else at)
        for _ in range(FIRST_TURNS if at is None else 1):
            some = _turned_once(owners, share, scatter, some, rule)
        axes = some[owners.of]
    else:
        axes = owners.by_size(partial(_likeliest, rule, steps), share, scatter, at)
    along = np.add.reduce(axes * (scatter @ axes), axis=-2)
    return composed(axes, rule.best(owners, share, along))


def _likeliest(rule: Rule, steps: int, share: Array, scatter: Array, at: Array | None) -> Array:
    """The axes (R, K, D, D), of candidates of one size."""
    axes = _first_axes(share, scatter, rule) if at is None else axes_of(at)
    axes = _climbed(share, scatter, axes, rule, steps)
    return np.repeat(axes[:, None], scatter.shape[1], axis=1)


def axes_of(covariances: Array) -> Array:
    """The axes (…, D, D) that covariances (…, K, D, D) have in common: those of a sum with odd shares."""
    k, d = covariances.shape[-3:-1]
    flat = covariances.reshape(-1, d, d)
    return _common(equal_owners(len(flat) // k, k), flat).reshape(*covariances.shape[:-3], d, d)


def _common(owners: Owners, covariances: Array) -> Array:
    """The same (R, D, D) of covariances (C, D, D)."""
    size = np.maximum(np.trace(covariances, axis1=-2, axis2=-1), TINY)
    odd = 1 + (np.arange(len(size)) - owners.first[owners.of]) * GOLDEN % 1
    axes: Array = np.linalg.eigh(owners.total((odd / size)[:, None, None] * covariances))[1]
    return axes


def rotation(turn: Array) -> Array:
    """Cayley's map from skew matrices (…, D, D) to rotations; it is the exponential's to second order."""
    half, unit = 0.5 * turn, np.eye(turn.shape[-1])
    return np.asarray(np.linalg.solve(unit - half, unit + half), np.float64)


def _first_axes(share: Array, scatter: Array, rule: Rule) -> Array:
    """Of those of each component, and of all together, the likeliest."""
    mean = np.add.reduce(share[..., None, None] * scatter, axis=-3, keepdims=True)
    axes = np.linalg.eigh(np.concatenate([scatter, mean], axis=-3))[1].swapaxes(0, 1)
    along = [np.diagonal(_turned(scatter, some), axis1=-2, axis2=-1) for some in axes]
    values = np.stack([_value(share, own, rule)[0] for own in along])
    chosen: Array = axes[np.argmin(values, axis=0), np.arange(len(share))]
    return chosen


def _climbed(share: Array, scatter: Array, axes: Array, rule: Rule, steps: int) -> Array:
    going, reach = np.arange(len(axes)), np.ones(len(axes))  # the candidates that are not there yet
    axes, now = axes.copy(), Slope(share, _turned(scatter, axes), rule)
    for _ in range(steps):
        turn = now.newton_turn()
        gain = -_inner(now.gradient, turn)
        longest = np.maximum.reduce(np.abs(turn), axis=(-1, -2))
        turn *= (reach * np.minimum(1.0, LONGEST / np.maximum(longest, LONGEST)))[:, None, None]
        tried = axes[going] @ rotation(turn)
        sure = (gain < SLIGHT) & (longest < SHORT)
        if sure.all():
            axes[going] = tried
            break
        then = Slope(share[going], _turned(scatter[going], tried), rule)
        falls = then.value <= now.value + NOISE * (1 + np.abs(now.value))
        taken = falls | sure
        axes[going[taken]] = tried[taken]
        on = ~((gain < np.maximum(SLIGHT, now.noise)) | (reach < SLIGHT))
        if not on.any():
            break
        reach = np.where(falls, np.minimum(1.0, 4 * reach), reach / 4)[on]
        going = going[on]
        now = then if taken.all() and on.all() else Slope(share[going], _turned(scatter[going], axes[going]), rule)
    return axes


def _turned_once(owners: Owners, share: Array, scatter: Array, axes: Array, rule: Rule) -> Array:
    """Every plane turned by its own Newton step; by a quarter of it where the function does not fall, or not at all."""
    own = axes[owners.of]
    turned = own.swapaxes(-1, -2) @ (scatter @ own)
    along = np.diagonal(turned, axis1=-2, axis2=-1)
    best = rule.best(owners, share, along)
    now = _fit(owners, share, along, best)
    turn = _plane_turns(owners, turned, along, share[:, None] / best)
    for part in (1.0, 0.25):
        tried = axes @ rotation(part * turn)
        own = tried[owners.of]
        along = np.add.reduce(own * (scatter @ own), axis=-2)
        falls = _fit(owners, share, along, rule.best(owners, share, along)) <= now + NOISE * (1 + np.abs(now))
        if falls.all():
            return np.asarray(tried, np.float64)
        axes = np.where(falls[:, None, None], tried, axes)
        turn = np.where(falls[:, None, None], 0.0, turn)
    return axes


def _fit(owners: Owners, share: Array, along: Array, best: Array) -> Array:
    """(R,) Σ π_k (log|V_k| + tr M_k V_k⁻¹), from the diagonals (C, D) of M_k."""
    return owners.total(share * np.add.reduce(np.log(best) + along / best, axis=-1))


def _plane_turns(owners: Owners, scatter: Array, along: Array, precision: Array) -> Array:
    """Skew matrices (R, D, D) of Newton's turns, one plane at a time, the variances held."""
    summed = owners.total(scatter * precision[:, None, :])
    own = 2 * owners.total(precision[:, :, None] * along[:, None, :])
    own -= 2 * np.diagonal(summed, axis1=-2, axis2=-1)[..., :, None]
    scale = np.maximum(own + own.swapaxes(-1, -2), 0.0)
    scale += 1e-12 * (1 + scale.max(axis=(-1, -2), keepdims=True))
    return np.clip(-2 * _skew(summed) / scale, -LONGEST, LONGEST)


class Slope:
    """The function of the axes that is to fall: Σ π_k (log|V_k| + tr M_k V_k⁻¹); M_k (R, K, D, D): scatter along them.

    Derivatives are by skew matrices Ω, axes going from D to D exp Ω; their inner product is ½ tr ΩᵀΩ.
    """

    def __init__(self, share: Array, scatter: Array, rule: Rule) -> None:
        self.share, self.scatter, self.rule = share, scatter, rule
        along = np.diagonal(scatter, axis1=-2, axis2=-1)
        self.value, best = _value(share, along, rule)
        self.ratio = np.minimum(best / np.maximum(along, TINY), LARGEST_RATIO)
        self.precision = share[..., None] / best
        self.columns = scatter * self.precision[..., None, :]  # M_k V_k⁻¹ times the share
        summed = np.add.reduce(self.columns, axis=-3)
        self.gradient = 2 * _skew(summed)
        k, d = along.shape[-2:]
        largest = along.max(axis=-1, keepdims=True)
        self.noise = ROUNDING * np.add.reduce(self.precision * largest, axis=(-1, -2))
        flat = self.precision.swapaxes(-1, -2) @ scatter.reshape(-1, k, d * d)
        self.by_axis = 2 * flat.reshape(-1, d, d, d) - (summed + summed.swapaxes(-1, -2))[..., None, :, :]
        own = np.diagonal(self.by_axis, axis1=-2, axis2=-1)
        self.scale = np.maximum(own + own.swapaxes(-1, -2), 0.0)
        self.scale += 1e-12 * (1 + self.scale.max(axis=(-1, -2), keepdims=True))

    def curved(self, turn: Array) -> Array:
        """The second derivative, applied to Ω.

        With variances held, the curvature is Σ_j y_jᵀ C_j y_j of the columns y_j of Ω; as the variances answer
        to changes δs_kj of the scatter along the axes, Σ π_k (δs_kj / v_kj) δlog v_kj is taken from it.
        """
        fixed = (self.by_axis @ turn.swapaxes(-1, -2)[..., None])[..., 0].swapaxes(-1, -2)
        change = np.add.reduce(self.columns * turn[..., None, :, :], axis=-2) / (0.5 * self.share[..., None])
        answer = self.rule.answer(self.share, self.ratio, change)
        moved = np.add.reduce(self.columns * (2 * answer)[..., None, :], axis=-3)
        return _skew(fixed - moved)

    def newton_turn(self) -> Array:
        """Truncated conjugate gradients (Steihaug 1983), preconditioned by the curvature of each plane."""
        d = self.gradient.shape[-1]
        turn, rest = np.zeros_like(self.gradient), -self.gradient
        direction = rest / self.scale
        first = slope = _inner(rest, direction)
        going = slope > NEGLIGIBLE
        for number in range(d * (d - 1) // 2 + 1):
            if not going.any():
                break
            curved = self.curved(direction)
            curvature = _inner(direction, curved)
            convex = curvature > 1e-12 * _inner(direction, self.scale * direction)
            length = np.where(convex, slope / np.where(convex, curvature, 1.0), 1.0 if number == 0 else 0.0)
            length = np.where(going, length, 0.0)[:, None, None]
            turn += length * direction
            rest -= length * curved
            step = rest / self.scale
            before, slope = slope, _inner(rest, step)
            going &= convex & (slope > first * np.clip(first, 1e-8, 1e-2))
            direction *= np.where(going, slope / np.where(going, before, 1.0), 0.0)[:, None, None]
            direction += step
        return turn


def _turned(scatter: Array, axes: Array) -> Array:
    """DᵀS_kD."""
    turned: Array = axes.swapaxes(-1, -2)[:, None] @ scatter @ axes[:, None]
    return turned


def _value(share: Array, along: Array, rule: Rule) -> tuple[Array, Array]:
    """The function (R,), of candidates of one size, and the best variances (R, K, D)."""
    owners = equal_owners(*share.shape)
    best = rule.best(owners, share.ravel(), along.reshape(-1, along.shape[-1]))
    return _fit(owners, share.ravel(), along.reshape(best.shape), best), best.reshape(along.shape)


def _skew(matrix: Array) -> Array:
    return matrix - matrix.swapaxes(-1, -2)


def _inner(one: Array, other: Array) -> Array:
    size = one.shape[-1] * one.shape[-2]
    inner: Array = 0.5 * np.einsum("rp,rp->r", one.reshape(-1, size), other.reshape(-1, size))
    return inner
