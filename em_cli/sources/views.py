"""Rows of a source with other weights, or other labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import FeatureCache
from em_cli.engine.rows import Block, Held, Source
from em_cli.engine.transforms import Transform, forward


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A source whose blocks are changed as they are read, each the same way every time."""

    source: Source
    change: Callable[[Block], Block]

    cache: FeatureCache = field(default_factory=FeatureCache, init=False, repr=False)

    @property
    def n_rows(self) -> int:
        return self.source.n_rows

    @property
    def n_columns(self) -> int:
        return self.source.n_columns

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Block:
        return self.change(self.source[index])

    @property
    def place(self) -> str | None:
        return self.source.place

    def __reduce__(self) -> tuple[type[View], tuple[Source, Callable[[Block], Block]]]:
        return View, (self.source, self.change)

    def keep(self, numbers: Array) -> Held:
        return self.source.keep(numbers)

    def in_pattern_order(self) -> Source:
        return self


def reweighted(source: Source, weights: Array) -> Source:
    """Under these weights (n,), which stand in for those of the source."""
    return View(source, partial(_with_weights, weights))


def transformed(source: Source, transforms: Mapping[int, Transform]) -> Source:
    """With some columns, by their places, on the scales on which they are fitted."""
    return View(source, partial(_with_transforms, transforms)) if transforms else source


def relabelled(source: Source, numbers: Integers) -> Source:
    """With label i as numbers[i]; the last of these is -1, for rows without one."""
    return View(source, partial(_with_labels, numbers))


def _with_weights(weights: Array, block: Block) -> Block:
    return replace(block, weights=weights[block.first_row : block.first_row + block.n_rows])


def _with_transforms(transforms: Mapping[int, Transform], block: Block) -> Block:
    return replace(block, x=forward(block.x, transforms))


def _with_labels(numbers: Integers, block: Block) -> Block:
    return replace(block, labels=None if block.labels is None else numbers[block.labels])
