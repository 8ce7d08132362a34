"""Parts of a file that other processes read: each as one process would cut it, and as it would read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from em_cli.engine.protocols import Elsewhere
from em_cli.sources.pieces import Piece, Range
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.row_file import NUMBER, PAGE, Allotment
from em_cli.sources.spool import is_plain
from em_cli.sources.store import Store
from em_cli.sources.taken import Taken, take

BATCH = 1 << 24  # bytes of a file that are read as one task
LEAST = 2 * BATCH  # bytes of a file that is worth it


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Ranges of a file, one behind the other, and where what is found in them is to be kept."""

    ranges: tuple[Range, ...]
    columns: tuple[str, ...]
    options: ReadOptions
    rows: Allotment
    names: Allotment | None

    @property
    def files(self) -> tuple[str, ...]:
        """That must be seen."""
        return self.ranges[0].path, self.rows.path


def taken_of(batch: Batch) -> list[Taken]:
    """By whoever reads them."""
    names = batch.names or batch.rows
    return [take(own.piece(), batch.columns, batch.options, batch.rows, names) for own in batch.ranges]


def batches(
    parts: Iterable[Piece | Range], columns: Sequence[str], options: ReadOptions, store: Store
) -> Iterator[Batch]:
    """Of what follows in a file, as it comes; each may be as long as its lines are many."""
    waiting: list[Range] = []
    options = options.for_others

    def batch() -> Batch:
        n_rows, n_pages = sum(own.n_lines for own in waiting), 3 * len(waiting)  # of rows, weights and labels
        lines = len(columns) + (options.weights is not None) + (options.labels is not None)
        rows = store.allot(NUMBER * lines * n_rows + PAGE * n_pages, passing=True)
        text = sum(own.n_characters for own in waiting) * 4  # bytes at most
        names = None if options.id is None else store.allot(NUMBER * n_rows + text + PAGE * n_pages)
        made = Batch(tuple(waiting), tuple(columns), options, rows, names)
        waiting.clear()
        return made

    for part in parts:
        assert isinstance(part, Range), "what follows a range is one"
        waiting.append(part)
        if sum(own.n_bytes for own in waiting) >= BATCH:
            yield batch()
    if waiting:
        yield batch()


def reads_for(path: str, options: ReadOptions) -> Elsewhere | None:
    """Those who are to read a file; None if that is not worth it."""
    together = options.sequential or options.group is not None
    if together or not is_plain(path) or Path(path).stat().st_size < LEAST:
        return None
    return options.elsewhere


def by_others(
    others: Elsewhere,
    parts: Iterable[Piece | Range],
    n: int,
    columns: Sequence[str],
    options: ReadOptions,
    store: Store,
) -> Iterator[tuple[Range, Taken]]:
    """Ranges that follow so many rows of a file, and what is in them, in their order.

    What others cannot read is read here, which says what is wrong with it.
    """
    for batch, answer in others.in_order(taken_of, batches(parts, columns, options, store)):
        for place, part in enumerate(batch.ranges):
            taken = (
                take(part.piece(n), columns, options, store, store).below(0)
                if answer is None
                else answer[place].below(n)
            )
            n += taken.n_rows
            yield part, taken
