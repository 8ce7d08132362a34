"""Which rows are a sequence, in which order, and where nothing was seen between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.errors import DataError
from em_cli.sources.in_memory import InMemory
from em_cli.sources.quoting import quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.time_steps import Times, parse_step, times_of

SPARSE = 50  # steps for each row; more are hardly meant
FEW = 10_000  # steps are never too many


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """The rows that were read, among the steps of their sequences."""

    places: Integers  # (n,) the step of each row
    groups: Integers  # (G + 1,) steps at which the sequences begin, and their number
    names: tuple[str, ...]  # (G,) of the sequences; none where no column names them

    @property
    def n_steps(self) -> int:
        return int(self.groups[-1])

    @property
    def n_sequences(self) -> int:
        return len(self.groups) - 1

    def source(self, x: Array, weights: Array | None, labels: Integers | None, alike: bool = False) -> InMemory:
        """Rows (D, n), weights and labels (n,) at their steps; steps without a row have no cells.

        `DataError` if rows that are to be `alike` have different labels.
        """
        steps = np.full((len(x), self.n_steps), np.nan)
        steps[:, self.places] = x
        known = None
        if labels is not None:
            known = np.full(self.n_steps, -1, np.intp)
            known[self.places] = labels
            if alike:
                highest = np.maximum.reduceat(known, self.groups[:-1])
                other = (labels >= 0) & (labels != highest[self.of_rows])
                if other.any():
                    name = self.names[self.of_rows[int(other.argmax())]]
                    raise DataError(
                        f"rows of group {quoted(name)} have different labels, and share one component: "
                        "correct them, or empty all but those that are known."
                    )
        own = None
        if weights is not None:
            first = np.zeros(self.n_sequences)
            first[self.of_rows] = weights
            own = np.repeat(first, np.diff(self.groups))
        return InMemory(steps, own, known, groups=self.groups)

    @property
    def of_rows(self) -> Integers:
        """(n,) the sequence of each row."""
        found: Integers = np.searchsorted(self.groups, self.places, "right") - 1
        return found


def groups_of(names: Sequence[str], rows: Integers, shown: str, column: str) -> Sequences:
    """The groups of rows with these names, wherever they stand; the rows (n,) are for messages."""
    from pandas import factorize

    code, known = factorize(np.array(names, dtype=object))
    for place, name in enumerate(known):
        if not name.strip():
            row = int(rows[np.argmax(code == place)])
            raise DataError(f"{shown}, row {row + 1}, column {quoted(column)} is empty: of which group is the row?")
    order = np.argsort(code, kind="stable")
    places = np.empty(len(code), np.intp)
    places[order] = np.arange(len(code))
    groups = np.concatenate([[0], np.cumsum(np.bincount(code, minlength=len(known)))]).astype(np.intp)
    return Sequences(places, groups, tuple(map(str, known)))


def sequences_of(
    n_rows: int, names: Sequence[str] | None, times: Sequence[str] | None, shown: str, options: ReadOptions
) -> Sequences:
    """The sequences of rows with these names and times; `DataError` says which row stands in the way."""
    code, known = _codes(n_rows, names, shown, options)
    if times is None:
        _check_runs(code, known, shown, options)
        ticks = np.arange(n_rows) - _first(code, np.arange(n_rows))[code]
    else:
        assert options.order is not None, "a column of times was named"
        ticks = _ticks(code, times_of(times, options.order, shown, options.decimal), shown, options)
    lengths = np.zeros(len(known) or 1, np.intp)
    np.maximum.at(lengths, code, ticks + 1)
    groups = np.concatenate([[0], np.cumsum(lengths)])
    if groups[-1] > max(FEW, SPARSE * n_rows):
        raise DataError(
            f"{shown}: {n_rows:,} rows would make {int(groups[-1]):,} steps of {options.step}, nearly all empty. "
            "Use a larger --step, or none: then rows follow each other as they are."
        )
    return Sequences(groups[:-1][code] + ticks, groups, known)


def _codes(
    n_rows: int, names: Sequence[str] | None, shown: str, options: ReadOptions
) -> tuple[Integers, tuple[str, ...]]:
    """The sequence (n,) of each row, and their names, in the order in which they come."""
    from pandas import factorize

    if names is None:
        return np.zeros(n_rows, np.intp), ()
    code, known = factorize(np.array(names, dtype=object))
    empty = [place for place, name in enumerate(known) if not name.strip()]
    if empty:
        row = int(np.argmax(code == empty[0]))
        raise DataError(
            f"{shown}, row {row + 1}, column {quoted(str(options.sequence))} is empty: of which sequence is the row?"
        )
    return code.astype(np.intp), tuple(map(str, known))


def _first(code: Integers, order: Integers) -> Integers:
    """(G,) the row of each sequence that comes first in this order."""
    first = np.zeros(int(code.max()) + 1, np.intp)
    first[code[order[::-1]]] = order[::-1]
    return first


def _check_runs(code: Integers, names: Sequence[str], shown: str, options: ReadOptions) -> None:
    """`DataError` if the rows of a sequence do not stand together."""
    begins = np.concatenate([[0], np.flatnonzero(np.diff(code)) + 1])
    known = np.zeros(len(names) or 1, np.bool_)
    for row in begins.tolist():
        if known[code[row]]:
            raise DataError(
                f"{shown}, row {row + 1}: {quoted(names[code[row]])} in column {quoted(str(options.sequence))} comes "
                "back after rows of another sequence. Name the column of time with --order, which puts the rows of "
                "each sequence in their order, or sort the file."
            )
        known[code[row]] = True


def _ticks(code: Integers, times: Times, shown: str, options: ReadOptions) -> Integers:
    """(n,) which step of its sequence each row is, by time."""
    column, order = str(options.order), np.lexsort((times.values, code))
    _check_distinct(times.values, code, order, times, shown, options, "")
    first = _first(code, order)[code]
    if options.step is not None:
        ticks = times.ticks(first, parse_step(options.step), column, shown)
        _check_distinct(ticks, code, order, times, shown, options, f" within one step of {options.step}")
        return ticks
    ranks = np.empty(len(code), np.intp)
    ranks[order] = np.arange(len(code))
    found: Integers = ranks - ranks[first]
    return found


def _check_distinct(
    values: Array | Integers,
    code: Integers,
    order: Integers,
    times: Times,
    shown: str,
    options: ReadOptions,
    where: str,
) -> None:
    """`DataError` if two rows of a sequence have one time."""
    same: Flags = (np.diff(values[order]) == 0) & (np.diff(code[order]) == 0)
    if same.any():
        place = int(np.argmax(same))
        one, other = sorted((int(order[place]), int(order[place + 1])))
        what = f"{quoted(times.texts[one])} and {quoted(times.texts[other])}" if where else quoted(times.texts[one])
        several = "Are they of several sequences? Name their column with --sequence; else leave one of the rows out."
        of_one = f"They are of one sequence, by column {quoted(str(options.sequence))}: leave one of the rows out."
        raise DataError(
            f"{shown}: rows {one + 1} and {other + 1} have the same time{where} ({what} in column "
            f"{quoted(str(options.order))}). {several if options.sequence is None else of_one}"
        )


def check_weights_of_sequences(
    weights: Array, sequences: Sequences, rows: Integers, column: str, shown: str, noun: str = "sequence"
) -> None:
    """`DataError` unless the rows of a sequence or group have one weight, above 0; the rows (n,) are for messages."""
    of, first = sequences.of_rows, np.zeros(sequences.n_sequences)
    first[of[::-1]] = weights[::-1]
    differing = weights != first[of]
    if differing.any():
        row = int(np.argmax(differing))
        name = f" {quoted(sequences.names[of[row]])}" if sequences.names else ""
        raise DataError(
            f"{shown}, row {rows[row] + 1}, column {quoted(column)}: the weight is {weights[row]:g}, and "
            f"{first[of[row]]:g} above in its {noun}{name}. Here whole {noun}s have weights, no rows."
        )
    if (weights == 0).any():
        row = int(np.argmax(weights == 0))
        raise DataError(
            f"{shown}, row {rows[row] + 1}, column {quoted(column)}: a {noun} of weight 0 takes no part: leave it out."
        )
