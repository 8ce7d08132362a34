"""Names and types of the columns that are fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from em_cli.engine.arrays import Array
from em_cli.engine.transforms import TRANSFORMS, Transform

LEVELLED = ("binary", "categorical")  # types whose cells are coded by the place of their level
WHOLE = ("count", *LEVELLED)
Cells = Sequence[str | float | None]  # of a column
TYPES = ("numeric", "positive", "proportion", "angle", "semicontinuous", *WHOLE)


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str  # one of TYPES
    levels: tuple[str, ...] = ()  # of a levelled type, in the order of their codes 0, 1, …
    transform: str | None = None  # one of TRANSFORMS, on whose scale it is fitted

    @property
    def discrete(self) -> bool:
        return self.type in WHOLE

    def cells(self, values: Array) -> Cells:
        """The values (n,) of the column as data hold them: names of levels, whole numbers, numbers.

        None where nothing is known.
        """
        if self.type not in WHOLE:
            numbers: list[float] = values.tolist()
            return numbers
        codes = [None if value != value else int(value) for value in values.tolist()]
        return [None if code is None else self.levels[code] for code in codes] if self.levels else codes


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns in the order of the rows of `InMemory.x`."""

    columns: tuple[Column, ...]
    names: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))

    @property
    def transforms(self) -> dict[int, Transform]:
        """Of the columns that are fitted on another scale, by their places."""
        return {place: TRANSFORMS[c.transform] for place, c in enumerate(self.columns) if c.transform is not None}

    def with_together(self, wanted: Sequence[tuple[str, ...]]) -> Schema:
        """The columns in an order in which those wanted stand one behind the other, where there are all of them."""
        names = list(self.names)
        for own in wanted:
            if set(own) <= set(names):
                first = min(names.index(name) for name in own)
                rest = [name for name in names if name not in own]
                names = [*rest[:first], *own, *rest[first:]]
        known = dict(zip(self.names, self.columns, strict=True))
        return Schema(tuple(known[name] for name in names))

    def with_last(self, wanted: Sequence[str]) -> Schema:
        """The columns with those wanted at the end, in this order."""
        known = dict(zip(self.names, self.columns, strict=True))
        first = [column for column in self.columns if column.name not in wanted]
        return Schema((*first, *(known[name] for name in wanted)))

    def indices(self, type: str) -> tuple[int, ...]:
        """Places of the columns of a type."""
        return tuple(index for index, column in enumerate(self.columns) if column.type == type)
