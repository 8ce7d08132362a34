"""The genotypes of rows: of those that count, and of all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.rows import cells
from em_cli.sources.genotypes import Genotypes, genotypes_of
from em_cli.sources.table import Data


@dataclass(frozen=True, slots=True, eq=False)
class ReadGenotypes:
    """Genotypes of the rows that count, and of all rows."""

    genotypes: Genotypes
    table: Array  # (L, G') of all rows
    of_row: Integers  # (n,) which of these each row read has, -1 where nothing is known of it


def read_genotypes(data: Data, order: Integers | None = None) -> ReadGenotypes:
    """The genotypes of data, whose columns may be wanted in another order; rows without weight do not count."""
    places = np.arange(len(data.schema.names)) if order is None else order
    used = np.asarray(data.rows.between(0, len(data.rows)))
    weights = [data.source[index].weights for index in range(len(data.source))]
    counts = None if weights[0] is None else np.concatenate([own for own in weights if own is not None])
    names = [data.schema.names[place] for place in places.tolist()]
    found, own = genotypes_of(names, cells(data.source, places.tolist()), counts, used, data.name, data.alleles)
    x = data.others.x[places]
    seen = ~np.isnan(x).all(axis=0)
    of_row = np.full(data.n_rows_read, -1, np.intp)
    of_row[used] = own
    of_row[data.others.rows[seen]] = found.table.shape[1] + np.arange(np.count_nonzero(seen))
    return ReadGenotypes(found, np.concatenate([found.table, x[:, seen]], axis=1), of_row)
