"""What stands in a row of `selection.csv`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from em_cli.criteria import CROSS_VALIDATION, ELBO, names
from em_cli.documents.selection_csv import SelectionRow
from em_cli.outputs.described import checked, in_words, short

TEST_COLUMNS = ("test_statistic", "test_replicates", "test_exceed", "test_p", "test_stop")
CV_COLUMNS = ("cv", "cv_per_row", "cv_se", "cv_gap", "cv_gap_se")


ROW = checked(SelectionRow)


def columns(criterion: str, tested: bool = False) -> tuple[str, ...]:
    """Of the table: those of every sweep, and the chosen criterion if it is a third party's."""
    often = [name for name in ROW.model_fields if name != ELBO and (tested or name not in TEST_COLUMNS)]
    fields = [name for name in often if criterion == CROSS_VALIDATION or name not in CV_COLUMNS]
    after = fields.index("delta")
    return tuple(dict.fromkeys((*fields[:after], *names(criterion), *fields[after:])))


def read_table(lines: Iterable[str]) -> Iterator[dict[str, object]]:
    """The rows of a table that `em` wrote; `ValueError` says which cell is none that it writes."""
    texts = {name for name, field in ROW.model_fields.items() if field.annotation is str}
    for number, row in enumerate(csv.DictReader(lines), 1):
        if None in row:
            raise ValueError(f"row {number} has more cells than there are columns")
        cells = {name: text if text or name in texts else None for name, text in row.items()}
        try:
            found = ROW.model_validate(cells, strict=False)
        except ValidationError as error:
            first = error.errors()[0]
            column = str(first["loc"][0])
            if first["type"] == "missing":
                raise ValueError(f"has no column {column!r}, which a run has written there") from None
            raise ValueError(
                f"row {number}, column {column!r} holds {short(first['input'])}: {in_words(first)}"
            ) from None
        known = ROW.model_fields
        yield {name: value if name in known else _number(value) for name, value in found if name in cells}


def _number(text: Any) -> Any:
    """The value of a criterion that is a third party's."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return text
