"""What a comparison of runs needs to know of their rows: sums, each of which adds over parts of the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from math import log

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.inference.comparison import Gains, crosstab, entropy, of_units
from em_cli.inference.matching import Likeness, likeness
from em_cli.postestimation.judged_rows import Judged


@dataclass(slots=True)
class RunSums:
    """Of one run."""

    weight: float = 0.0
    log_density: float = 0.0
    entropy: float = 0.0

    def add(self, one: Judged) -> None:
        self.weight += float(one.weights.sum())
        self.log_density += float((one.weights * one.log_density).sum())
        self.entropy += entropy(one.responsibilities, one.weights)

    def entropy_r2(self, k: int) -> float | None:
        """One minus the entropy of the responsibilities, beside that of knowing nothing; None for one component."""
        return None if k == 1 else 1 - self.entropy / (self.weight * log(k))


@dataclass(slots=True, eq=False)
class PairSums:
    """Of two runs; rows are those of the first, and so are weights."""

    gains: Gains
    of_units: Gains | None  # where rows depend on each other
    likeness: Likeness
    both: Array  # (K, L) Σ w r s
    weights: Array  # (K, L) how much weight is in each pair of likeliest components
    rows: Array  # (K, L) how many rows

    @classmethod
    def of(cls, first: Judged, second: Judged) -> PairSums:
        w, gain = first.weights, first.log_density - second.log_density
        r, s = first.responsibilities * w, second.responsibilities * w
        units, shape = _units(first, second), (len(r), len(s))
        of_classes = first.component, second.component
        return cls(
            Gains.of(gain, w),
            None if units is None else of_units(gain, w, units),
            likeness(r, first.of_components, s, second.of_components),
            r @ second.responsibilities.T,
            crosstab(*of_classes, w, shape),
            crosstab(*of_classes, np.ones(len(w)), shape),
        )

    def __add__(self, other: PairSums) -> PairSums:
        assert self.of_units is None is other.of_units, "all rows of units come at once"
        return PairSums(
            self.gains + other.gains,
            None,
            self.likeness + other.likeness,
            self.both + other.both,
            self.weights + other.weights,
            self.rows + other.rows,
        )

    @property
    def disagreement(self) -> Array:
        """(K, L) one minus the share of the rows of either that both hold: where densities are not of the same
        thing."""
        either = self.likeness.first[:, None] + self.likeness.second - self.both
        found: Array = 1 - self.both / np.maximum(either, np.finfo(float).tiny)
        return found


def _units(first: Judged, second: Judged) -> Integers | None:
    """(n,) which rows depend on each other by either of two models: sequences or groups, or where both are such and
    differ, all of them."""
    known = [one.units for one in (first, second) if one.units is not None]
    if not known:
        return None
    own, other = known[0], known[-1]
    alike = len(np.unique(np.stack([own, other]), axis=1).T) == len(np.unique(own)) == len(np.unique(other))
    return own if alike else np.zeros_like(own)


@dataclass(slots=True)
class Sums:
    """Of several runs."""

    key: str = "row"
    n_rows: int = 0
    whole: bool = True  # whether all weights are whole numbers
    runs: list[RunSums] = field(default_factory=list)
    pairs: dict[tuple[int, int], PairSums] = field(default_factory=dict)

    @classmethod
    def over(cls, pieces: Iterable[tuple[str, list[Judged]]]) -> Sums:
        """All rows; what their key is called comes with each piece."""
        found = cls()
        for key, judged in pieces:
            found._add(key, judged)
        return found

    def _add(self, key: str, judged: list[Judged]) -> None:
        self.key, first = key, judged[0]
        self.runs = self.runs or [RunSums() for _ in judged]
        if not len(first.rows):
            return
        self.n_rows += len(first.rows)
        self.whole &= bool((first.weights == np.rint(first.weights)).all())
        for sums, one in zip(self.runs, judged, strict=True):
            sums.add(one)
        for pair in combinations(range(len(judged)), 2):
            own = PairSums.of(*(judged[place] for place in pair))
            self.pairs[pair] = self.pairs[pair] + own if pair in self.pairs else own
