"""`em sample`: draw rows from a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from typer import Option

from em_cli.options import Debug, Model, grouped

DRAWN = 1 << 14  # rows at once


@grouped
def sample(
    model: Model,
    n: Annotated[int, Option("-n", "--rows", metavar="N", min=0, help="How many rows.")],
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help="Same seed, same rows.", envvar="EM_SEED")] = 0,
    labels: Annotated[bool, Option("--labels", help="Add the component of each row as a column.")] = False,
    out: Annotated[str | None, Option("-o", "--out", metavar="FILE", help="[default: standard output]")] = None,
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
    debug: Debug = False,
) -> None:
    """Draw rows as CSV.

    Example: em sample faithful.em -n 1000 --seed 1
    """
    import numpy as np

    from em_cli.errors import UsageError
    from em_cli.outputs.model_file import read_model
    from em_cli.outputs.tables import csv_text
    from em_cli.runs.row_scores import target

    write = target(out, force, model)
    loaded = read_model(model)
    names, k = loaded.schema.names, loaded.model.n_components
    if labels and "component" in names:
        raise UsageError("--labels: the model has a column named 'component' already.")

    def rows() -> Iterator[dict[str, object]]:
        for first in range(0, n, DRAWN):
            rng = np.random.default_rng((seed, first))
            x, drawn = loaded.model.sample(loaded.parameters, min(DRAWN, n - first), rng)
            columns = [column.cells(values) for column, values in zip(loaded.schema.columns, x, strict=True)]
            for values, label in zip(zip(*columns, strict=True), drawn.tolist(), strict=True):
                row: dict[str, object] = dict(zip(names, values, strict=True))
                yield row | ({"component": (label + 1) % (k + 1)} if labels else {})

    write(csv_text([*names, *(["component"] if labels else [])], rows()))
