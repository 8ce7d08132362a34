"""Columns that tell the mixing weights, as they are asked for: whether they, and their cells, will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.rows import cells, checked_groups
from em_cli.errors import DataError, UsageError
from em_cli.families.regression.overall import root_of
from em_cli.latents.concomitant import Concomitant
from em_cli.models.regressions import refuse_cells
from em_cli.sources.quoting import quoted
from em_cli.sources.schema import TYPES

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.sources.table import Data


def check_told(config: RunConfig) -> None:
    """`UsageError` if what tells the mixing weights of a mixture of columns is to be described as well."""
    if repeated := [name for at, name in enumerate(config.concomitant) if name in config.concomitant[:at]]:
        raise UsageError(f"--concomitant names {repeated[0]!r} twice.")
    for name in config.concomitant:
        said = {"--columns": config.data.columns or (), "--exclude": config.data.exclude}
        said["groups"] = [column for group in config.groups for column in group.columns]
        if both := [option for option, names in said.items() if name in names]:
            raise UsageError(
                f"column {name!r} is in --concomitant and in {both[0]}: what tells the mixing weights is not "
                "described, and not left out. Take it out of one of the two."
            )
        if name in config.data.transforms:
            raise UsageError(
                f"--transform {name}={config.data.transforms[name]}: {name!r} tells the mixing weights, as it is in "
                "the file."
            )
        kind = config.data.types.get(name, "numeric")
        if kind not in TYPES:
            raise UsageError(
                f"--type {name}={kind}: {name!r} tells the mixing weights: numeric or categorical is all it can be."
            )


def told_by(names: Sequence[str], data: Data, group: str | None = None) -> Concomitant:
    """The law by which columns tell the mixing weights, those of groups of rows if these are in a column.

    `DataError` names the first cell that cannot be, or the column that tells nothing of its own.
    """
    places = [data.schema.names.index(name) for name in names]
    x = cells(data.source, places)
    for place, own in zip(places, x, strict=True):
        fault = "is missing: mixing weights are told by it. Use --missing drop, which leaves such rows out"
        refuse_cells(data, place, np.isnan(own), fault)
    if group is not None:
        _check_alike(data, places, group)
    told = Concomitant().told(names, places, [data.schema.columns[place].levels for place in places])
    z = np.concatenate([told.regressors(data.source[index].x) for index in range(len(data.source))], axis=1)
    mean = z.mean(axis=1)
    away = z - mean[:, None]
    root_of(away @ away.T / z.shape[1], mean, told.terms, "--concomitant")
    return told


def _check_alike(data: Data, places: Sequence[int], group: str) -> None:
    """`DataError` if rows of one group differ in what tells its mixing weights."""
    for block in (data.source[index] for index in range(len(data.source))):
        bounds = checked_groups(block)
        own = block.x[list(places)]
        differs = own != np.repeat(own[:, bounds[:-1]], np.diff(bounds), axis=1)
        if differs.any():
            at = int(differs.any(axis=1).argmax())
            row = int(differs[at].argmax())
            first = int(bounds[np.searchsorted(bounds, row, "right") - 1])
            rows = sorted(data.row_of(block.first_row + place) for place in (first, row))
            raise DataError(
                f"{data.name}, rows {rows[0]} and {rows[1]}, column {quoted(data.schema.names[places[at]])}: they "
                f"belong to one group by {quoted(group)} and differ. Mixing weights are those of groups: what tells "
                "them must be the same in all rows of a group."
            )
