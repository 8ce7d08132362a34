"""`em impute`: complete missing cells by a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from em_cli.options import Debug, Model, ReadingOptions, ReplaceFile, Rows, grouped


@grouped
def impute(
    model: Model,
    paths: Rows,
    reading: ReadingOptions,
    draws: Annotated[
        int, Option("--draws", metavar="M", min=0, help="Random draws: M files, for multiple imputation.")
    ] = 0,
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help="Same seed, same draws.", envvar="EM_SEED")] = 0,
    out: Annotated[
        str | None, Option("-o", "--out", metavar="FILE", help="[default: standard output]; FILE.1.csv … of draws.")
    ] = None,
    force: ReplaceFile = False,
    debug: Debug = False,
) -> None:
    """Complete missing cells; everything else stays as it is.

    Each is filled with its conditional mean, or likeliest level, given the other cells of its row.

    Example: em impute survey.em survey.csv > complete.csv
    """
    from em_cli.errors import UsageError
    from em_cli.postestimation.imputation import completed
    from em_cli.runs.output_files import write_each
    from em_cli.runs.row_scores import open_model

    loaded = open_model(model, paths, reading)
    if reading.missing not in (None, "model"):
        raise UsageError(f"--missing {reading.missing} does not apply: missing cells are what is completed.")
    names = {min(draws, 1): out}
    if draws > 1:
        if out in (None, "-") or "-" in paths:
            raise UsageError(
                "several draws are several files, and read the data as often: give --out, and no '-' as data."
            )
        file = Path(str(out))
        names = {draw: str(file.with_suffix(f".{draw}{file.suffix}")) for draw in range(1, draws + 1)}
    texts = {name: completed(loaded, paths, reading, seed, draw) for draw, name in names.items()}
    write_each(texts, force, model, *paths)
