"""Mixtures of levels with more parameters than the shares of all combinations of levels could determine."""

from __future__ import annotations

from math import prod

from em_cli.outputs.document import Context, Scored
from em_cli.runs.record import Record
from em_cli.sources.table import Data


def warn_of_identification(result: Scored, context: Context, data: Data, record: Record) -> None:
    """Say that groups are not determined by any number of rows, where that is so by counting (Goodman 1974)."""
    k, n_parameters = result.fitted.n_components, result.figures.n_parameters
    columns = context.schema.columns
    plain = context.latent == "independent" and data.sequences is None and result.loaded.response is None
    if k == 1 or not plain or data.label_names or not all(column.levels for column in columns):
        return
    patterns = prod(len(column.levels) for column in columns)
    if n_parameters <= patterns - 1:
        return
    most = patterns // ((n_parameters + 1) // k)
    fewer = f"-k {most} has no more than that" if most > 1 else "only -k 1 has no more than that"
    record.warn(
        "not_identified",
        f"{n_parameters:,} parameters, where the shares of all {patterns:,} combinations of levels are "
        f"{patterns - 1:,} free numbers: other groups fit these and any further rows as well, so read nothing off "
        f"them; {fewer}.",
    )
