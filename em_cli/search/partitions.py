"""Starting parameters from partitions of the rows, or of a sample of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from em_cli.engine.arrays import Integers, take
from em_cli.engine.model import Model
from em_cli.engine.protocols import Block, Parameters, Source, Start
from em_cli.sources.memory import InMemory

SAMPLE_ROWS = 20_000  # on more rows than this, starts are made and screened on a sample


def sample_rows(source: Source, seed: int) -> Source:
    """The source itself if it is small, else rows drawn at random and kept in order."""
    if source.n_rows <= SAMPLE_ROWS:
        return source
    rng = np.random.default_rng((seed, source.n_rows))
    rows = np.sort(rng.choice(source.n_rows, SAMPLE_ROWS, replace=False))
    parts, first = [], 0
    for index in range(len(source)):
        block = source[index]
        last = first + block.x.shape[1]
        mine = rows[np.searchsorted(rows, first) : np.searchsorted(rows, last)] - first
        parts.append(block.x[:, mine])
        first = last
    return InMemory(np.concatenate(parts, axis=1))


def whole(source: Source) -> Block:
    """All rows in one block."""
    blocks = [source[index] for index in range(len(source))]
    return blocks[0] if len(blocks) == 1 else Block(0, np.concatenate([block.x for block in blocks], axis=1))


def partition_starts(
    models: Sequence[Model], source: Source, starts: Sequence[tuple[str, Start]], restarts: int, seed: int
) -> Iterator[list[tuple[str, tuple[int, ...], Parameters]]]:
    """For each model its starts: name, seed, parameters.

    Models whose family sees the rows alike share the partitions. One component needs no search.
    """
    block = whole(source)
    partitions: dict[tuple[int, int, int], Integers] = {}
    for model in models:
        k = model.n_components
        embedding = model.family.embedding(block.x)
        sight = hash(embedding.tobytes())
        made: list[tuple[str, tuple[int, ...], Parameters]] = []
        for number in range(1 if k == 1 else restarts):
            name, start = starts[number % len(starts)]
            own = (seed, k, number)
            if (key := (sight, k, number)) not in partitions:
                partitions[key] = start.labels(embedding, k, own)
            made.append((name, own, from_partition(model, block, partitions[key])))
        yield made


def from_partition(model: Model, block: Block, partition: Integers) -> Parameters:
    """The M-step from a partition, every component softened by a few rows' worth of all the data."""
    (d, n), k = block.x.shape, model.n_components
    shared = k * (d + 1) / 2
    softness = shared / (n + shared)
    responsibilities = np.full((1, k, n), softness / k)
    responsibilities[0, partition, np.arange(n)] += 1 - softness
    return take(model.start(block, responsibilities), 0)
