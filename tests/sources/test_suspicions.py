"""Marks of missing cells, totals and dates among the numbers; and ordinary numbers, which are none."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read

RNG = np.random.default_rng(5)
X = RNG.normal(20, 3, 40).round(2).tolist()
DAYS = [20191225 + i for i in range(7)] + [20200101 + i for i in range(20)]


def codes(
    tmp_path: Path, columns: Mapping[str, Sequence[object]], options: ReadOptions | None = None
) -> dict[str, str]:
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


def test_advice_can_be_pasted_whatever_a_column_is_called(tmp_path: Path) -> None:
    name = "95 and more (79) it's"
    few, mass = [i % 4 + 1 for i in range(40)], [0 if i % 3 else x for i, x in enumerate(X)]
    for cells, code in ((few, "few_levels"), (mass, "point_mass")):
        advice = codes(tmp_path, {name: cells, "b": X})[code].partition(" --type ")[2]
        assert shlex.split(advice)[0] == f"{name}=numeric"


def test_a_last_row_of_sums_is_named(tmp_path: Path) -> None:
    told = codes(tmp_path, {"a": [*X, sum(X)], "b": [*range(40), sum(range(40))]})
    assert "the last row (row 41, line 42)" in told["looks_like_total"]


def test_days_in_one_number_are_left_out(tmp_path: Path) -> None:
    other = [float(x) + 0.5 for x in range(len(DAYS))]
    assert "day" in codes(tmp_path, {"day": [float(d) for d in DAYS], "b": other})["date_column"]
    assert "date_column" not in codes(tmp_path, {"day": [float(d) for d in DAYS]}, ReadOptions(columns=("day",)))


@pytest.mark.parametrize(
    ("time", "date"), [("09", True), ("0959", True), ("235959", True), ("0960", False), ("2400", False)]
)
def test_times_of_days_in_one_number_are_dates(tmp_path: Path, time: str, date: bool) -> None:
    columns = {"at": [float(f"{day}{time}") for day in DAYS], "b": [x + 0.5 for x in range(len(DAYS))]}
    assert ("date_column" in codes(tmp_path, columns)) == date


def test_marks_may_be_nearer_where_they_are_frequent(tmp_path: Path) -> None:
    ages = [float(round(x)) for x in RNG.normal(40, 9, 60)]
    assert "--na 99" in codes(tmp_path, {"age": [*ages, *[99] * 9]})["looks_like_missing"]
    assert "--na -1" in codes(tmp_path, {"age": [*ages, *[-1] * 9]})["looks_like_missing"]


def test_levels_that_are_spelled_alike_are_named(tmp_path: Path) -> None:
    said, towns = ["yes", "Yes", "no", "YES"], ["New York", "new  york", "Rome"]
    told = codes(tmp_path, {"a": said * 9, "b": towns * 12, "c": X[:36]})
    assert "a: 'YES', 'Yes', 'yes'; b: 'New York', 'new  york'" in told["levels_alike"]
    assert "levels_alike" not in codes(tmp_path, {"a": ["yes", "no", "maybe"] * 12, "c": X[:36]})


CODES = {
    "leading zeros of some": ([f"{7 * i + 3:0{2 + i % 2}d}" for i in range(30)], "written with leading zeros"),
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


ANSWERS = [1 + i % 5 for i in range(50)]
UNIX = [1_600_000_000 + 86_400 * i for i in range(30)]
SEEN = {
    "marks beside each other": (
        {"age": [*(20 + i % 31 for i in range(60)), 97, 98, 99, 99]},
        "looks_like_missing",
        "--na 97 --na 98 --na 99",
    ),
    "a digit apart from answers": (
        {"q": [*ANSWERS, *[9] * 6]},
        "looks_like_missing",
        "q is 9 in 6 cells, and from 1 to 5",
    ),
    "seconds": ({"at": UNIX, "b": X[:30]}, "looks_like_date", "--exclude at"),
    "milliseconds": ({"at": [1000 * t for t in UNIX], "b": X[:30]}, "looks_like_date", "milliseconds since 1970"),
    "days of Excel": ({"sale date": [43_831 + 7 * i for i in range(30)], "b": X[:30]}, "looks_like_date", "Excel"),
    "times of Excel": (
        {"sale date": [43_831.25 + 7.5 * i for i in range(30)], "b": X[:30]},
        "looks_like_date",
        "Excel",
    ),
    "directions": (
        {"wind_dir": [37 * i % 360 for i in range(40)], "b": X},
        "looks_like_angle",
        "wind_dir=von_mises:360",
    ),
    "months": ({"Month": [7 * i % 12 + 1 for i in range(40)], "b": X}, "looks_like_angle", "Month=von_mises:12"),
    "hours": ({"hour": [7 * i % 24 for i in range(40)], "b": X}, "looks_like_angle", "hour=von_mises:24"),
    "digits": (
        {"customer": [700_001 + 7_919 * i % 99_991 for i in range(40)], "b": X},
        "looks_like_id",
        "--id customer",
    ),
}
ORDINARY = {
    "answers up to nine": {"q": [1 + i % 9 for i in range(60)], "b": [*X, *X[:20]]},
    "answers about zero": {"q": [i % 3 - 1 for i in range(60)], "b": [*X, *X[:20]]},
    "prices": {"price": [120_000 + 5_000 * (i * i % 41) for i in range(40)], "b": X},
    "incomes": {"income": [21_001 + 1_733 * i for i in range(40)], "b": X},
    "sums by month": {"jobs": [150_001 + i * 37 + 9_173 * abs(i % 20 - 10) for i in range(40)], "b": X},
    "small angles": {"angle": [i % 41 for i in range(40)], "b": X},
}


@pytest.mark.parametrize(("columns", "code", "said"), SEEN.values(), ids=SEEN)
def test_what_one_would_see_is_asked_about(
    columns: dict[str, list[float]], code: str, said: str, tmp_path: Path
) -> None:
    assert said in codes(tmp_path, columns).get(code, "")


@pytest.mark.parametrize("columns", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_numbers_are_not_asked_about(columns: dict[str, list[float]], tmp_path: Path) -> None:
    asked = {"looks_like_missing", "looks_like_date", "looks_like_angle", "looks_like_id", "looks_like_total"}
    assert not asked & set(codes(tmp_path, columns))


def test_a_mark_that_another_column_holds_is_said_to_be_there(tmp_path: Path) -> None:
    told = codes(tmp_path, {"age": [*(20 + i % 31 for i in range(60)), 99, 99, 99, 99], "b": [*range(70, 134)]})
    assert "(in b too, where that number is amid others)" in told["looks_like_missing"]


@pytest.mark.parametrize("word", ["Total", "B total", "Average", "Sub-total:", "Summe"])
def test_rows_called_totals_are_named(word: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [f"{'AB'[i % 2]}{i % 3},{x}" for i, x in enumerate(X)]
    path.write_text("\n".join(["where,a", *rows, f"{word},{sum(X) / 3:.2f}"]) + "\n")
    told = {notice.code: notice.message for notice in read([str(path)], ReadOptions()).notices}
    assert f"1 row called '{word}' in where" in told["looks_like_total"]


def test_levels_that_are_called_means_are_no_totals(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["kind,a", *(f"{'mean' if i % 2 else 'sd'},{x}" for i, x in enumerate(X))]) + "\n")
    assert "looks_like_total" not in {notice.code for notice in read([str(path)], ReadOptions()).notices}


def test_a_table_of_counts_is_told_from_cases(tmp_path: Path) -> None:
    cells = [(a, b, c) for a in "xyz" for b in "pq" for c in "mn"]
    table = dict(zip("abc", map(list, zip(*cells, strict=True)), strict=True)) | {"Freq": [*range(12)]}
    told = codes(tmp_path, table)
    assert (
        "each combination of a, b, c" in told["looks_like_weights"] and "--weights Freq" in told["looks_like_weights"]
    )
    some = {name: [cell for i, cell in enumerate(own) if i not in (3, 7)] for name, own in table.items()}
    assert "no more than one row for each combination" in codes(tmp_path, some)["looks_like_weights"]
    for other in (
        {"z" if name == "Freq" else name: own for name, own in some.items()},
        {name: [*own, own[0]] for name, own in table.items()},
        table | {"b": [*"pq" * 6]},
        table | {"Freq": [*range(-1, 11)]},
        table | {"more": [0.5, 2.5, 3.5] * 4},
    ):
        assert "looks_like_weights" not in codes(tmp_path, other)
    assert "looks_like_weights" not in codes(tmp_path, table, ReadOptions(weights="Freq"))


@pytest.mark.parametrize("name", ["fnlwgt", "pweight", "WTINT2YR", "sampling_weight", "Samp.wt"])
def test_weights_of_a_survey_are_asked_about(tmp_path: Path, name: str) -> None:
    table = {"a": [*X], name: [100.5 + i * 7 % 31 for i in range(len(X))]}
    told = codes(tmp_path, table)["looks_like_weights"]
    assert f"--weights {name} --weight-type sampling" in told
    assert "looks_like_weights" not in codes(tmp_path, table, ReadOptions(types={name: "numeric"}))
    assert "looks_like_weights" not in codes(tmp_path, {"a": [*X], "weight": table[name]})
