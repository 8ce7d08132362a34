"""What is read from good files."""

import bz2
import gzip
import hashlib
import io
import lzma
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from em_cli.sources.decoding import _end_of_records
from em_cli.sources.number_formats import MISSING
from em_cli.sources.quoting import argument
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read

PLAIN = b"a,b\n1,2.5\n3,4.5\n5,-6\n"
ROWS = [[1, 3, 5], [2.5, 4.5, -6]]

SAME_DATA = {
    "plain": (PLAIN, {}),
    "no newline at the end": (PLAIN.rstrip(), {}),
    "Windows": (PLAIN.replace(b"\n", b"\r\n"), {}),
    "old Macintosh": (PLAIN.replace(b"\n", b"\r"), {}),
    "ends of all sorts": (b"\r\na,b\r\r1,2.5\n\r3,4.5\r\n\n5,-6", {}),
    "semicolons": (PLAIN.replace(b",", b";"), {}),
    "tabs": (PLAIN.replace(b",", b"\t"), {}),
    "pipes": (PLAIN.replace(b",", b"|"), {}),
    "another delimiter": (PLAIN.replace(b",", b"~"), {"delimiter": "~"}),
    "tab by name": (PLAIN.replace(b",", b"\t"), {"delimiter": "tab"}),
    "tab by escape": (PLAIN.replace(b",", b"\t"), {"delimiter": "\\t"}),
    "decimal commas": (PLAIN.replace(b",", b";").replace(b".", b","), {"decimal": ","}),
    "decimal commas, tabs": (PLAIN.replace(b",", b"\t").replace(b".", b","), {"decimal": ","}),
    "decimal commas, quoted": (b'a,b\n"1","2,5"\n"3","4,5"\n5,-6\n', {"decimal": ","}),
    "thousands, quoted": (b'a,b\n"1",2.5\n"3",4.5\n5,"-6"\n', {"thousands": ","}),
    "BOM": (b"\xef\xbb\xbf" + PLAIN, {}),
    "BOM, encoding given": (b"\xef\xbb\xbf" + PLAIN, {"encoding": "utf-8"}),
    "UTF-16": (PLAIN.decode().encode("utf-16"), {}),
    "UTF-16 without BOM": (PLAIN.decode().encode("utf-16-le"), {"encoding": "utf-16-le"}),
    "spaces": (b"a , b\n1, 2.5\n 3,4.5 \n5 , -6\n", {}),
    "blank lines": (b"\n\na,b\n\n1,2.5\n  \n3,4.5\n5,-6\n\n", {}),
    "comments": (b'# who\na,b # "names"\n1,2.5\n  # half\n3,4.5#x\n5,-6\n', {"comment": "#"}),
    "quoted": (b'"a","b"\n"1","2.5"\n"3","4.5"\n"5","-6"\n', {}),
    "trailing delimiters": (b"a,b\n1,2.5,\n3,4.5,\n5,-6,\n", {}),
    "exponents": (b"a,b\n1e0,25e-1\n3,4.5\n+5,-6\n", {}),
    "asked for": (b"z,b,a\n9,2.5,1\n9,4.5,3\n9,-6,5\n", {"columns": ("a", "b")}),
    "excluded": (b"a,z,b\n1,9,2.5\n3,9,4.5\n5,9,-6\n", {"exclude": ("z",)}),
    "text left out": (b"a,z,b\n1,x,2.5\n3,1,4.5\n5,y,-6\n", {"default_type": "numeric"}),
    "truths left out": (b"a,z,b\n1,True,2.5\n3,False,4.5\n5,True,-6\n", {"default_type": "numeric"}),
    "dates left out": (b"a,z,b\n1,2020-01-01,2.5\n3,2020-01-02,4.5\n5,,-6\n", {}),
    "empty left out": (b"a,z,b\n1,,2.5\n3,NA,4.5\n5,,-6\n", {}),
    "rows dropped": (b"a,b\n1,2.5\n3,4.5\n,1\nNA,7\n1,?\n-999,1\n5,-6\n", {"missing": "drop", "na": ("?", "-999")}),
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def to_file(content: bytes, name: str = "data.csv") -> str:
        Path(name).write_bytes(content)
        return name

    return to_file


@pytest.mark.parametrize(("content", "options"), SAME_DATA.values(), ids=SAME_DATA)
def test_the_same_data_however_written(write, content, options):
    data = read([write(content)], ReadOptions(**options))
    assert data.schema.names == ("a", "b")
    np.testing.assert_array_equal(data.source.x, ROWS)
    assert data.source.x.flags.c_contiguous
    assert data.source.x.dtype == np.float64


COMPRESS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("suffix", [*COMPRESS, ".zip"])
def test_compressed(write, suffix):
    if suffix == ".zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("data.csv", PLAIN)
        content = buffer.getvalue()
    else:
        content = COMPRESS[suffix](PLAIN)
    data = read([write(content, "data.csv" + suffix)], ReadOptions())
    np.testing.assert_array_equal(data.source.x, ROWS)
    assert data.inputs[0].size == len(content)
    assert data.data_sha256 == hashlib.sha256(content).hexdigest()


def test_what_is_kept_of_the_file(write):
    data = read([write(PLAIN)], ReadOptions())
    assert (data.name, data.n_rows_read, data.ids, data.id_name) == ("data.csv", 3, None, None)
    assert data.rows.tolist() == [0, 1, 2]
    (file,) = data.inputs
    assert (file.name, file.size, file.sha256) == ("data.csv", len(PLAIN), hashlib.sha256(PLAIN).hexdigest())
    assert data.notices == ()


def test_rows_with_missing_cells_are_left_out_and_said(write):
    content = b"a,b,t\n1,2.5,x\n3,,y\n,,z\n5,-6,\n"
    data = read([write(content)], ReadOptions(missing="drop"))
    assert data.rows.tolist() == [0, 3]
    assert (data.n_rows_read, data.n_missing) == (4, {"a": 1, "b": 2})
    assert [notice.code for notice in data.notices] == ["row_names", "rows_dropped"]
    assert data.notices[1].message == "left out 2 of 4 rows with missing cells (a: 1, b: 2)"


def test_ids_are_text(write):
    content = b"who,a\n007,1\nNA,5\n,3\n1.50,\n"
    data = read([write(content)], ReadOptions(id="who", missing="drop"))
    assert data.ids.tolist() == ["007", "NA", "", "1.50"]
    assert data.schema.names == ("a",)
    assert data.rows.tolist() == [0, 1, 2]


def test_without_header(write):
    data = read([write(b"1,2\n3,5\n")], ReadOptions(header=False))
    assert data.schema.names == ("x1", "x2")
    np.testing.assert_array_equal(data.source.x, [[1, 3], [2, 5]])


def test_a_header_of_numbers_if_it_is_said_to_be_one(write):
    assert read([write(b"2019,2020\n3,5\n4,7\n")], ReadOptions(header=True)).schema.names == ("2019", "2020")


def test_one_column(write):
    data = read([write(b"velocity\n9172\n9350\n\n")], ReadOptions())
    np.testing.assert_array_equal(data.source.x, [[9172, 9350]])


def test_thousands(write):
    data = read([write(b"a;b\n1,234,567.5;1\n2,000;3\n")], ReadOptions(thousands=","))
    np.testing.assert_array_equal(data.source.x, [[1234567.5, 2000], [1, 3]])
    data = read([write(b"a;b\n1.234,5;1\n2.000;3\n")], ReadOptions(thousands=".", decimal=","))
    np.testing.assert_array_equal(data.source.x, [[1234.5, 2000], [1, 3]])


def test_a_comma_in_a_name_does_not_mislead(write):
    data = read([write(b"time, s;x, mm, corrected\n1;2.5\n3;4.5\n")], ReadOptions())
    assert data.schema.names == ("time, s", "x, mm, corrected")


def test_quoted_newlines_and_delimiters(write):
    content = b'a,note,"the\nb"\n1,"x,\n""y""\n\n",2\n3,plain,5\n'
    data = read([write(content)], ReadOptions(default_type="numeric"))
    assert data.schema.names == ("a", "the\nb")
    assert "\n" not in data.notices[0].message
    np.testing.assert_array_equal(data.source.x, [[1, 3], [2, 5]])


def test_latin_1(write):
    data = read([write("größe\n1\n3\n".encode("latin-1"))], ReadOptions(encoding="latin-1"))
    assert data.schema.names == ("größe",)


def test_files_are_stacked_by_column_name(write):
    paths = [write(b"a,b,i\n1,2,u\n3,4,v\n", "one.csv"), write(b"i;b;a\nw;6;5\n", "two.csv.txt")]
    data = read(paths, ReadOptions(id="i"))
    np.testing.assert_array_equal(data.source.x, [[1, 3, 5], [2, 4, 6]])
    assert (data.name, data.ids.tolist()) == ("2 files", ["u", "v", "w"])
    digests = "".join(file.sha256 for file in data.inputs)
    assert data.data_sha256 == hashlib.sha256(digests.encode()).hexdigest()


def test_globs_are_expanded_in_order(write):
    for i in (2, 1, 3):
        write(b"a\n%d\n" % i, f"part{i}.csv")
    data = read(["part*.csv"], ReadOptions())
    assert data.source.x.tolist() == [[1, 2, 3]]
    assert [file.name for file in data.inputs] == ["part1.csv", "part2.csv", "part3.csv"]
    write(b"a\n7\n8\n", "odd[1].csv")
    assert read(["odd[1].csv"], ReadOptions()).source.x.tolist() == [[7, 8]]


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PLAIN)))
    data = read(["-"], ReadOptions())
    np.testing.assert_array_equal(data.source.x, ROWS)
    assert (data.name, data.inputs[0].name, data.inputs[0].size) == ("standard input", "-", len(PLAIN))


def test_types(write):
    data = read([write(b"n,x\n0,1.5\n4,2\n")], ReadOptions(types={"n": "count"}))
    assert [column.type for column in data.schema.columns] == ["count", "numeric"]
    assert (data.schema.indices("count"), data.schema.indices("numeric")) == ((0,), (1,))
    data = read([write(b"n,m\n0,3\n4,3\n")], ReadOptions(default_type="count"))  # a constant count is fine
    assert data.schema.indices("count") == (0, 1)


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        (b"k,a\n1,5\n2,3\n3,9\n", {}, ["k"]),
        (b"k,a\n1,5\n2,3\n3,9\n", {"columns": ("k", "a")}, []),
        (b"k,a\n1,5\n3,3\n2,9\n", {}, []),
        (b"Row,a\n1,5\n3,3\n2,9\n", {}, ["Row"]),
        (b"Unnamed: 0,a\n1,5\n3,3\n2,9\n", {}, ["Unnamed: 0"]),
        (b"humid,a\n1,5\n3,3\n2,9\n", {}, []),
    ],
)
def test_a_column_like_an_id_is_pointed_out(write, content, options, expected):
    data = read([write(content)], ReadOptions(**options))
    found = [notice for notice in data.notices if notice.code in ("row_numbers", "looks_like_id")]
    assert [name for name in expected if f"column {name}" in found[0].message] == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    "name", ["id", "patient", "Subject no", "farm_id", "schoolID", "studyid", "nr", "entity", "hhid", "ticketno"]
)
def test_ids_of_several_rows_are_left_out(write, name):
    rows = "".join(f"{10 + i // 3},{i * i % 17}.5\n" for i in range(30))
    file = write(f"{name},a\n{rows}".encode())
    data = read([file], ReadOptions())
    (said,) = [n.message for n in data.notices if n.code == "repeated_ids"]
    assert (data.schema.names, data.id_name) == (("a",), None)
    assert said.startswith(f"left out, being an id of several rows: column {name} (10 ids in 30 rows)")
    assert f"--group {argument(name)} " in said and f"--type {argument(f'{name}=numeric')} " in said
    grouped = read([file], ReadOptions(group=name, sequential=True))
    assert (grouped.schema.names, grouped.notices) == (("a",), ())
    for named in (ReadOptions(types={name: "numeric"}), ReadOptions(columns=(name, "a"))):
        assert read([file], named).schema.names == (name, "a")


@pytest.mark.parametrize(("name", "levels", "left"), [("PID", 7, False), ("PID", 8, True), ("subject", 7, True)])
def test_abbreviations_of_few_numbers_are_no_ids(write, name, levels, left):
    rows = "".join(f"{i % levels},{i * i % 17}.5\n" for i in range(60))
    data = read([write(f"{name},a\n{rows}".encode())], ReadOptions())
    assert (name not in data.schema.names) == left


@pytest.mark.parametrize("name", ["patients", "number", "index", "humid", "no", "bid"])
def test_columns_that_only_sound_like_ids_are_fitted(write, name):
    rows = "".join(f"{10 + i // 3},{i * i % 17}.5\n" for i in range(30))
    assert read([write(f"{name},a\n{rows}".encode())], ReadOptions()).schema.names == (name, "a")


@pytest.mark.parametrize(
    ("cells", "left_out"),
    [
        ("id,a,b\n7,1.5,2\n9,2.5,1\n8,9,4\n", ["id"]),
        ("Customer ID,a\n10001,1.5\n10003,2.5\n10002,9\n", ["Customer ID"]),
        ("a,n,userId\n" + "".join(f"{i * i + 0.5},{i},{77 * i % 101}\n" for i in range(20)), ["n", "userId"]),
        ("case,a\n" + "".join(f"{9900 + 77 * i % 1010},{i * i + 0.5}\n" for i in range(20)), ["case"]),
        ("cases,a\n" + "".join(f"{9900 + 77 * i % 1010},{i * i + 0.5}\n" for i in range(20)), []),
        ("a,identifier\n" + "".join(f"{i * i + 0.5},{77 * i % 101}\n" for i in range(20)), ["identifier"]),
        ("id,a\n1,1.5\n1,2.5\n2,9\n", []),  # of several rows
        ("year,a\n1990,1.5\n1991,2.5\n1992,9\n", []),
        ("n\n1\n2\n3\n", []),  # there is nothing else
        ("paid,a\n100,1.5\n300,2.5\n200,9\n", []),
        ("order_no,a\n100,1.5\n300,2.5\n200,9\n", ["order_no"]),
        ("custid,a\n5001,1.5\n5002,2.5\n5003,9\n", ["custid"]),
        ("a,orderno\n1.5,871\n2.5,333\n9,541\n", ["orderno"]),
        ("Plot No,a\n4,1.5\n12,2.5\n9,9\n8,8.5\n7,3.5\n", ["Plot No"]),
        ("well_yes,well_no\n100,153\n300,212\n200,954\n", []),  # answers
        ("smokes_yes_ill_no,smokes_no_ill_no\n100,153\n300,212\n200,954\n", []),
        ("accident_number,price_index,a\n3,104,1.5\n2700,101,2.5\n41,99,9\n", []),  # how many, and how much
    ],
)
def test_identifiers_are_carried_and_not_fitted(write, cells, left_out):
    data = read([write(cells.encode())], ReadOptions())
    header, *rows = [line.split(",") for line in cells.splitlines()]
    assert [name for name in header if name not in data.schema.names] == left_out
    assert data.id_name == (left_out[0] if left_out else None)
    assert (data.ids and data.ids.tolist()) == ([row[header.index(left_out[0])] for row in rows] if left_out else None)
    named = read([write(cells.encode())], ReadOptions(columns=tuple(header)))
    assert (named.schema.names, named.ids) == (tuple(header), None)
    if len(left_out) < len(header) - 1 and left_out:
        other = read([write(cells.encode())], ReadOptions(id=header[-1]))
        assert (other.id_name, len(other.ids or ())) == (header[-1], len(rows))


def test_large_files_are_read_piece_by_piece(write):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60_000, 5))
    x[50_000, 4] = np.nan  # the last column of a piece further down
    lines = [",".join("" if np.isnan(cell) else repr(float(cell)) for cell in row) for row in x]
    content = ("a,b,c,d,e\n" + "\n".join(lines) + "\n").encode()
    assert len(content) > 1 << 22
    data = read([write(content)], ReadOptions(missing="drop"))
    np.testing.assert_array_equal(data.source.x, np.delete(x, 50_000, axis=0).T)  # to the last bit
    assert data.data_sha256 == hashlib.sha256(content).hexdigest()


def test_whole_numbers_too_large_for_64_bits(write):
    data = read([write(b"a,b\n99999999999999999999,18446744073709551615\n1,-1\n")], ReadOptions())
    assert data.source.x.tolist() == [[1e20, 1], [18446744073709551615.0, -1]]


def test_missing_values_are_those_of_pandas():
    from pandas._libs.parsers import STR_NA_VALUES

    assert set(MISSING) == set(STR_NA_VALUES) - {"None"}  # a level among words


def test_options_do_without_pandas():
    code = "import sys, em_cli.sources.read_options, em_cli.sources.schema; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_warning_gets_out(write):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read([write(b"a,z\n" + b"1,2\n" * 150_000 + b"3,x\n")], ReadOptions(columns=("a",)))
    assert caught == []


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_columnar(tmp_path, kind):
    pytest.importorskip("pyarrow")
    path = tmp_path / f"data.{kind}"
    frame = pd.DataFrame({"i": [7, 8, 9], "a": [1.0, 3, 5], "b": [2.5, 4.5, -6], "t": ["x", "y", "z"]})
    (frame.to_parquet if kind == "parquet" else frame.to_feather)(path)
    data = read([str(path)], ReadOptions(id="i"))
    np.testing.assert_array_equal(data.source.x, ROWS)
    assert data.ids.tolist() == ["7", "8", "9"]
    assert data.inputs[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


fields = st.sampled_from(["1", "", '"a"', '"a\nb"', '"a""\n"', '"\n"', "x y"])


@given(st.lists(st.tuples(fields, fields), min_size=1, max_size=8), st.data())
def test_text_is_cut_between_records_only(table, data):
    lines = [",".join(row) + "\n" for row in table]
    text = "".join(lines)
    seen = data.draw(st.integers(0, len(text)))
    ends = [sum(map(len, lines[:i])) for i in range(len(lines) + 1)]
    assert _end_of_records(text[:seen]) == max(end for end in ends if end <= seen)


def test_a_lone_quote_within_a_field_opens_nothing():
    assert _end_of_records('a,5" pipe\nb,c\nd') == len('a,5" pipe\nb,c\n')
