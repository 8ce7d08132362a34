"""The fit of the sample that a search looks at, written before the run goes on with all rows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from em_cli.outputs.folder import write_file
from em_cli.outputs.manifest import to_json
from em_cli.printable import safe, say
from em_cli.runs.mixture_runs import Mixtures
from em_cli.runs.record import Record
from em_cli.sources.in_memory import InMemory
from em_cli.sources.row_blocks import FittedRows
from em_cli.sources.table import Data, Others

if TYPE_CHECKING:
    from em_cli.engine.rows import Block


def write_early(mixtures: Mixtures) -> None:
    """Write the parameters, marked by the warning `early`, if that is asked for; say so where the sample is all rows.

    What comes of the run is the same with and without.
    """
    run, wanted = mixtures.run, mixtures.wanted
    place, quiet = run.settings.request.report.early, run.settings.request.screen.quiet
    block, n_rows = wanted.survey.block, run.data.source.n_rows
    if place is None:
        return
    if block.n_rows == n_rows:
        _say(f"--early: the search looks at all {n_rows:,} rows; {safe(place)} is not written.", quiet)
        return
    record = Record(lambda _: None)
    sample = Mixtures.of(replace(run, data=data_of(run.data, block), folder=None, checkpoint=None, record=record))
    (fitted,) = sample.search()
    if fitted.chosen is None:
        _say(f"--early: no sound fit of the sample was found; {safe(place)} is not written.", quiet)
        return
    own = sample.scored(fitted)
    said = f"fitted to a sample of {block.n_rows:,} of {n_rows:,} rows, while the run goes on with all of them"
    record.warn("early", said)
    own.warn()
    write_file(place, [to_json(own.document())])
    _say(f"{safe(place)} is {said}.", quiet)


def data_of(data: Data, block: Block) -> Data:
    """As if there were no other rows."""
    gaps = np.isnan(block.x).sum(axis=1).tolist()
    return replace(
        data,
        source=InMemory(block.x, block.weights, block.labels),
        rows=FittedRows.every(block.n_rows),
        others=Others(block.x[:, :0], np.empty(0, np.intp)),
        n_rows_read=block.n_rows,
        ids=None,
        total_weight=None if block.weights is None else float(block.weights.sum()),
        n_missing={name: n for name, n in zip(data.schema.names, gaps, strict=True) if n},
        n_gappy=sum(n > 0 for n in gaps),
        on_disk=False,
    )


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        with suppress(OSError):
            say(text)
