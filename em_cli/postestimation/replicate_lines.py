"""Replicates as the lines of `bootstrap.csv`, from which a resampling goes on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.model import Model
from em_cli.errors import UsageError
from em_cli.inference.replicates import Replicate, Verdict
from em_cli.inference.standard_errors import described, numbers_of

OF_REPLICATES = ("replicate", "log_likelihood", "passes", "verdict", "margin", "lost")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A replicate, with the numbers of its fit."""

    number: int  # from 0
    log_likelihood: float
    passes: int
    verdict: Verdict
    margin: float
    lost: tuple[int, ...]  # components
    values: Array  # (M,)

    def cells(self, names: Sequence[str]) -> dict[str, object]:
        lost = " ".join(str(place + 1) for place in self.lost)
        own = (self.number + 1, self.log_likelihood, self.passes, self.verdict.value, self.margin, lost)
        return dict(zip(OF_REPLICATES, own, strict=True)) | dict(zip(names, self.values.tolist(), strict=True))


def line_of(model: Model, one: Replicate, named: Mapping[str, Any]) -> Line:
    """With the numbers that the document of the fit names."""
    values = numbers_of({} if one.verdict is Verdict.LOST else described(model, one.parameters), named)
    return Line(one.number, one.result.log_likelihood, len(one.result.trace), one.verdict, one.margin, one.lost, values)


def lines_before(home: str, names: Sequence[str], this: Mapping[str, object]) -> list[Line]:
    """Those that a folder holds already; `UsageError` if they are of another resampling than this."""
    table, document = Path(home) / "bootstrap.csv", Path(home) / "bootstrap.json"
    if not (table.exists() and document.exists()):
        return []
    document_before(document, this)
    with table.open(newline="", encoding="utf-8") as text:
        rows = csv.reader(text)
        if next(rows, []) != [*OF_REPLICATES, *names]:
            raise UsageError(f"--resume: {table} has not the columns of this run: --force begins again.")
        return list(_lines(rows, str(table)))


def document_before(path: Path, this: Mapping[str, object]) -> Mapping[str, Any]:
    """What a file of JSON holds; `UsageError` if it is of something else than this."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"--resume: {path} cannot be read as JSON: --force begins again.")
    if other := [key for key, value in this.items() if found.get(key) != value]:
        raise UsageError(f"--resume: {path} differs in {' and '.join(other)}: --force begins again.")
    return found


def _lines(rows: Iterator[list[str]], table: str) -> Iterator[Line]:
    for place, row in enumerate(rows):
        try:
            number, log_likelihood, passes, verdict, margin, lost, *values = row
            if int(number) != place + 1:
                raise ValueError
            numbers = np.array([_number(cell) for cell in values])
            gone = tuple(int(one) - 1 for one in lost.split())
            yield Line(place, _number(log_likelihood), int(passes), Verdict(verdict), _number(margin), gone, numbers)
        except ValueError:
            raise UsageError(f"--resume: line {place + 2} of {table} is no replicate: --force begins again.") from None


def _number(cell: str) -> float:
    return float(cell) if cell else np.nan
