"""Whose the components are, where those of many candidates stand one behind the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from em_cli.engine.arrays import Array, Integers


@dataclass(frozen=True, slots=True, eq=False)
class Owners:
    """The candidates of C components, each of which has at least one."""

    sizes: Integers  # (R,) components of each candidate
    first: Integers = field(init=False)  # (R,) the place of its first one
    of: Integers = field(init=False)  # (C,) the candidate of each component
    _runs: list[tuple[slice, slice, int]] = field(init=False, default_factory=list)  # of candidates of one size

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", np.cumsum(self.sizes) - self.sizes)
        object.__setattr__(self, "of", np.repeat(np.arange(len(self.sizes)), self.sizes))

    def total(self, values: Array) -> Array:
        """(R, …) sums over the components (C, …) of each; its bits do not depend on the others."""
        sums: Array = np.add.reduceat(values, self.first, axis=0)
        return sums

    def shares(self, weight: Array) -> Array:
        """(C,) of all that the candidate bears."""
        share: Array = weight / self.total(weight)[self.of]
        return share

    def mean(self, weight: Array, values: Array) -> Array:
        """(R, …) over the components (C, …) of each."""
        return self.total(self.shares(weight).reshape(-1, *(1,) * (values.ndim - 1)) * values)

    def by_size(self, function: Callable[..., Array], *values: Array | None) -> Array:
        """(C, …) what a function of candidates of one size, (R, K, …), makes of values (C, …)."""
        sizes = np.unique(self.sizes)
        if len(sizes) == 1:
            stacked = [each if each is None else each.reshape(-1, sizes[0], *each.shape[1:]) for each in values]
            made = function(*stacked)
            return made.reshape(-1, *made.shape[2:])
        found: Array | None = None
        for k in sizes:
            places = self.first[self.sizes == k][:, None] + np.arange(k)
            made = function(*[each if each is None else each[places] for each in values])
            if found is None:
                found = np.empty((len(self.of), *made.shape[2:]))
            found[places] = made
        assert found is not None, "there are candidates"
        return found

    def of_stacks(self, values: Array) -> Array:
        """(R,) sums over the components (C,) of each, with the bits of those of a stack (R, K)."""
        sums = np.empty(len(self.sizes))
        for candidates, components, k in self._runs or self._of_one_size():
            np.add.reduce(values[components].reshape(-1, k), axis=1, out=sums[candidates])
        return sums

    def _of_one_size(self) -> list[tuple[slice, slice, int]]:
        """Candidates of one size that follow each other, their components and these sizes."""
        first = begin = 0
        for last in np.flatnonzero(np.diff(self.sizes, append=0)).tolist():
            k, stop = int(self.sizes[last]), last + 1
            end = begin + k * (stop - first)
            self._runs.append((slice(first, stop), slice(begin, end), k))
            first, begin = stop, end
        return self._runs

    def places(self, candidates: Integers) -> Integers:
        """Of the components of some candidates, in the order in which these are told."""
        own = Owners(self.sizes[candidates])
        places: Integers = (self.first[candidates] - own.first)[own.of] + np.arange(len(own.of))
        return places

    def some(self, candidates: Integers) -> tuple[Owners, Integers]:
        """Those of some candidates (ascending), and the places of their components."""
        chosen = np.zeros(len(self.sizes), np.bool_)
        chosen[candidates] = True
        return Owners(self.sizes[candidates]), np.flatnonzero(chosen[self.of])


def equal_owners(n_candidates: int, n_components: int) -> Owners:
    """Of candidates of one size."""
    return Owners(np.full(n_candidates, n_components))
