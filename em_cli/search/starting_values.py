"""Starting parameters from partitions of the rows, or of a sample of them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import Cache
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Start
from em_cli.engine.rows import Block


class Starter:
    """Makes starts; models whose families see the rows alike share the partitions."""

    def __init__(self, block: Block, starts: Mapping[str, Start], seed: int) -> None:
        self.block, self.starts, self.seed = block, starts, seed
        self._partitions: dict[tuple[bytes, int, str, int], Integers] = {}
        self._sights = Cache[tuple[bytes, Array]]()  # by family

    def __call__(self, model: Model, name: str, number: int) -> tuple[tuple[int, ...], Parameters]:
        """Seed and starting parameters."""
        family, k = model.family, model.n_components
        if (known := self._sights.of(family)) is None:
            embedding = family.embedding(self.block.x)
            known = self._sights.keep(family, (sha256(embedding.tobytes()).digest(), embedding))
        sight, embedding = known
        own, key = (self.seed, k, number), (sight, k, name, number)
        if key not in self._partitions:
            made = self.starts[name].labels(embedding, k, own, self.block.weights)
            self._partitions[key] = made if self.block.labels is None else honouring(made, self.block.labels, k)
        arranged = model.latent.arranged(self._partitions[key], k, self.block, own)
        return own, from_partition(model, self.block, arranged)


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
