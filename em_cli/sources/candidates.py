"""Which columns of a file are to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

from em_cli.errors import DataError
from em_cli.sources.quoting import listed, quoted, unknown_column
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.schema import Column


def candidates(names: Sequence[str], file: str, options: ReadOptions) -> list[str]:
    """Columns that may turn out to be fit for it; `DataError` if an option names one that is not there."""
    asked = [
        *(options.columns or ()),
        *options.exclude,
        *options.aside.values(),
        *options.types,
        *options.transforms,
        *options.in_units,
        *options.regressors,
    ]
    for name in asked:
        if name not in names:
            raise DataError(unknown_column(name, file, names))
    if options.columns is not None:
        return list(options.columns)
    return [name for name in names if name not in options.exclude and name not in options.aside.values()]


def check_same(names: Sequence[str], file: str, first_names: Sequence[str], first_file: str) -> None:
    """Files are stacked by column name: they must have the same ones."""
    lacking = [name for name in first_names if name not in names]
    further = [name for name in names if name not in first_names]
    if lacking:
        raise DataError(
            f"{file} lacks column {quoted(lacking[0])}, which {first_file} has (its columns: {listed(names)}). "
            "Files that are read together must have the same columns."
        )
    if further:
        raise DataError(
            f"{file} has column {quoted(further[0])}, which {first_file} lacks. "
            "Files that are read together must have the same columns."
        )


def check_needed(names: Sequence[str], file: str, columns: Sequence[Column], options: ReadOptions) -> None:
    """A model needs all its columns, but for a response that may be unknown; others are ignored."""
    for column in columns:
        if column.name not in names and column.name != options.response:
            otherwise = ""
            if len(names) == 1 and options.delimiter is not None:
                read = f"It was read as the option or the model says, with {quoted(options.delimiter)} between fields;"
                otherwise = f" {read} --delimiter says what is between them here."
            lacking = f"{file} lacks column {quoted(column.name)} that the model needs (its columns: {listed(names)})."
            raise DataError(lacking + otherwise)
    for name in options.aside.values():
        if name not in names:
            raise DataError(unknown_column(name, file, names))
