"""Ways to part components in two, of many components at once, each on rows of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.starts.sphered import axes_of_few

FIXED = 4  # ways that nothing is drawn for
FEW_OF = 0.1  # a share grows faster than it shrinks
NO_SPREAD = 1e-10  # of the largest variance
NARROWEST = 16  # rows of components that are parted side by side


def drawn_ways(rngs: Sequence[np.random.Generator], tries: int) -> Array:
    """(M, tries - FIXED, 3) what the ways of each of M components are drawn from: two rows, and a share of the mass."""
    drawn = np.zeros((len(rngs), max(0, tries - FIXED), 3))
    for own, rng in zip(drawn, rngs, strict=True):
        for number, numbers in enumerate(own, FIXED):
            rng.random(out=numbers if _is_ball(number) else numbers[:2])
    return drawn


def _is_ball(number: int) -> bool:
    """Whether a way that is drawn is the rows about one, and not those nearer to one than to another."""
    return number % 3 != 0


def width(count: int) -> int:
    """So many rows or a few more: 16, 24, 32, 48, 64 …"""
    wide = NARROWEST
    while wide < count:
        wide *= 2
    return 3 * wide // 4 if 3 * wide // 4 >= max(count, NARROWEST) else wide


def ways_to_part(
    embedding: Array, n_columns: int, masses: Array, share_of_row: Array, draws: Array, tries: int
) -> Array:
    """Ways (M, T, n) to part rows: along the longest axis, core and rim, outliers, about a row, between two.

    The rows (M, E, n) of each component bear the masses (M, n), a share of each. Rows are near each other in sphered
    coordinates; but where columns have several (a category one for each level) in those of the embedding, or many rare
    levels would outweigh all other columns.
    """
    share = masses / np.maximum(masses.sum(axis=1), 1e-300)[:, None]
    centred = embedding - np.matmul(embedding, share[..., None])
    sphered, spread = _sphered(centred, share)
    radius = np.add.reduce(sphered * sphered, axis=1)
    own = radius * (share_of_row > 0.5 * share_of_row.max(axis=1)[:, None])
    each = np.arange(len(masses))
    far = sphered[each, :, own.argmax(axis=1)]
    opposite = sphered[each, :, (own * (_along(far, sphered) < 0)).argmax(axis=1)]
    ways = np.empty((len(masses), max(FIXED, tries), masses.shape[1]))
    ways[:, 0], ways[:, 1] = sphered[:, -1] > 0, radius > spread[:, None]
    ways[:, 2], ways[:, 3] = _beyond(far, sphered), FEW_OF * _beyond(opposite, sphered)
    near = sphered if embedding.shape[1] <= n_columns else centred
    most, (drawn, other) = np.maximum(0.3 * masses.sum(axis=1), spread + 2), _drawn(share, draws)
    for number, a, b, width in zip(range(FIXED, tries), drawn, other, draws[..., 2].T, strict=True):
        if _is_ball(number):
            wanted = spread + 1 + (most - spread - 1) * width
            ways[:, number] = _ball(near, masses, near[each, :, a], wanted)
        else:
            ways[:, number] = _nearer(near, near[each, :, a], near[each, :, b])
    return ways[:, :tries]


def _sphered(centred: Array, share: Array) -> tuple[Array, Array]:
    """The rows (M, E, n) along the axes that have spread, in units of it; and how many (M,) axes have."""
    e, n = centred.shape[1:]
    if e <= n:
        values, vectors = np.linalg.eigh(np.matmul(centred * share[:, None], centred.swapaxes(1, 2)))
    else:
        axes = [axes_of_few(rows, own) for rows, own in zip(centred, share, strict=True)]
        values, vectors = (np.stack(of_each) for of_each in zip(*axes, strict=True))
    kept = values > NO_SPREAD * np.maximum(values[:, -1:], 1e-300)
    kept[:, -1] = True  # even where all rows are equal
    factors = np.where(kept, 1 / np.sqrt(np.maximum(values, 1e-300)), 0.0)
    return np.matmul((vectors * factors[:, None]).swapaxes(1, 2), centred), kept.sum(axis=1).astype(np.float64)


def _along(direction: Array, rows: Array) -> Array:
    """(M, n) of rows (M, E, n), each by a direction (M, E)."""
    along: Array = np.matmul(direction[:, None], rows)[:, 0]
    return along


def _beyond(point: Array, rows: Array) -> Flags:
    """(M, n) which rows are farther out than half the way to a point (M, E)."""
    half = 0.5 * np.add.reduce(point * point, axis=1)
    beyond: Flags = _along(point, rows) > half[:, None]
    return beyond


def _nearer(rows: Array, one: Array, other: Array) -> Flags:
    """(M, n) which rows are nearer to one point (M, E) than to the other."""
    towards = one - other
    middle = 0.5 * np.add.reduce(towards * (one + other), axis=1)
    nearer: Flags = _along(towards, rows) > middle[:, None]
    return nearer


def _drawn(share: Array, draws: Array) -> Integers:
    """Two rows (2, T, M) for each way of each component, drawn by their shares (M, n)."""
    cumulative = np.cumsum(share, axis=1)
    drawn = [np.searchsorted(own, u * own[-1]) for own, u in zip(cumulative, draws[..., :2], strict=True)]
    rows: Integers = np.minimum(np.array(drawn, np.intp), share.shape[1] - 1).reshape(len(share), -1, 2)
    return rows.transpose(2, 1, 0)


def _ball(rows: Array, masses: Array, centre: Array, wanted: Array) -> Flags:
    """(M, n) which rows (M, E, n) are so near a centre (M, E) that they have the mass (M,) wanted."""
    away = rows - centre[..., None]
    distance = np.add.reduce(away * away, axis=1)
    order, each = np.argsort(distance, axis=1, kind="stable"), np.arange(len(rows))
    within = np.cumsum(np.take_along_axis(masses, order, axis=1), axis=1)
    last = np.minimum(np.add.reduce(within < wanted[:, None], axis=1), distance.shape[1] - 1)
    inside: Flags = distance <= distance[each, order[each, last]][:, None]
    return inside
