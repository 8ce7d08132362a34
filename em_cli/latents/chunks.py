"""How groups of rows of unequal length are laid side by side, so that a recursion in time goes through all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Flags, Integers

SHORTEST = 8  # rows of a chunk
MANY = 64  # groups, which are wide enough side by side not to be cut
EVEN = 4  # times as long as a chunk would be, a group is still left whole where there are many


@dataclass(frozen=True, slots=True, eq=False)
class Chunks:
    """B chunks of at most L consecutive rows, each of one group and in the order of the rows."""

    n_rows: int
    rows: Integers  # (L, B) the t-th row of each chunk; n_rows, one too far, where it has fewer
    group: Integers  # (B,) that it is of
    first: Flags  # (B,) whether it begins its group
    begins: Integers  # (G,) chunk with which each group begins

    @property
    def length(self) -> int:
        return len(self.rows)

    @property
    def several(self) -> bool:
        """Whether a group is cut into several."""
        return len(self.group) > len(self.begins)

    @property
    def full(self) -> bool:
        return self.rows.size == self.n_rows

    def at_depth(self) -> list[Integers]:
        """The d-th chunks of all groups that have so many, for d = 1, 2, …."""
        many = np.diff(np.append(self.begins, len(self.group)))
        return [self.begins[many > d] + d for d in range(1, int(many.max()))]


def chunks_of(groups: Integers) -> Chunks:
    """Of the groups with these bounds (G + 1,)."""
    lengths = np.diff(groups)
    step = _length(lengths)
    many = -(-lengths // step)
    group = np.repeat(np.arange(len(lengths)), many)
    begins = np.cumsum(many) - many
    place = np.arange(len(group)) - begins[group]
    start = groups[:-1][group] + place * step
    stop = np.minimum(start + step, groups[1:][group])
    t = np.arange(min(step, int(lengths.max())))[:, None]
    rows = np.where(start + t < stop, start + t, groups[-1])
    return Chunks(int(groups[-1]), rows, group, place == 0, begins)


def _length(lengths: Integers) -> int:
    """Of a chunk: as many steps in time as there are chunks, or a little fewer."""
    n, longest = int(lengths.sum()), int(lengths.max())
    if len(lengths) >= MANY and longest <= EVEN * max(16, int((n / 4) ** 0.5)):
        return longest
    return int(max(SHORTEST, min(longest, n**0.5 / 1.5)))
