"""The rows of the data, scored by the fit that was made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.arrays import Integers
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.rows import Source
from em_cli.engine.scoring import RowScores
from em_cli.outputs.document import Scored
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.score_files import CSV, ScoredColumns, columnar
from em_cli.outputs.tables import blank_lines, score_columns, score_header, score_lines, score_names
from em_cli.sources.sequences import Sequences
from em_cli.sources.table import Data

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig

MANY_ROWS = 10_000_000  # with more of them, of each the likeliest component alone, unless all are asked for


def scored_blocks(result: Scored, data: Data, some: range | None = None) -> Iterator[tuple[Integers, RowScores]]:
    """The data rows (n,) of each block that was fitted, or of some of them, from 0, and their scores."""
    if data.sequences is not None:
        yield data.rows.all, scored_sequences(result.loaded, result.source, data.sequences)
        return
    used = 0 if some is None else some.start * SUM_ROWS
    for index in some or range(len(result.source)):
        block = result.source[index]
        n = block.x.shape[1]
        yield data.rows.between(used, used + n), result.loaded.score(block.x, block.labels)
        used += n


def scored_sequences(loaded: LoadedModel, source: Source, sequences: Sequences) -> RowScores:
    """The scores of rows in sequences, in the order in which they were read."""
    blocks, at = [source[index] for index in range(len(source))], sequences.places
    if not loaded.sequential:  # its rows are independent of each other, whatever they were compared with
        scores = [loaded.score(block.x, block.labels) for block in blocks]
        return RowScores(
            np.concatenate([part.log_density for part in scores])[at],
            np.concatenate([part.responsibilities for part in scores], axis=1).take(at, axis=1),
        )
    found = [loaded.decoded(block) for block in blocks]
    return RowScores(
        np.concatenate([part.log_density for part in found])[at],
        np.concatenate([part.responsibilities for part in found], axis=1).take(at, axis=1),
        np.concatenate([part.path for part in found])[at] if loaded.ordered else None,
    )


def with_others(
    blocks: Iterator[tuple[Integers, RowScores]], others: tuple[Integers, RowScores]
) -> Iterator[tuple[Integers, RowScores]]:
    """The same with the rows that took no part in the fit, each where it belongs."""
    rows, scores = others
    taken = 0
    for mine, found in blocks:
        upto = int(np.searchsorted(rows, mine[-1]))
        order = np.argsort(np.concatenate([mine, rows[taken:upto]]), kind="stable")
        yield (
            np.concatenate([mine, rows[taken:upto]])[order],
            RowScores(
                np.concatenate([found.log_density, scores.log_density[taken:upto]])[order],
                np.concatenate([found.responsibilities, scores.responsibilities[:, taken:upto]], axis=1)[:, order],
            ),
        )
        taken = upto
    if taken < len(rows):
        yield rows[taken:], RowScores(scores.log_density[taken:], scores.responsibilities[:, taken:])


def scored_rows(result: Scored, data: Data, some: range | None = None) -> Iterator[tuple[Integers, RowScores]]:
    """The data rows that have scores, block by block in their order, those that took no part in the fit among them.

    Or those from the first of some blocks, or behind the last of the block before, to the last of them.
    """
    blocks, rows = scored_blocks(result, data, some), data.others.rows
    first, stop = _span(result, data, some)
    own = slice(*np.searchsorted(rows, (first, stop)).tolist())
    if len(rows[own]):
        blocks = with_others(blocks, (rows[own], result.loaded.score(data.others.x[:, own])))
    return blocks


def _span(result: Scored, data: Data, some: range | None) -> tuple[int, int]:
    """The first data row of what is said of some blocks, and the end: together these are all rows."""
    if some is None:
        return 0, data.n_rows_read
    first, stop = (_after(data, index * SUM_ROWS) for index in (some.start, some.stop))
    return first, data.n_rows_read if some.stop == len(result.source) else stop


def _after(data: Data, n: int) -> int:
    """The data row behind the n-th of those that were fitted."""
    return int(data.rows.between(n - 1, n)[0]) + 1 if 0 < n <= len(data.rows) else 0


def responsibility_lines(result: Scored, data: Data, top: bool = False, some: range | None = None) -> Iterator[str]:
    """`responsibilities.csv`: a line per input row, in input order; rows left out stay blank."""
    model, keys = result.loaded.model, data.keys
    yield score_header(data.id_name or "row", model, top)
    first, stop = _span(result, data, some)
    for rows, scores in scored_rows(result, data, some):
        last = int(rows[-1]) + 1
        yield from score_lines(scores, rows - first, keys(first, last), model.n_components, top=top)
        first = last
    yield from blank_lines(model, keys(first, stop), top)


def responsibilities(
    result: Scored, data: Data, config: RunConfig, form: str, some: range | None = None
) -> Iterator[str] | Iterator[bytes]:
    """What is written of all rows, or of some of their blocks, in this form."""
    top = of_top(config, data.n_rows_read)
    if form == CSV:
        return responsibility_lines(result, data, top, some)
    names = score_names(data.id_name or "row", result.loaded.model, top)
    return columnar(form, names, _columns_of_rows(result, data, top, some))


def of_top(config: RunConfig, n_rows: int) -> bool:
    """Whether the likeliest component alone is written of each row."""
    return config.responsibilities == "top" or (config.responsibilities is True and n_rows > MANY_ROWS)


def _columns_of_rows(result: Scored, data: Data, top: bool, some: range | None) -> Iterator[ScoredColumns]:
    (first, stop), k = _span(result, data, some), result.loaded.model.n_components
    for rows, scores in scored_rows(result, data, some):
        last = int(rows[-1]) + 1
        yield data.keys(first, last), rows - first, score_columns(scores, slice(None), k, top)
        first = last
    if first < stop:
        yield data.keys(first, stop), np.empty(0, np.intp), ()


def least_certain(result: Scored, data: Data) -> tuple[str, float] | None:
    """The row whose largest responsibility is the smallest, by number or id; None if there is one component."""
    if result.fitted.n_components == 1:
        return None
    blocks = [(rows, scores.responsibilities.max(axis=0)) for rows, scores in scored_blocks(result, data)]
    rows, largest = min(blocks, key=lambda block: float(block[1].min()))
    row = int(rows[largest.argmin()])
    name = str(row + 1) if data.ids is None else data.ids.between(row, row + 1)[0]
    return name, float(largest.min())
