"""New rows labelled by many runs, each row by that of its level."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from em_cli.errors import DataError, UsageError
from em_cli.options import ReadingOptions
from em_cli.outputs.model_file import RUNS, LoadedModel, read_model
from em_cli.outputs.tables import csv_text, labels_of, uncertain
from em_cli.printable import safe, say
from em_cli.runs.row_scores import reading_for
from em_cli.sources.files import expand
from em_cli.sources.pieces import Piece, pieces, texts_of
from em_cli.sources.quoting import quoted
from em_cli.sources.splitting import rows_of
from em_cli.sources.stream import chunk_of

SCORES = ("component", "probability", "log_density", "uncertainty")
NOTHING = dict.fromkeys(SCORES, "")


def refuse_beside(others: Mapping[str, object]) -> None:
    """`UsageError` if an option asks for another table."""
    if said := [option for option, value in others.items() if value not in (None, False)]:
        raise UsageError(f"--by gives a table of its own: {said[0]} does not go with it.")


def lines_by_level(folder: str, paths: Sequence[str], reading: ReadingOptions, column: str) -> Iterator[str]:
    """Component, its probability, log-density and uncertainty of each row; blank where its level has no run."""
    models = _models(folder)
    options = reading_for(next(iter(models.values())), reading)
    key = options.id or "row"
    if key == column:
        raise UsageError(f"--by {column} and --id {column} are one column.")
    without: Counter[str] = Counter()

    def rows() -> Iterator[dict[str, object]]:
        first = 0
        for path in expand(paths):
            for piece in pieces(path, options):
                if column not in piece.names:
                    raise DataError(f"{piece.file} has no column {quoted(column)}, by which the runs are told apart.")
                named = options.id in piece.names
                keys = texts_of(piece, str(options.id)) if named else range(first + 1, first + len(piece.frame) + 1)
                for name, level, found in zip(keys, *_scored(piece, column, models, reading, without), strict=True):
                    yield {key: name, column: level} | (found or NOTHING)
                first += len(piece.frame)

    yield from csv_text((key, column, *SCORES), rows())
    if without:
        told = ", ".join(f"{safe(level) or 'no value'}: {n:,}" for level, n in without.items())
        say(f"warning: rows of levels that have no run are blank ({told}).")


def _models(folder: str) -> Mapping[str, LoadedModel]:
    """The runs of a folder that `em fit --by` has written, by their levels."""
    table = Path(folder) / RUNS
    if not table.is_file():
        raise UsageError(f"--by is about a folder of runs, one for each level, and {folder} holds no {RUNS}.")
    with table.open(encoding="utf-8", newline="") as lines:
        found = [row for row in csv.DictReader(lines) if row.get("level") and row.get("k")]
    if not found:
        raise DataError(f"{folder} holds no run with a fit.")
    return {row["level"]: read_model(str(Path(folder) / Path(row["run"]).name)) for row in found}


def _scored(
    piece: Piece, column: str, models: Mapping[str, LoadedModel], reading: ReadingOptions, without: Counter[str]
) -> tuple[list[str], list[dict[str, object]]]:
    """The levels of the rows, and what is found of each."""
    levels = [text.strip() for text in texts_of(piece, column)]
    found: list[dict[str, object]] = [{} for _ in levels]
    for level in dict.fromkeys(levels):
        places = [place for place, own in enumerate(levels) if own == level]
        loaded = models.get(level)
        if loaded is None:
            without[level] += len(places)
            continue
        if loaded.sequential:
            raise UsageError(f"the run of {safe(level)} looks at rows in sequences: em predict it by itself.")
        chunk = chunk_of(rows_of(piece, places), loaded.schema.columns, reading_for(loaded, reading))
        scores = loaded.score(chunk.x)
        doubt = uncertain(scores.responsibilities, scores.responsibilities.argmax(axis=0))
        labels = labels_of(scores, loaded.model.n_components)
        each = zip(chunk.rows.tolist(), labels, scores.log_density.tolist(), doubt.tolist(), strict=True)
        for place, (component, probability), density, unsure in each:
            found[places[place]] = dict(zip(SCORES, (component, probability, density, unsure), strict=True))
    return levels, found
