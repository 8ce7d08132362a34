"""What the cells of a column say of its type, and how levels are coded."""

from pathlib import Path

import numpy as np
import pytest

from em_cli.errors import DataError
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.schema import Column
from em_cli.sources.stream import stream

NUMBERS = "1.5\n2.5\n3.25\n"
COLUMNS = {
    "numbers": ("1.5 2.5 3.25", "numeric", ()),
    "whole numbers": ("31 42 53", "numeric", ()),
    "two whole numbers, often": ("1 2 " * 10, "binary", ("1", "2")),
    "two whole numbers, seldom": ("1 2 2", "numeric", ()),
    "two numbers, not whole": ("-0.5 0.5 " * 10, "binary", ("-0.5", "0.5")),
    "two numbers, not whole, one of them once": ("0.5 " * 20 + "1.5", "numeric", ()),
    "zeros and ones": ("0 1 1", "binary", ("0", "1")),
    "small counts": ("0 3 1 0", "count", ()),
    "codes from 0": ("0 7 9 0 " * 6, "categorical", ("0", "7", "9")),
    "counts of which one is large": ("0 1 2 0 1 3 " * 4 + "19", "count", ()),
    "large counts": ("0 300 100 20", "numeric", ()),
    "few numbers, often": ("8 4 6 4 " * 6, "categorical", ("4", "6", "8")),
    "few numbers, not whole": ("0.5 2 1 " * 7, "categorical", ("0.5", "1", "2")),
    "few numbers, one of them once": ("8 4 6 4 " * 6 + "5", "numeric", ()),
    "few amounts, most of them 0": ("0 0 0 0.5 " * 6 + "2 3", "categorical", ("0", "0.5", "2", "3")),
    "more than few numbers": ("1 2 3 4 5 6 7 8 " * 5, "numeric", ()),
    "zeros among amounts": (" ".join(f"0 {n}.25" for n in range(12)), "semicontinuous", ()),
    "a top code among amounts": (" ".join(f"50 {n}.25" for n in range(12)), "semicontinuous", ()),
    "mostly zeros, a common amount": (" ".join(f"0 0 0 30 {n}.25" for n in range(9)), "semicontinuous", ()),
    "too few zeros among amounts": (" ".join(f"0 {n}.25 {n}.75" for n in range(9)), "numeric", ()),
    "one rounded amount often": (" ".join(f"0 0 5 {n}.25" for n in range(12)), "numeric", ()),
    "text": ("x y x", "categorical", ("x", "y")),
    "text, in the order of the numbers": ("10 x 9 x x x", "categorical", ("9", "10", "x")),
    "a word among few numbers": ("1 2 cens 2 " * 6, "categorical", ("1", "2", "cens")),
    "an open end of few numbers": ("0 1 2 3+ " * 6, "categorical", ("0", "1", "2", "3+")),
    "codes among numbers": ("1 2 3 4 5 6 7 8 1a 2b " * 6, "categorical", (*"12345678", "1a", "2b")),
    "truths": ("TRUE FALSE TRUE", "categorical", ("FALSE", "TRUE")),
    "truths, some missing": ("yes no NA yes", "categorical", ("no", "yes")),
}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(cells: str, other: str = "") -> list[str]:
    rows = cells.split()
    lines = ["a,b", *(f"{cell},{number + 0.5}{other}" for number, cell in enumerate(rows))]
    Path("data.csv").write_text("\n".join(lines) + "\n")
    return ["data.csv"]


@pytest.mark.parametrize(("cells", "type", "levels"), COLUMNS.values(), ids=COLUMNS)
def test_types(cells, type, levels):
    data = read(written(cells), ReadOptions())
    assert data.schema.columns[0] == Column("a", type, levels)
    assert ("a" in data.why) == (type != "numeric")


@pytest.mark.parametrize(("cells", "type", "levels"), [c for c in COLUMNS.values() if c[2]])
def test_codes_are_places_of_levels_in_the_fit_and_later(cells, type, levels):
    data = read(written(cells), ReadOptions())
    texts = [levels[int(code)] if code == code else "NA" for code in data.source.x[0]]
    assert texts == cells.split()
    (chunk,) = stream(["data.csv"], data.schema.columns, ReadOptions())
    np.testing.assert_array_equal(chunk.x, data.source.x)


def test_a_type_keeps_the_cells_as_they_are_written():
    data = read(written("01 1.0 1 01"), ReadOptions(types={"a": "categorical"}))
    assert data.schema.columns[0].levels == ("01", "1", "1.0")


def test_a_level_that_is_new_counts_as_missing():
    columns = read(written("x y x"), ReadOptions()).schema.columns
    (chunk,) = stream(written("x z y"), columns, ReadOptions())
    assert chunk.unseen == {"a": 1}
    assert np.isnan(chunk.x[0]).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ("x y z v", "row_names"),
        ("2020-01-01 2020-01-01 2021-12-31", "date_column"),
        ("1 2 3 4 5 6 7 8 9 " * 10, "looks_like_code"),
        ("x y z u v w x y z", "many_levels"),
        ("1 2 cens 2 " * 6, "mixed_levels"),
    ],
)
def test_doubtful_columns_are_named(cells, code):
    (notice,) = [n for n in read(written(cells), ReadOptions()).notices if n.code == code]
    assert "a" in notice.message


def test_weights_of_zero_leave_rows_out_and_aside():
    Path("data.csv").write_text("a,w\n1,2\n5,0\n2,0.5\n")
    data = read(["data.csv"], ReadOptions(weights="w"))
    assert data.source.x.tolist() == [[1, 2]]
    assert data.source[0].weights.tolist() == [2, 0.5]
    assert (data.rows.tolist(), data.others.rows.tolist(), data.others.x.tolist()) == ([0, 2], [1], [[5]])


def test_rows_without_any_cell_are_set_aside():
    Path("data.csv").write_text("a,b\n1,2.5\n,\n2,\n3,4\n")
    data = read(["data.csv"], ReadOptions())
    assert (data.rows.tolist(), data.others.rows.tolist()) == ([0, 2, 3], [1])
    assert data.n_missing == {"a": 1, "b": 2}
    assert [notice.code for notice in data.notices] == ["missing_modelled", "empty_rows"]
    assert data.notices[0].message.startswith("1 row of 4 with missing cells (a: 1, b: 2) fitted by their observed")


def test_rows_without_any_cell_are_not_said_to_be_fitted():
    Path("data.csv").write_text("a,b\n1,2.5\n,\n2,3\n3,4\n")
    assert [notice.code for notice in read(["data.csv"], ReadOptions()).notices] == ["empty_rows"]


@pytest.mark.parametrize("cells", [f"{' '.join(map(str, range(60)))} cens cens cens", "1 2 3 1 2 " * 6 + "cens"])
def test_words_among_many_numbers_and_a_word_that_stands_once_are_asked_about(cells):
    with pytest.raises(DataError, match="Use --na cens, or --exclude a, or --type a=categorical"):
        read(written(cells), ReadOptions())
