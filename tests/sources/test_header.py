"""Where the table begins: row names without a name of their own, and lines above the header."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from em_cli.errors import DataError
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.schema import Column
from em_cli.sources.stream import stream

ROWS = [[10.5, 3.25], [20.25, 5.5], [11.75, 2.5], [30.5, 7.25]]
TABLE = "len,wid\n" + "".join(f"{a},{b}\n" for a, b in ROWS)
NUMERIC = [Column("len", "numeric"), Column("wid", "numeric")]


def stored(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "data.csv"
    path.write_text(text)
    return [str(path)]


def named(texts: list[str], header: str, mark: str = ",") -> str:
    return header + "\n" + "".join(mark.join([t, *map(str, row)]) + "\n" for t, row in zip(texts, ROWS, strict=True))


ROW_NAMES = {
    "pandas": (named(list("0123"), ",len,wid"), list("0123")),
    "write.csv": (named(['"1"', '"2"', '"3"', '"4"'], '"","len","wid"'), list("1234")),
    "write.csv, named": (named(['"Mazda RX4"', '"Fiat"', '"NA"', '"Dodge"'], '"","len","wid"'), None),
    "write.table": (named(list("1234"), "len,wid"), list("1234")),
    "write.csv, some rows": (named(['"3"', '"8"', '"10"', '"41"'], '"len","wid"'), ["3", "8", "10", "41"]),
    "write.table, some rows": (named(["3", "8", "10", "41"], "len\twid", "\t"), ["3", "8", "10", "41"]),
    "write.table, tabs": (named(['"a"', '"b"', '"c"', '"d"'], '"len"\t"wid"', "\t"), list("abcd")),
}


@pytest.mark.parametrize(("text", "ids"), ROW_NAMES.values(), ids=ROW_NAMES)
def test_row_names_are_the_id_and_not_fitted(tmp_path: Path, text: str, ids: list[str] | None) -> None:
    path = stored(tmp_path, text)
    data = read(path, ReadOptions())
    assert np.array_equal(data.source.x.T, ROWS)
    assert data.schema.names == ("len", "wid")
    assert data.ids.tolist() == (ids or ["Mazda RX4", "Fiat", "NA", "Dodge"])
    assert [notice.code for notice in data.notices] == ["row_names"]
    (chunk,) = stream(path, NUMERIC, ReadOptions())
    assert np.array_equal(chunk.x.T, ROWS)
    assert chunk.keys == data.ids.tolist()


def test_row_names_stand_in_front_of_a_column_that_begins_with_nothing(tmp_path: Path) -> None:
    text = '"len","wid"\n' + "".join(f'"{i}",{i * 1.5},{"NA" if i < 30 else i % 7 / 4}\n' for i in range(1, 60))
    data = read(stored(tmp_path, text), ReadOptions())
    assert (data.ids.tolist()[:3], data.schema.names) == (["1", "2", "3"], ("len", "wid"))


def test_blanks_in_quotes_part_no_fields(tmp_path: Path) -> None:
    """As `write.table` of R writes rows of any name, by default."""
    names = ["plot 1", "plot 2 b", "c", "d e"]
    rows = "".join(f'"{name}" {a:.3f} {b:.3f}\n' for name, (a, b) in zip(names, ROWS, strict=True))
    data = read(stored(tmp_path, f'"len" "wid"\n{rows}'), ReadOptions())
    assert data.schema.names == ("len", "wid") and data.ids.tolist() == names
    assert np.allclose(data.source.x.T, ROWS, atol=1e-3)


def test_apostrophes_about_every_name_are_no_part_of_them(tmp_path: Path) -> None:
    rows = "".join(f"{i * 1.5}\t{i % 7}.5\n" for i in range(20))
    assert read(stored(tmp_path, f"'len'\t'wid of it'\n{rows}"), ReadOptions()).schema.names == ("len", "wid of it")
    assert read(stored(tmp_path, f"'len'\twid'\n{rows}"), ReadOptions()).schema.names == ("'len'", "wid'")


def test_what_pandas_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    pd.DataFrame(ROWS, columns=["len", "wid"]).to_csv(path)
    assert np.array_equal(read([str(path)], ReadOptions(columns=("wid",))).source.x[0], [row[1] for row in ROWS])


@pytest.mark.parametrize("first", [0, 1, 7, 1990])
@pytest.mark.parametrize("index", ["", None, "none"])
def test_columns_may_be_called_by_numbers_that_follow_each_other(tmp_path: Path, first: int, index: str | None) -> None:
    names = [str(first + place) for place in range(4)]
    header = [index, *names] if index == "" else names
    rows = [[str(place), *(f"{place * (j + 1) % 7}.5" for j in range(4))] for place in range(1, 9)]
    table = [header, *([row[1:] for row in rows] if index == "none" else rows)]
    path = stored(tmp_path, "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in table))
    if index == "none" and first == 7:
        with pytest.raises(DataError, match="looks header-less"):
            read(path, ReadOptions())
    else:
        data = read(path, ReadOptions())
        assert data.schema.names == tuple(names)
        assert (data.ids is None) == (index == "none")


def test_columns_may_be_called_by_years_some_apart(tmp_path: Path) -> None:
    rows = "".join(f"{i * 7 % 50}.25,{i * i}.5,{i * 11 % 13},{i * 3 % 8}.75\n" for i in range(9))
    data = read(stored(tmp_path, f"1912,1916,1920,1924\n{rows}"), ReadOptions())
    assert data.schema.names == ("1912", "1916", "1920", "1924")


@pytest.mark.parametrize(
    "text",
    [
        "1990,1991,1992,1993\n1991,1995,1996,1999\n",
        "1,2,3,4\n2,1,4,3\n4,4,1,2\n",
        ",5,6\n1.5,2,7\n2.5,3,8\n",
        "0,1\n1.5,2\n3,4\n",
    ],
)
def test_a_first_row_of_numbers_is_no_header_where_it_could_be_data(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="looks header-less"):
        read(stored(tmp_path, text), ReadOptions())


MEASURED = np.random.default_rng(4).normal([5.8, 3.1, 3.8], [0.8, 0.4, 1.8], (40, 3)).round(1)
UNHEADED = {
    "and a text": [[*map(str, row), "abc"[i % 3]] for i, row in enumerate(MEASURED)],
    "one column": [[f"{row[0]}"] for row in MEASURED],
    "whole numbers": [[str(round(cell * 10)) for cell in row] for row in MEASURED[1:]],
    "blanks": [["" if (i + j) % 7 == 3 else str(cell) for j, cell in enumerate(row)] for i, row in enumerate(MEASURED)],
}


@pytest.mark.parametrize("mark", [",", "\t", ";"])
@pytest.mark.parametrize("rows", UNHEADED.values(), ids=UNHEADED)
def test_a_first_line_that_is_plainly_a_row_is_read_as_one(tmp_path: Path, rows: list[list[str]], mark: str) -> None:
    path = stored(tmp_path, "".join(mark.join(row) + "\n" for row in rows))
    data, asked = read(path, ReadOptions()), read(path, ReadOptions(header=False))
    assert (data.n_rows_read, data.schema) == (len(rows), asked.schema)
    assert np.array_equal(data.source.x, asked.source.x, equal_nan=True)
    assert data.layout["header"] is False
    (told,) = [notice.message for notice in data.notices if notice.code == "no_header"]
    assert "--no-header" in told and "x1" in told and not [n for n in asked.notices if n.code == "no_header"]


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        ("400.5,401.5,402.5,403.5,404.5,405.5", [[0.1 * i + j for j in range(6)] for i in range(30)]),  # wavelengths
        ("10,20,50", [[i, i * 7 % 60, i * 11 % 70] for i in range(30)]),  # doses, amid counts
        ("0", [[i % 4] for i in range(30)]),  # a series, as pandas writes it
        ("0.5,0.1,0.9", [[100.25 + i, 300.5 - i, i * 3.5 + 50] for i in range(30)]),
        ("0.1,0.2,0.3", [[i / 40, (i * 7 % 30) / 40, (i * 11 % 30) / 30] for i in range(30)]),
    ],
)
def test_numbers_that_may_be_names_are_asked_about(tmp_path: Path, names: str, rows: list[list[float]]) -> None:
    path = stored(tmp_path, names + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    with pytest.raises(DataError, match="Use --no-header, or --header to keep them"):
        read(path, ReadOptions())


def test_names_that_were_asked_for_are_awaited(tmp_path: Path) -> None:
    path = stored(tmp_path, "".join(",".join(row) + "\n" for row in UNHEADED["and a text"]))
    for options in (ReadOptions(columns=("len",)), ReadOptions(id="plot"), ReadOptions(exclude=("len",))):
        with pytest.raises(DataError, match="looks header-less"):
            read(path, options)


def test_another_id_and_a_wish_for_the_column_are_heard(tmp_path: Path) -> None:
    text = ",name,len\n" + "".join(f"{i},x{i},{i * 1.5}\n" for i in range(4))
    data = read(stored(tmp_path, text), ReadOptions(id="name"))
    assert (data.ids.tolist(), data.schema.names) == (["x0", "x1", "x2", "x3"], ("len",))
    assert read(stored(tmp_path, text), ReadOptions(columns=("row", "len"))).schema.names == ("row", "len")


def test_a_name_that_is_taken_is_not_given_to_the_row_names(tmp_path: Path) -> None:
    data = read(stored(tmp_path, ",row,wid\n" + "a,1.5,2\nb,2.5,3\nc,4,7\n"), ReadOptions())
    assert (data.id_name, data.schema.names) == ("row_", ("row", "wid"))


ABOVE = {
    "a title and a blank line": "Trees of the park\n\n",
    "notes with a comma": "Report for March, April\nUnits: cm\nMade by: A\n\n",
    "a single line": "Trees\n",
    "as spreadsheets pad it": "Trees,,\n,,\n",
    "above groups of columns": "Where,Size,\n",
}


@pytest.mark.parametrize("above", ABOVE.values(), ids=ABOVE)
def test_lines_above_the_header_are_found_or_skipped(tmp_path: Path, above: str) -> None:
    wide = "plot,len,wid\n" + "".join(f"{place}.5,{a},{b}\n" for place, (a, b) in enumerate(ROWS))
    path = stored(tmp_path, above + wide)
    n = above.count("\n")
    columns = [Column("plot", "numeric"), *NUMERIC]
    for skip in (None, n):
        options = ReadOptions(skip=skip)
        data = read(path, options)
        assert np.array_equal(data.source.x[1:].T, ROWS)
        assert [notice.code for notice in data.notices] == ([] if skip else ["lines_above"])
        (chunk,) = stream(path, columns, options)
        assert np.array_equal(chunk.x[1:].T, ROWS)


def test_lines_above_numbers_with_a_decimal_comma_are_found(tmp_path: Path) -> None:
    rows = "".join(f"k{i};{i * i + 1000.5:,.2f} €;{i / 8:.3f}\n" for i in range(12)).translate(
        str.maketrans(",.", ".,")
    )
    data = read(stored(tmp_path, f"Auszug\n\nkey;price;size\n{rows}"), ReadOptions(id="key"))
    assert "--skip 2" in next(notice.message for notice in data.notices if notice.code == "lines_above")
    assert data.source.x[0][2] == 1004.5 and data.schema.names == ("price", "size")


def test_a_header_below_other_lines_may_end_with_a_comma(tmp_path: Path) -> None:
    above = "Series:  deaths\n\nAge:  16 years and over\n\n"
    path = stored(tmp_path, above + "len,wid,\n" + "".join(f"{a},{b}\n" for a, b in ROWS))
    data = read(path, ReadOptions())
    assert np.array_equal(data.source.x.T, ROWS)
    assert [notice.code for notice in data.notices] == ["lines_above"]


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        "len,wid\n1,2,\n3,4.5,\n5,6,\n",
        "name,mass\nr1,x,1\nr2,y,3\nr3,z,4\n",
        "a\n1\n2\n3\n",
        ",name,len\na,x,NA\nb,y,3\nc,z,4\nd,w,5.5\n",
    ],
    ids=["plain", "trailing commas", "a name too few", "one column", "row names"],
)
def test_a_file_that_begins_with_its_header_loses_no_line(tmp_path: Path, text: str) -> None:
    data = read(stored(tmp_path, text), ReadOptions())
    assert data.n_rows_read == text.count("\n") - 1
    assert "lines_above" not in [notice.code for notice in data.notices]


def test_skip_counts_the_lines_of_messages_and_is_checked(tmp_path: Path) -> None:
    path = stored(tmp_path, "x\ny\n" + TABLE + "oops,1\n")
    with pytest.raises(DataError, match="line 8 holds 'oops'"):
        read(path, ReadOptions(skip=2))
    with pytest.raises(DataError, match="below the 99 lines skipped"):
        read(path, ReadOptions(skip=99))


def test_rows_that_are_no_data_are_thought_of(tmp_path: Path) -> None:
    for text, said in (
        (TABLE + TABLE, "If line 6 repeats the header, take it out"),
        (TABLE.replace("wid\n", "wid\ncm,kg\n"), "If line 2 holds units or a second header"),
        (TABLE + "Source: the park\n", "If it is a note below the table, take it out"),
    ):
        with pytest.raises(DataError, match=said):
            read(stored(tmp_path, text), ReadOptions())
    units = stored(tmp_path, TABLE.replace("wid\n", "wid\ncm,kg\n"))
    assert np.array_equal(read(units, ReadOptions(na=("cm", "kg"))).source.x.T, ROWS)


def test_where_the_table_begins_must_be_said_if_it_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--skip N"):
        read(stored(tmp_path, "Trees\nlen,wid\n1.5,2\n3,4,5\n"), ReadOptions())


def test_counts_in_the_first_line_are_no_names(tmp_path: Path) -> None:
    """As scikit-learn's own files begin: numbers of rows and columns, and the names of the classes."""
    path = tmp_path / "iris.csv"
    rows = "".join(f"{i % 5 + 0.1 * i:.1f},{i * i % 11 + 0.25},{i % 2}\n" for i in range(30))
    path.write_text("30,2,setosa\n" + rows)
    with pytest.raises(DataError) as error:
        read([str(path)], ReadOptions())
    assert "--skip 1 --no-header" in str(error.value)
    assert read([str(path)], ReadOptions(skip=1, header=False)).n_rows_read == 30
    assert read([str(path)], ReadOptions(header=True)).schema.names[0] == "30"


def test_a_title_with_a_delimiter_names_the_option(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("Report of x, by y\nDate: 2014\na,b\n" + "".join(f"{i}.5,{i * i}.25\n" for i in range(9)))
    with pytest.raises(DataError) as error:
        read([str(path)], ReadOptions())
    assert "--skip N" in str(error.value)
    assert read([str(path)], ReadOptions(skip=2)).schema.names == ("a", "b")
