"""Starting parameters from partitions of the rows, or of a sample of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np

from em_cli.engine.arrays import Array, Integers, take
from em_cli.engine.cache import Cache
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Start
from em_cli.engine.rows import Block

AT_ONCE = 1 << 19  # responsibilities
HALVES = (4, 8, 16, 2)  # rows on either side, in windows of sequences


class Starter:
    """Makes starts; models whose families see the rows alike share the partitions."""

    def __init__(self, block: Block, starts: Mapping[str, Start], seed: int) -> None:
        self.block, self.starts, self.seed = block, starts, seed
        self._partitions: dict[tuple[bytes, int, str, int, bool], Integers] = {}
        self._sights = Cache[tuple[bytes, Array]]()  # by family

    def __call__(self, model: Model, wanted: Sequence[tuple[str, int]]) -> list[tuple[tuple[int, ...], Parameters]]:
        """Seed and starting parameters of each kind and number."""
        own = [self._partition(model, name, number) for name, number in wanted]
        at_once = max(1, AT_ONCE // (model.n_components * self.block.n_rows))
        parts = [[partition for _, partition in own[first : first + at_once]] for first in range(0, len(own), at_once)]
        made = [from_partitions(model, self.block, part) for part in parts]
        starts = [take(stacked, r) for stacked, part in zip(made, parts, strict=True) for r in range(len(part))]
        return [(seed, start) for (seed, _), start in zip(own, starts, strict=True)]

    def _partition(self, model: Model, name: str, number: int) -> tuple[tuple[int, ...], Integers]:
        """Seed and partition (n,) of the rows; every second one sees rows of a sequence in their company."""
        family, k = model.family, model.n_components
        if (known := self._sights.of(family)) is None:
            embedding = family.embedding(self.block.x)
            known = self._sights.keep(family, (sha256(embedding.tobytes()).digest(), embedding))
        sight, embedding = known
        in_turns = model.in_time and model.latent.exchangeable
        among = in_turns and number % 2 == 1
        own, number = (self.seed, k, number), number // 2 if in_turns else number
        key = sight, k, name, number, among
        if key not in self._partitions:
            seen = in_company(embedding, self.block.groups, number) if among else embedding
            made = self.starts[name].labels(seen, k, (self.seed, k, number), self.block.weights)
            self._partitions[key] = made if self.block.labels is None else honouring(made, self.block.labels, k)
        return own, model.latent.arranged(self._partitions[key], k, self.block, own)


def in_company(embedding: Array, groups: Integers | None, number: int) -> Array:
    """Each row as what comes about it in its sequence shows it, in turns of several ways.

    States may differ by what comes next to them only, or last so long that windows of rows tell more than one.
    """
    n = embedding.shape[1]
    edges = np.array([0, n]) if groups is None else groups
    if number % 2 == 0:
        return with_neighbours(embedding, edges)
    return windows(embedding, edges, HALVES[number // 2 % len(HALVES)])


def with_neighbours(embedding: Array, edges: Integers) -> Array:
    """(3E, n) each row beside the one before and the one after it; means of all at the edges of sequences."""
    centred = embedding - embedding.mean(axis=1, keepdims=True)
    before, after = np.roll(centred, 1, axis=1), np.roll(centred, -1, axis=1)
    before[:, edges[:-1]] = 0.0
    after[:, edges[1:] - 1] = 0.0
    return np.concatenate([centred, before, after])


def windows(embedding: Array, edges: Integers, half: int) -> Array:
    """(2E, n) means of so many rows on either side, and mean distances from these."""
    n, lengths = embedding.shape[1], np.diff(edges)
    first = np.maximum(np.arange(n) - half, np.repeat(edges[:-1], lengths))
    last = np.minimum(np.arange(n) + half + 1, np.repeat(edges[1:], lengths))

    def mean(values: Array) -> Array:
        up_to = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        return np.asarray((up_to[:, last] - up_to[:, first]) / (last - first))

    centred = embedding - embedding.mean(axis=1, keepdims=True)
    means = mean(centred)
    return np.concatenate([means, mean(np.abs(centred - means))])


def honouring(partition: Integers, labels: Integers, k: int) -> Integers:
    """The partition (n,) with its parts numbered as the labels (n,) of known rows agree best, and these put right."""
    from scipy.optimize import linear_sum_assignment

    known = labels >= 0
    together = np.zeros((k, k))
    np.add.at(together, (partition[known], labels[known]), 1.0)
    _, number = linear_sum_assignment(-together)
    return np.where(known, labels, number[partition]).astype(np.intp)


def from_partitions(model: Model, block: Block, partitions: Sequence[Integers]) -> Parameters:
    """The M-steps from partitions (n,), every component softened by a few rows' worth of all the data."""
    (d, n), k = block.x.shape, model.n_components
    shared = k * (d + 1) / 2
    softness = shared / (n + shared)
    responsibilities = np.full((len(partitions), k, n), softness / k)
    for own, partition in zip(responsibilities, partitions, strict=True):
        own[partition, np.arange(n)] += 1 - softness
    return model.starts(block, responsibilities)
