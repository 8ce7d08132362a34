"""Marks of missing cells, totals and dates among the numbers; and ordinary numbers, which are none."""

from pathlib import Path

import numpy as np
import pytest

from em_cli.sources.options import ReadOptions
from em_cli.sources.reader import read

RNG = np.random.default_rng(5)
X = RNG.normal(20, 3, 40).round(2).tolist()
DAYS = [20191225 + i for i in range(7)] + [20200101 + i for i in range(20)]


def codes(tmp_path: Path, columns: dict[str, list[float]], options: ReadOptions | None = None) -> dict[str, str]:
    path = tmp_path / "data.csv"
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return {notice.code: notice.message for notice in read([str(path)], options or ReadOptions()).notices}


@pytest.mark.parametrize("mark", [-999, -99, -9999, 9999, 999, -1])
def test_repeated_marks_far_outside_are_named(tmp_path: Path, mark: int) -> None:
    values = [0.1 * i % 0.7 if mark == -1 else x for i, x in enumerate(X)]
    told = codes(tmp_path, {"a": [*values, mark, mark, mark]})
    assert f"a is {mark} in 3 cells" in told["looks_like_missing"]
    assert f"--na {mark}" in told["looks_like_missing"]
    silent = codes(tmp_path, {"a": [*values, mark, mark, mark]}, ReadOptions(na=(str(mark),)))
    assert "looks_like_missing" not in silent


def test_a_last_row_of_sums_is_named(tmp_path: Path) -> None:
    told = codes(tmp_path, {"a": [*X, sum(X)], "b": [*range(40), sum(range(40))]})
    assert "the last row (41)" in told["looks_like_total"]


def test_days_in_one_number_are_left_out(tmp_path: Path) -> None:
    other = [float(x) + 0.5 for x in range(len(DAYS))]
    assert "day" in codes(tmp_path, {"day": [float(d) for d in DAYS], "b": other})["date_column"]
    assert "date_column" not in codes(tmp_path, {"day": [float(d) for d in DAYS]}, ReadOptions(columns=("day",)))


@pytest.mark.parametrize(
    "values",
    [X, [*X, 99.5, 99.5], [*range(90, 130)], [-1.0, *np.linspace(-1, 1, 39).tolist()], [*X, 999.0]],
    ids=["normal", "no mark", "within", "lowest of a range", "once"],
)
def test_ordinary_numbers_raise_no_alarm(tmp_path: Path, values: list[float]) -> None:
    assert not {"looks_like_missing", "looks_like_total", "date_column"} & set(codes(tmp_path, {"a": values}))
