"""What is said about files that cannot be used: each case is a file, options, and what the message must hold."""

import gzip
import io
import re
import sys
import zipfile
from pathlib import Path

import pytest

from em_cli.errors import DataError, UsageError
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read

FAITHFUL = b"eruptions,waiting\n3.6,79\n1.8,54\n3.3,74\n"
TEXT = b"age,b\n" + b"20,1\n30,2\n" * 10 + b"n/a?,3\n-,4\nn/a?,5\n"

CASES = {
    "empty": (b"", {}, "data.csv is empty."),
    "blank": (b"\n \n", {}, "data.csv is empty: it holds neither a header nor data."),
    "comments only": (b"# a\n# b\n", {"comment": "#"}, "data.csv is empty: it holds neither"),
    "header only": (b"a,b\n", {}, "data.csv has a header but no row of data."),
    "binary": (b"a,b\n1,2\n\0\0\n", {}, "data.csv is a binary file, not text (line 3 holds a NUL byte)."),
    "binary, not UTF-8": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", {}, "is a binary file"),
    "UTF-16 without BOM": ("a,b\n1,2\n".encode("utf-16-le"), {}, "pass --encoding utf-16-le"),
    "Latin-1": (
        "a,b\n1,x\n2,é\n".encode("latin-1"),
        {},
        "data.csv, line 3: byte 0xe9 is not valid in UTF-8. "
        "If it comes from an older Windows program in a Western language, pass --encoding cp1252; else name its own.",
    ),
    "Latin-1, old Macintosh": ("a,b\r1,x\r2,é\r".encode("latin-1"), {}, "line 3: byte 0xe9"),
    "wrong encoding given": (b"a,b\n1,\xe9\n", {"encoding": "ascii"}, "line 2: byte 0xe9 is not valid in ascii"),
    "UTF-16 that is not": (FAITHFUL, {"encoding": "utf-16"}, "data.csv is not in utf-16"),
    "too many fields": (
        b"a,b,c\n1,2,3\n\n4,5,6\n7,8,9,10\n",
        {},
        "data.csv: line 5 has 4 fields, the header has 3. (A decimal comma? Try --delimiter ';' --decimal ','.)",
    ),
    "too many fields at once": (b"a,b\n1,2,3\n4,5,6\n", {}, "data.csv: line 2 has 3 fields, the header has 2."),
    "too many fields, all missing": (b"a,b\nx,1,NA\ny,2,NA\n", {}, "data.csv: line 2 has 3 fields, the header has 2."),
    "too many fields, semicolons": (b"a;b\n1;2;3\n", {}, "data.csv: line 2 has 3 fields, the header has 2."),
    "too many fields, after a quoted newline": (b'a,b\n"x\ny",2\n1,2,3\n', {}, "line 4 has 3 fields"),
    "too many fields, comments": (b"#\na,b # c\n#\n1,2\n1,2,3\n", {"comment": "#"}, "line 5 has 3 fields"),
    "too few fields": (b"a,b,c\n1,2,3\n4,5\n", {}, "line 3 has 2 fields, the header has 3. Is the file cut short?"),
    "too few fields, missing cells": (b"a,b\n1,\n4\n", {"missing": "drop"}, "line 3 has 1 field, the header has 2."),
    "too few fields, one too many elsewhere": (b"a,b\n1,2,\n4\n", {}, "data.csv: line 3 has 1 field,"),
    "too few fields, quoted delimiters": (b'a,b\n"x,y",\n4\n', {}, "data.csv: line 3 has 1 field,"),
    "too few fields, ids": (b"a,i\n1,x\n4\n", {"id": "i"}, "line 3 has 1 field"),
    "too few fields, no header": (b"1,2\n4\n", {"header": False}, "line 2 has 1 field, the first line has 2."),
    "open quote": (b'a,b\n1,2\n3,"4\n5,6\n', {}, 'data.csv, line 3: a quote (") is opened here and never closed.'),
    "duplicate names": (
        b"a,b,a\n1,2,3\n",
        {},
        "data.csv, line 1: the column name 'a' stands 2 times in the header (columns 1 and 3).",
    ),
    "no name, last": (b"a,b,\n1,2,\n3,4,5\n", {}, "line 3 has 3 fields, the header has 2 with a name and 1 without."),
    "no name, amid": (b"a,,b\n1,2,\n", {}, "data.csv, line 1: column 2 has no name in the header."),
    "no name, first two": (b',,a\n"1",2,3\n', {}, "column 1 has no name in the header. If lines stand above"),
    "header-less": (
        b"3.6,79\n1.8,54\n",
        {},
        "data.csv looks header-less: the column names would be '3.6' and '79'. "
        "Use --no-header, or --header to keep them.",
    ),
    "header-less, decimal commas": (b"3,6;79\n", {"decimal": ","}, "looks header-less"),
    "header-less, one column": (b"3.6\n1.8\n", {}, "the only column name would be '3.6'"),
    "unknown in columns": (
        FAITHFUL,
        {"columns": ("eruption",)},
        "column 'eruption' is not in data.csv (columns: eruptions, waiting). Did you mean 'eruptions'?",
    ),
    "unknown, nothing near": (FAITHFUL, {"exclude": ("zz",)}, "'zz' is not in data.csv (columns: eruptions, waiting)."),
    "unknown id": (FAITHFUL, {"id": "Waiting"}, "Did you mean 'waiting'?"),
    "unknown in types": (FAITHFUL, {"types": {"wating": "count"}}, "Did you mean 'waiting'?"),
    "nothing numeric": (
        b"a,b\nx,\ny,\n",
        {"default_type": "numeric"},
        "data.csv has no column that can be fitted: 'a', 'b' hold nothing, or text that names",
    ),
    "nothing but names": (b"a,b\nx,\ny,\nz,\n", {}, "has no column that can be fitted: 'a', 'b' hold nothing"),
    "one level": (
        b"a,s\n1,x\n2,x\n3,x\n",
        {"types": {"s": "categorical"}},
        "data.csv: column 's' is constant (every value is 'x'): no spread can be fitted. Use --exclude s.",
    ),
    "three levels of two": (
        b"a,s\n1,x\n2,y\n3,z\n",
        {"types": {"s": "binary"}},
        "data.csv: column 's' has type binary, but 3 levels (x, y, z). Use --type s=categorical.",
    ),
    "not positive": (
        b"a,s\n1,2\n2,0\n3,1\n",
        {"types": {"s": "positive"}},
        "column 's' has type positive, but line 3 holds '0', which is not a number above 0. Use --type s=numeric, or",
    ),
    "no proportion": (
        b"a\n0.5\n1\n",
        {"types": {"a": "proportion"}},
        "line 3 holds '1', which is not a number above 0",
    ),
    "negative weight": (
        b"a,w\n1,2\n2,-1\n",
        {"weights": "w"},
        "data.csv, row 2 (line 3), column 'w': the weight -1 is negative.",
    ),
    "weight that is none": (b"a,w\n1,2\n2,x\n", {"weights": "w"}, "row 2 (line 3), column 'w': the weight is 'x'; it"),
    "weight missing": (b"a,w\n1,2\n2,\n", {"weights": "w"}, "row 2 (line 3), column 'w': the weight is missing; it"),
    "weights of nothing": (b"a,w\n1,0\n2,0\n", {"weights": "w"}, "every weight in column 'w' is 0"),
    "unknown weights": (b"a,w\n1,0\n2,0\n", {"weights": "v"}, "column 'v' is not in data.csv (columns: a, w)."),
    "nothing left": (b"a\n1\n", {"exclude": ("a",)}, "no column left to fit"),
    "text among numbers": (
        TEXT,
        {},
        "data.csv: column 'age' is not numeric: line 22 holds 'n/a?' "
        "(3 such values in 2 forms: 'n/a?', '-'). Use --na 'n/a?' --na -, or --exclude age, "
        "or --type age=categorical.",
    ),
    "text, once": (b"a\n1\n2\nx\n", {}, "line 4 holds 'x' (the only such value). Use --na x, or --exclude a, or"),
    "text, alike": (b"a\n1\n2\n-\n3\n-\n", {}, "(2 such values, all alike). Use --na -"),
    "text in several columns": (
        b"a,b,c,d,e\n1,2,3,4,5\n2,3,4,5,6\nx,y,z,7,u\n",
        {},
        "column 'a' is not numeric: line 4 holds 'x' (the only such value). Use --na x, or --exclude a, or --type "
        "a=categorical. Column 'b' is not numeric: line 4 holds 'y' (the only such value). Use --na y, or --exclude b, "
        "or --type b=categorical. Column 'c' is not numeric: line 4 holds 'z' (the only such value). Use --na z, or "
        "--exclude c, or --type c=categorical. So it is with 'e'.",
    ),
    "text, asked for": (
        b"s,b\nx,1\ny,2\nz,3\n",
        {"columns": ("s", "b"), "default_type": "numeric"},
        "(3 such values in 3 forms: 'x', 'y', 'z'). Text is no number: use --columns without s.",
    ),
    "text, given a type": (b"s,b\nx,1\ny,2\n", {"types": {"s": "count"}}, "column 's' is not numeric"),
    "truths, asked for": (b"s\nTRUE\nFALSE\n", {"columns": ("s",), "default_type": "numeric"}, "line 2 holds 'TRUE'"),
    "decimal commas": (b"a;b\n1,5;2\n2,25;3\n", {}, "If these are numbers, try --decimal ','; else --exclude a."),
    "comma for one or the other": (b"a;b\n1,500;2\n", {}, "try --decimal ',' or --thousands ',';"),
    "decimal comma and thousands": (b"a;b\n1.500,5;2\n3,5;2\n", {}, "try --decimal ',' --thousands .; else"),
    "empty, asked for": (
        b"a,b\n,1\nNA,2\n",
        {"columns": ("a",)},
        "data.csv: column 'a' is empty. Use --columns without",
    ),
    "not a count": (
        b"n,b\n1,2\n2.5,3\n",
        {"types": {"n": "count"}},
        "data.csv: column 'n' has type count, but line 3 holds '2.5', which is not a whole number from 0 up. "
        "Use --type n=numeric, or --exclude n.",
    ),
    "negative count": (b"n\n1\n-2\n", {"default_type": "count"}, "line 3 holds '-2'"),
    "infinite": (
        b"a,mass\n1,2\n\n2,-inf\n3,-inf\n",
        {},
        "data.csv, row 2 (line 4), column 'mass': '-inf' is not a finite number. "
        "If it marks a missing value, use --na -inf; else correct the cell.",
    ),
    "too large": (b"a\n1\n1e400\n", {}, "data.csv, row 2 (line 3), column 'a': '1e400' is not a finite number."),
    "too large, as is their sum": (b"a\n1e308\n1.5e308\n", {}, "column 'a': '1e308' is too large to compute with"),
    "missing": (
        b"a,b\n1,2\n,\n3,NA\n4,5\n",
        {"missing": "error"},
        "data.csv: 2 of 4 rows have missing cells (a: 1, b: 2); the first is row 2 (line 3), then 3. "
        "Use --missing model to fit them by their other cells, --missing drop to leave them out, or --exclude b.",
    ),
    "missing, all": (b"a,b\n1,\n,2\n", {"missing": "drop"}, "every row has a missing cell (a: 1, b: 1)"),
    "constant": (
        b"a,c\n1,3.5\n2,3.5\n",
        {"types": {"c": "numeric"}},
        "data.csv: column 'c' is constant (every value is 3.5): no spread can be fitted. Use --exclude c.",
    ),
    "constant without the rows dropped": (b"a,c\n1,3\n2,3\n,4\n", {"missing": "drop"}, "column 'c' is constant"),
    "constants": (
        b"a,c,d\n1,3,4\n2,3,4\n",
        {"columns": ("a", "c", "d")},
        "columns 'c' (3), 'd' (4) are constant: no spread can be fitted.",
    ),
    "nothing but constants": (b"c,d\n3,4\n3,4\n", {}, "columns 'c' (3), 'd' (4) are constant: no spread can be fitted"),
}


def refused(options: dict, *names: str) -> str:
    with pytest.raises(DataError) as error:
        read(names, ReadOptions(**options))
    return str(error.value)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("content", "options", "expected"), CASES.values(), ids=CASES)
def test_bad_file(content, options, expected):
    Path("data.csv").write_bytes(content)
    assert expected in refused(options, "data.csv")


@pytest.mark.parametrize(("content", "options", "expected"), CASES.values(), ids=CASES)
def test_bad_standard_input_is_told_the_same_way(content, options, expected, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert expected.replace("data.csv", "standard input") in refused(options, "-")


def test_no_such_file():
    assert refused({}, "nowhere.csv") == "nowhere.csv does not exist."
    assert refused({}, "*.csv") == "no file matches '*.csv'."


def test_folder():
    Path("data").mkdir()
    assert "data is a folder, not a file." in refused({}, "data")


def test_files_that_do_not_match():
    Path("one.csv").write_bytes(b"a,b\n1,2\n")
    Path("two.csv").write_bytes(b"a\n1\n")
    assert "two.csv lacks column 'b', which one.csv has (its columns: a)." in refused({}, "one.csv", "two.csv")
    assert "one.csv has column 'b', which two.csv lacks." in refused({}, "two.csv", "one.csv")


def test_the_file_with_the_bad_cell_is_named():
    Path("one.csv").write_bytes(b"a\n1\n2\n")
    Path("two.csv").write_bytes(b"a\n1\n-\n")
    assert "two.csv: column 'a' is not numeric: line 3 holds '-'" in refused({}, "one.csv", "two.csv")
    message = refused({"na": ("-",), "missing": "error"}, "one.csv", "two.csv")
    assert "2 files: 1 of 4 rows has missing cells (a: 1); the first is row 2 (line 3) of two.csv." in message


def test_bad_cells_far_down():
    lines = [b"%d,%d\n" % (i, i % 7) for i in range(900_000)]
    lines[800_000] = b"x,1\n"
    Path("data.csv").write_bytes(b"a,b\n" + b"".join(lines))
    assert "line 800002 holds 'x' (the only such value)" in refused({}, "data.csv")
    lines[800_000] = b"1\n"
    Path("data.csv").write_bytes(b"a,b\n" + b"".join(lines))
    assert "line 800002 has 1 field" in refused({}, "data.csv")
    lines[800_000] = b"1,2,3\n"
    Path("data.csv").write_bytes(b"a,b\n" + b"".join(lines))
    assert "line 800002 has 3 fields" in refused({}, "data.csv")


def test_broken_archives():
    Path("a.csv.gz").write_bytes(b"a,b\n1,2\n")
    assert "a.csv.gz is not a valid .gz file" in refused({}, "a.csv.gz")
    Path("b.csv.gz").write_bytes(gzip.compress(FAITHFUL * 100)[:-20])
    assert "b.csv.gz is cut short" in refused({}, "b.csv.gz")
    for suffix in (".bz2", ".xz", ".zip"):
        Path("c.csv" + suffix).write_bytes(b"a,b\n1,2\n" * 100)
        assert f"is not a valid {suffix} file" in refused({}, "c.csv" + suffix)
    with zipfile.ZipFile("d.zip", "w") as archive:
        archive.writestr("one.csv", "a\n1\n")
        archive.writestr("two.csv", "a\n1\n")
    assert "d.zip holds 2 files (one.csv, two.csv); one is needed." in refused({}, "d.zip")


def test_extras_that_are_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    Path("a.parquet").write_bytes(b"PAR1")
    Path("a.csv.zst").write_bytes(b"(\xb5/\xfd")
    assert 'reading .parquet files needs pip install "em-cli[parquet]".' in refused({}, "a.parquet")
    assert 'reading .zst files needs pip install "em-cli[zst]".' in refused({}, "a.csv.zst")


NASTY = "\x1b[31m\u202e\x07"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (f"a\n1\n2\n{NASTY}\n", {}),
        (f"{NASTY},b\n1,x\n2,y\n", {"columns": ("a",)}),
        (f"{NASTY},b\n1,1\n1,2\n", {"types": {NASTY: "numeric"}}),
        (f"{NASTY},b\n,1\n1,2\n", {"types": {NASTY: "numeric"}}),
        (f"{NASTY},{NASTY}\n1,1\n", {}),
        (f"{NASTY},b\n1,inf{NASTY}\n", {"columns": ("b",)}),
        (f'"{NASTY}\n{NASTY}"\nx\n', {}),
    ],
)
def test_control_characters_do_not_reach_the_terminal(content, options):
    Path("data.csv").write_text(content, encoding="utf-8")
    message = refused(options, "data.csv")
    assert message.isprintable()
    assert "\\x1b" in message or "line" in message


def test_messages_are_short():
    header = ",".join(f"column_number_{i}" for i in range(1000))
    Path("data.csv").write_text(header + "\n" + ",".join(["1"] * 1000) + "\n" + "," * 999 + "\n")
    assert "column_number_19, … 1,000 in all)" in refused({"columns": ("x",)}, "data.csv")
    assert len(refused({}, "data.csv")) < 1000  # missing cells
    assert len(refused({"missing": "drop"}, "data.csv")) < 1000  # constant columns
    for content in ("a\n1\n2\n" + "long " * 1000, "long " * 1000 + "\n1\n2\nx", "a\n1\n2\n1" + "0" * 5000):
        Path("data.csv").write_text(content + "\n")
        assert len(refused({}, "data.csv")) < 1000


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"types": {"a": "numerical"}}, "--type a=numerical: unknown type 'numerical'. Did you mean 'numeric'?"),
        ({"types": {"a": "x"}}, "(known: numeric, positive, proportion,"),
        ({"delimiter": "::"}, "--delimiter must be one character, not '::'."),
        ({"comment": "//"}, "--comment must be one character"),
        ({"decimal": ",", "thousands": ","}, "--thousands and --decimal are both ','."),
        ({"encoding": "latin-99"}, "--encoding 'latin-99' is not an encoding known to Python."),
        ({"encoding": "base64"}, "--encoding 'base64' is not an encoding"),
        ({"columns": ()}, "--columns names no column."),
        ({"columns": ("a", "a")}, "--columns names 'a' twice."),
        ({"columns": ("a",), "exclude": ("a",)}, "column 'a' is in --columns and in --exclude."),
        ({"columns": ("a",), "id": "a"}, "column 'a' is given as --id; it cannot be fitted as well."),
        ({"columns": ("a",), "types": {"b": "count"}}, "--type b=count: column 'b' is not among the columns to fit."),
        ({"exclude": ("b",), "types": {"b": "count"}}, "column 'b' is not among the columns to fit."),
        ({"missing": "dropp"}, "--missing: unknown policy 'dropp'. Did you mean 'drop'?"),
    ],
)
def test_options_that_make_no_sense(options, expected):
    with pytest.raises(UsageError, match=re.escape(expected)):
        ReadOptions(**options)
