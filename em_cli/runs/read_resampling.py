"""What `em bootstrap` and `em test` have left in a run folder, for pictures of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from em_cli.errors import DataError, in_words
from em_cli.reports.how_sure import Certainty, Resampling

ABOUT = ("kind", "level", "replicates", "intervals")
OF_TESTS = ("k0", "k1", "statistic", "replicates", "exceed")
OF_REPLICATES = 6  # columns before the numbers


def certainty_of(home: Path) -> Certainty:
    """Nothing where there is nothing; `DataError` if a file is not what was written."""
    tests = _document(home / "tests.json")
    return Certainty(_resampling(home), () if tests is None else tuple(_test(home, one) for one in _list(home, tests)))


def tests_in(text: str) -> tuple[Mapping[str, Any], ...]:
    """Those of a document that is not yet written."""
    return tuple(json.loads(text)["tests"])


def _list(home: Path, found: Mapping[str, object]) -> list[Any]:
    tests = found.get("tests")
    return tests if isinstance(tests, list) else [None]


def _test(home: Path, one: Any) -> Mapping[str, Any]:
    known = isinstance(one, dict) and all(_number(one.get(name)) for name in OF_TESTS)
    drawn = one.get("drawn") if known else None
    if not isinstance(drawn, list) or not all(value is None or _number(value) for value in drawn):
        raise _edited(home / "tests.json", "does not say what was tested")
    if not (one.get("p") is None or _number(one.get("p"))):
        raise _edited(home / "tests.json", "has a p that is no number")
    return dict(one)


def _resampling(home: Path) -> Resampling | None:
    about = _document(home / "bootstrap.json")
    if about is None:
        return None
    if not all(name in about for name in ABOUT) or not _number(about["level"]) or not _number(about["replicates"]):
        raise _edited(home / "bootstrap.json", "does not say what was resampled")
    intervals = {}
    for one in about["intervals"] if isinstance(about["intervals"], list) else ():
        if isinstance(one, dict) and _number(one.get("low")) and _number(one.get("high")):
            intervals[str(one.get("parameter"))] = float(one["low"]), float(one["high"])
    names, values = _replicates(home / "bootstrap.csv")
    withheld = str(about.get("withheld") or "")
    return Resampling(str(about["kind"]), about["level"], about["replicates"], withheld, intervals, names, values)


def _replicates(path: Path) -> tuple[list[str], Any]:
    """The numbers of the replicates that were kept."""
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = csv.reader(lines)
            names = next(rows, [])[OF_REPLICATES:]
            kept = [[float(cell) for cell in row[OF_REPLICATES:]] for row in rows if row[3] == "ok"]
        values = np.array(kept, np.float64).reshape(len(kept), len(names))
    except FileNotFoundError:
        return [], np.empty((0, 0))
    except (OSError, UnicodeDecodeError, ValueError, IndexError, csv.Error) as error:
        raise _edited(path, f"cannot be read ({in_words(error)})") from None
    return names, values


def _document(path: Path) -> Mapping[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _edited(path, f"cannot be read ({in_words(error)})") from None
    if not isinstance(found, dict):
        raise _edited(path, "holds no object")
    return found


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _edited(path: Path, what: str) -> DataError:
    return DataError(f"{path} {what}. Was it edited? em bootstrap and em test write it anew, with --force.")
