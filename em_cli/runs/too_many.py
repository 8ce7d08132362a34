"""Models that have so many parameters that no rows of this number could tell them."""

from __future__ import annotations

from dataclasses import replace

from em_cli.engine.model import Model
from em_cli.errors import DataError
from em_cli.models.variants import Variant
from em_cli.sources.quoting import argument, excluding, plural
from em_cli.sources.table import Data

MOST = 50  # parameters for each row
FULL = 0.9  # of the cells; where fewer are seen it is said
NOTE = "far more parameters than the data have cells"


def hopeless(model: Model, data: Data) -> bool:
    """Whether parameters outnumber the cells, and rows many times: as many as the cells that are seen would fill."""
    return model.n_parameters > _most(data, 0)


def _most(data: Data, fewer: int) -> float:
    """Parameters, where so many fewer columns are fitted."""
    return _share_seen(data) * data.source.n_rows * max(data.source.n_columns - fewer, MOST)


def _share_seen(data: Data) -> float:
    """Of the cells."""
    missing = sum(data.n_missing.values()) if data.n_gappy else 0
    return 1 - missing / (data.n_rows_read * data.source.n_columns)


def too_many_parameters(data: Data, model: Model, variant: Variant) -> DataError:
    """The refusal, with what helps: to leave out categories of many levels, a simpler structure, fewer components."""
    k, ways = model.n_components, list[str]()
    if names := _crowded(data, model):
        rest = [name for name in data.schema.names if name not in names]
        others = len(rest) < len(names)
        how = f"--columns {argument(*rest)}" if others else excluding(names)
        ways.append(f"without the categories of most levels ({how})")
    elif any(group.has_covariance for group in variant.groups) and variant.covariance != "diag":
        ways.append("--covariance diag")
    full = (seen := _share_seen(data)) >= FULL
    fewer = next((j for j in range(k - 1, 0, -1) if not hopeless(replace(model, n_components=j), data)), 0)
    if fewer and (full or not ways):
        ways.append(f"-k {fewer}")
    advice = f" Try {' or '.join(ways)}." if ways else ""
    gaps = "" if full else f" with {1 - seen:.0%} of their cells missing"
    return DataError(
        f"{data.name}: k = {k} would have {model.n_parameters:,} parameters for {plural(data.source.n_rows, 'row')} of "
        f"{plural(data.source.n_columns, 'column')}{gaps}: more than these can tell.{advice}"
    )


def _crowded(data: Data, model: Model) -> list[str]:
    """The columns of most levels, without which the rest can be fitted; none if that does not help."""
    levels = {column.name: len(column.levels) for column in data.schema.columns if column.levels}
    left, crowded = model.n_parameters, list[str]()
    for name in sorted(levels, key=lambda name: -levels[name]):
        left -= model.n_components * (levels[name] - 1)
        crowded.append(name)
        if left <= _most(data, len(crowded)):
            return crowded if len(crowded) < data.source.n_columns else []
    return []
