"""Tables as text."""

from io import StringIO

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from em_cli.engine.scoring import RowScores
from em_cli.outputs.tables import SLICE, column_csv, score_lines

TINIEST, LARGEST = float(np.finfo(float).smallest_subnormal), float(np.finfo(float).max)


def scores(log_density, first) -> RowScores:
    p = np.asarray(first, np.float64)
    return RowScores(np.asarray(log_density, np.float64), np.stack([p, 1 - p]))


def lines(*arguments, n_components=2) -> list[str]:
    return "".join(score_lines(*arguments, n_components)).splitlines()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_numbers_read_back_the_same_and_none_is_longer_than_it_must(values):
    values += [TINIEST, LARGEST, -LARGEST, 0.1 + 0.2, 1e-5, 1e16, 1e23, 2.0**70, 0.0]
    rows = lines(scores(values, np.full(len(values), 0.25)), np.arange(len(values)), range(1, len(values) + 1))
    for row, (line, value) in enumerate(zip(rows, values, strict=True), 1):
        text = line.split(",")[4]
        assert float(text) == value
        assert len(digits(text)) == len(digits(repr(value)))
        assert line == f"{row},2,0.25,0.75,{text},0.25"


def digits(text: str) -> str:
    return text.lower().partition("e")[0].replace(".", "").strip("-0")


def test_numbers_that_are_not_finite():
    rows = lines(scores([-np.inf, np.nan, 2], [1, np.nan, 0.5]), np.arange(3), range(1, 4))
    assert rows == ["1,1,1.0,0.0,-inf,0.0", "2,1,nan,nan,nan,nan", "3,1,0.5,0.5,2.0,0.5"]


def test_a_row_of_noise_is_of_component_zero():
    rows = lines(scores([1.5, 2], [1, 0]), np.arange(2), range(1, 3), n_components=1)
    assert rows == ["1,1,1.0,0.0,1.5,0.0", "2,0,0.0,1.0,2.0,0.0"]


def test_rows_without_scores_are_blank_and_ids_are_quoted():
    some = lines(scores([1.5, 2], [1, 0]), np.array([1, 3]), ["a", 'b"', "c", "d,e", "f"])
    assert some == ["a,,,,,", '"b""",1,1.0,0.0,1.5,0.0', "c,,,,,", '"d,e",2,0.0,1.0,2.0,0.0', "f,,,,,"]
    assert lines(scores([], []), np.arange(0), ["a"]) == ["a,,,,,"]
    assert lines(scores([], []), np.arange(0), []) == []


def test_however_many_rows_each_has_its_line():
    n = 3 * SLICE + 7
    used = np.setdiff1d(np.arange(n), [0, SLICE - 1, SLICE, *range(2 * SLICE, 3 * SLICE), n - 1])
    found = lines(scores(used, np.ones(len(used))), used, range(11, n + 11))
    blank = {f"{row + 11},,,,," for row in set(range(n)) - set(used.tolist())}
    assert len(found) == n
    assert {line for line in found if line.endswith(",,")} == blank
    assert [line for line in found if line not in blank] == [f"{row + 11},1,1.0,0.0,{row}.0,0.0" for row in used]


def test_columns_are_written_as_rows_are():
    columns = [
        [1e-5, float("nan"), 0.1 + 0.2, float("inf"), -1e300],
        ["a,b", "c", None, "null", " d"],
        [1, 2, None, 4, 10**20],
    ]
    (header, text) = column_csv(["x", "y,z", "n"], [columns])
    found = pd.read_csv(StringIO(header + text), na_values=[""], keep_default_na=False)
    assert list(found.columns) == ["x", "y,z", "n"]
    np.testing.assert_array_equal(found["x"], [1e-5, np.nan, 0.1 + 0.2, np.nan, -1e300])
    assert found["y,z"].fillna("").tolist() == ["a,b", "c", "", "null", " d"]
    assert text.splitlines()[-1].endswith(",100000000000000000000")
    assert list(column_csv(["x"], [[[]]])) == ["x\n", ""]
