"""States of rows as they are known in the past, or ahead of it, as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.decoder import Decoded
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.tables import csv_text, uncertain

Row = dict[str, object]
DECODES = ("posterior", "viterbi", "filter")


def state_columns(k: int, decode: str) -> list[str]:
    """What is said of the state of each row; what is known by its own time has names of its own."""
    if decode == "viterbi":
        return ["state_viterbi", "log_density"]
    if decode == "filter":
        return ["state_filtered", *(f"filtered{j + 1}" for j in range(k)), "log_density", "uncertainty_filtered"]
    return ["component", *(f"p{j + 1}" for j in range(k)), "log_density", "uncertainty", "state_viterbi"]


def state_rows(found: Decoded, at: Integers, decode: str) -> Iterator[Row]:
    """Of the steps (n,) that rows stand at."""
    k = len(found.responsibilities)
    names = state_columns(k, decode)
    given, path = found.log_density[at], found.path[at] + 1
    if decode == "viterbi":
        columns: list[Array | Integers] = [path, given]
    else:
        p = (found.filtered if decode == "filter" else found.responsibilities).take(at, axis=1)
        likeliest = p.argmax(axis=0)
        columns = [likeliest + 1, *p, given, uncertain(p, likeliest), *([path] if decode == "posterior" else [])]
    for values in zip(*(column.tolist() for column in columns), strict=True):
        yield dict(zip(names, values, strict=True))


def forecast_rows(ahead: Array, decode: str) -> Iterator[Row]:
    """Of rows that follow a sequence, from the probabilities of their states (K, H)."""
    likeliest = ahead.argmax(axis=0)
    names = state_columns(len(ahead), decode)
    columns = [likeliest + 1, *ahead]
    for values in zip(*(column.tolist() for column in columns), strict=True):
        yield dict(zip(names, values, strict=False))


def expected_columns(loaded: LoadedModel) -> list[str]:
    """Of forecasts: what the columns that hold numbers are expected to be, and how far off they may be."""
    return [f"{what}_{column.name}" for column in loaded.schema.columns if not column.levels for what in ("mean", "sd")]


def expected_values(loaded: LoadedModel, ahead: Array) -> list[Row]:
    """(H,) of rows whose states have these probabilities (K, H)."""
    means, sds = loaded.model.family.moments(loaded.parameters.components)
    rows: list[Row] = [{} for _ in range(ahead.shape[1])]
    for place, column in enumerate(loaded.schema.columns):
        if column.levels:
            continue
        mean = means[:, place] @ ahead
        spread = np.sqrt((sds[:, place] ** 2) @ ahead + ((means[:, place][:, None] - mean) ** 2 * ahead).sum(axis=0))
        for row, m, s in zip(rows, mean.tolist(), spread.tolist(), strict=True):
            row |= {f"mean_{column.name}": m, f"sd_{column.name}": s}
    return rows


def table(columns: Sequence[str], rows: Iterator[Row]) -> Iterator[str]:
    """As CSV; what a row does not have is blank."""
    blank = dict.fromkeys(columns)
    return csv_text(columns, (blank | row for row in rows))
