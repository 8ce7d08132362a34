"""Rows and moments in coordinates where a component is standard normal.

A component so concentrated, or so far out, that the expanded quadratic form would lose digits
has its form evaluated, and its moments taken, in these.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.families.gaussian.chart import Moments
from em_cli.families.gaussian.parameters import GaussianParameters, square

ROOM = 2**16  # numbers in the coordinates of components that are made at once
Places = tuple[Integers, Integers]


def whitened(features: Array, parameters: GaussianParameters) -> Iterator[tuple[Places, Array, Array]]:
    """Of the concentrated components, some at a time, (C,) places in the stack; the rows (C, D, m) in coordinates where
    they are standard normal; and the log-determinants (C,) of the maps."""
    places, z = np.nonzero(parameters.concentrated), features[1 : 1 + parameters.means.shape[-1]]
    at_once = max(1, ROOM // z.size)
    for first in range(0, len(places[0]), at_once):
        some = places[0][first : first + at_once], places[1][first : first + at_once]
        centred, factors = z - parameters.means[some][..., None], parameters.factors[some]
        if factors.ndim == 2:
            yield some, factors[..., None] * centred, np.log(factors).sum(axis=-1)
        else:
            yield some, factors @ centred, np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=-1)


def unwhitened(means: Array, scatter: Array, at: GaussianParameters) -> tuple[Array, Array]:
    """Moments that concentrated components took in whitened coordinates, brought back."""
    concentrated = at.concentrated
    if at.factors.ndim == at.means.ndim:
        there, spread = at.means + means / at.factors, scatter / at.factors**2
        return np.where(concentrated[..., None], there, means), np.where(concentrated[..., None], spread, scatter)
    lower, there, spread = np.linalg.inv(at.factors[concentrated]), means.copy(), scatter.copy()
    there[concentrated] = at.means[concentrated] + (lower @ means[concentrated][..., None])[..., 0]
    own = lower @ scatter[concentrated] @ np.swapaxes(lower, -1, -2)
    spread[concentrated] = 0.5 * (own + np.swapaxes(own, -1, -2))
    return there, spread


def whitened_moments(statistics: Array, at: GaussianParameters) -> Moments:
    """Of sums (…, K, S), about the means and whitened; those of concentrated components are so already."""
    d = at.means.shape[-1]
    weight, first, second = statistics[..., 0], statistics[..., 1 : 1 + d], statistics[..., 1 + d :]
    shift = first - weight[..., None] * at.means
    concentrated = at.concentrated
    if at.factors.ndim == at.means.ndim:
        about = weight[..., None] * at.means**2 - 2 * first * at.means
        if second.shape[-1] < d:  # all that matters is the sum over columns
            second, about = (
                np.repeat(second / d, d, axis=-1),
                np.repeat(about.sum(axis=-1, keepdims=True) / d, d, axis=-1),
            )
        about += second
        return Moments(
            weight,
            np.where(concentrated[..., None], first, shift * at.factors),
            np.where(concentrated[..., None], second, about * at.factors**2),
        )
    raw = second.take(square(d), axis=-1)
    outer = first[..., :, None] * at.means[..., None, :]
    about = (
        raw
        - outer
        - np.swapaxes(outer, -1, -2)
        + weight[..., None, None] * (at.means[..., :, None] * at.means[..., None, :])
    )
    about = at.factors @ about @ np.swapaxes(at.factors, -1, -2)
    return Moments(
        weight,
        np.where(concentrated[..., None], first, np.einsum("...ij,...j->...i", at.factors, shift)),
        np.where(concentrated[..., None, None], raw, about),
    )
