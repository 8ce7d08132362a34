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
    assert "the last row (row 41, line 42)" in told["looks_like_total"]


def test_days_in_one_number_are_left_out(tmp_path: Path) -> None:
    other = [float(x) + 0.5 for x in range(len(DAYS))]
    assert "day" in codes(tmp_path, {"day": [float(d) for d in DAYS], "b": other})["date_column"]
    assert "date_column" not in codes(tmp_path, {"day": [float(d) for d in DAYS]}, ReadOptions(columns=("day",)))


def test_marks_may_be_nearer_where_they_are_frequent(tmp_path: Path) -> None:
    ages = [float(round(x)) for x in RNG.normal(40, 9, 60)]
    assert "--na 99" in codes(tmp_path, {"age": [*ages, *[99] * 9]})["looks_like_missing"]
    assert "--na -1" in codes(tmp_path, {"age": [*ages, *[-1] * 9]})["looks_like_missing"]


CODES = {
    "noughts": ([f"{7 * i + 3:03d}" for i in range(30)], "written with noughts in front"),
    "zip code": (["10117", "80331", "50667", "20095"] * 5 + ["60311"], "named as codes are"),
    "answers": (["0", "1", "2", "3", "4", "5"] * 10, "as answers on a scale are"),
}


@pytest.mark.parametrize("name", CODES)
def test_codes_are_asked_about(name: str, tmp_path: Path) -> None:
    cells, said = CODES[name]
    path = tmp_path / "data.csv"
    path.write_text(f"b,{name}\n" + "".join(f"{i * i % 7 + 0.5 + i},{cell}\n" for i, cell in enumerate(cells)))
    (told,) = (
        notice.message for notice in read([str(path)], ReadOptions()).notices if notice.code == "looks_like_code"
    )
    assert said in told and "--type NAME=categorical" in told
    quiet = read([str(path)], ReadOptions(types={name: "categorical"}))
    assert quiet.schema.columns[1].levels and "looks_like_code" not in [notice.code for notice in quiet.notices]


def test_counts_that_tail_off_are_no_answers(tmp_path: Path) -> None:
    counts = RNG.poisson(1.2, 200).astype(float).tolist()
    assert "looks_like_code" not in codes(tmp_path, {"b": RNG.normal(0, 1, 200).tolist(), "n": counts})


@pytest.mark.parametrize(
    "values",
    [X, [*X, 99.5, 99.5], [*range(90, 130)], [-1.0, *np.linspace(-1, 1, 39).tolist()], [*X, 999.0]],
    ids=["normal", "no mark", "within", "lowest of a range", "once"],
)
def test_ordinary_numbers_raise_no_alarm(tmp_path: Path, values: list[float]) -> None:
    assert not {"looks_like_missing", "looks_like_total", "date_column"} & set(codes(tmp_path, {"a": values}))
