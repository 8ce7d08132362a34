"""Starting parameters from partitions of the rows, or of a sample of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import pairwise

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Start
from em_cli.engine.rows import Block, Source, checked_groups
from em_cli.sources.in_memory import InMemory

SAMPLE_ROWS = 20_000  # on more rows than this, starts are made and screened on a sample


def sample_rows(source: Source, seed: int) -> Source:
    """The source itself if it is small, else rows drawn at random and kept in order; whole groups, where there are any.

    Of these, as many as fit, and one at least.
    """
    if source.n_rows <= SAMPLE_ROWS:
        return source
    rng = np.random.default_rng((seed, source.n_rows))
    if source[0].groups is not None:
        return _sample_groups(source, rng)
    rows = np.sort(rng.choice(source.n_rows, SAMPLE_ROWS, replace=False))
    blocks, first = list[Block](), 0
    for index in range(len(source)):
        block = source[index]
        last = first + block.x.shape[1]
        mine = rows[np.searchsorted(rows, first) : np.searchsorted(rows, last)] - first
        blocks.append(block.cut(mine))
        first = last
    return _in_memory(_joined(blocks))


def _sample_groups(source: Source, rng: np.random.Generator) -> Source:
    bounds = [checked_groups(source[index]) for index in range(len(source))]
    lengths = np.concatenate([np.diff(groups) for groups in bounds])
    drawn = rng.permutation(len(lengths))
    fitting = max(1, int(np.searchsorted(np.cumsum(lengths[drawn]), SAMPLE_ROWS, "right")))
    chosen = np.sort(drawn[:fitting])
    first = np.cumsum([0, *(len(groups) - 1 for groups in bounds)])
    mine = [chosen[(chosen >= a) & (chosen < b)] - a for a, b in pairwise(first.tolist())]
    return _in_memory(_joined([source[index].take_groups(some) for index, some in enumerate(mine)]))


def _in_memory(block: Block) -> InMemory:
    return InMemory(block.x, block.weights, block.labels, groups=block.groups)


def whole(source: Source) -> Block:
    """All rows in one block."""
    blocks = [source[index] for index in range(len(source))]
    return blocks[0] if len(blocks) == 1 else _joined(blocks)


def _joined(blocks: Sequence[Block]) -> Block:
    weights = [block.weights for block in blocks if block.weights is not None]
    labels = [block.labels for block in blocks if block.labels is not None]
    lengths = [np.diff(block.groups) for block in blocks if block.groups is not None]
    return Block(
        0,
        np.concatenate([block.x for block in blocks], axis=1),
        np.concatenate(weights) if weights else None,
        np.concatenate(labels) if labels else None,
        groups=np.cumsum(np.concatenate([[0], *lengths])) if lengths else None,
    )


class Starter:
    """Makes starts; models whose families see the rows alike share the partitions."""

    def __init__(self, block: Block, starts: Mapping[str, Start], seed: int) -> None:
        self.block, self.starts, self.seed = block, starts, seed
        self._partitions: dict[tuple[bytes, int, str, int], Integers] = {}
        self._sights: dict[int, tuple[bytes, Array]] = {}

    def __call__(self, model: Model, name: str, number: int) -> tuple[tuple[int, ...], Parameters]:
        """Seed and starting parameters."""
        family, k = model.family, model.n_components
        if id(family) not in self._sights:
            embedding = family.embedding(self.block.x)
            self._sights[id(family)] = sha256(embedding.tobytes()).digest(), embedding
        sight, embedding = self._sights[id(family)]
        own, key = (self.seed, k, number), (sight, k, name, number)
        if key not in self._partitions:
            made = self.starts[name].labels(embedding, k, own, self.block.weights)
            self._partitions[key] = made if self.block.labels is None else honouring(made, self.block.labels, k)
        return own, from_partition(model, self.block, self._partitions[key])


def honouring(partition: Integers, labels: Integers, k: int) -> Integers:
    """The partition (n,) with its parts numbered as the labels (n,) of known rows agree best, and these put right."""
    from scipy.optimize import linear_sum_assignment

    known = labels >= 0
    together = np.zeros((k, k))
    np.add.at(together, (partition[known], labels[known]), 1.0)
    _, number = linear_sum_assignment(-together)
    return np.where(known, labels, number[partition]).astype(np.intp)


def from_partition(model: Model, block: Block, partition: Integers) -> Parameters:
    """The M-step from a partition, every component softened by a few rows' worth of all the data."""
    (d, n), k = block.x.shape, model.n_components
    shared = k * (d + 1) / 2
    softness = shared / (n + shared)
    responsibilities = np.full((k, n), softness / k)
    responsibilities[partition, np.arange(n)] += 1 - softness
    return model.start(block, responsibilities)
