"""Files that are refused, and words of the one message that says why."""

import bz2
import gzip
import lzma

from tables import Case, zipped

B = "a,b\n1,2\n3.5,4\n5,7.5\n"
b = B.encode()
g = gzip.compress(b)

CASES = [
    Case(
        "utf16le no bom", B.encode("utf-16-le"), ("data.csv is a binary file, not text (line 1", "--encoding utf-16-le")
    ),
    Case(
        "utf16be no bom", B.encode("utf-16-be"), ("data.csv is a binary file, not text (line 1", "--encoding utf-16-be")
    ),
    Case(
        "utf16 odd", B.encode("utf-16")[:-1], ("data.csv, line 4: byte 0x0a is not valid in utf-16", "--encoding right")
    ),
    Case(
        "latin",
        ("größe,b\n1,2\n3,4.5\n").encode("latin-1"),
        ("data.csv, line 1: byte 0xf6 is not", "--encoding cp1252"),
    ),
    Case(
        "first row of places",
        'CN1,01,"Autauga, AL","23,288  ",9.7\nPA1,03,"Baldwin, AL","81,706  ",9.1\nCN3,05,"Bibb, AL","8,619  ",3.4\n',
        ("looks header-less", "--no-header"),
    ),
    Case("mixed bad", "a,b\r\n1,2\n3,4.5\rx?,6\r\n9,8\n7,6\n", ("column 'a' is not numeric: line 4", "--na 'x?'")),
    Case("cr bad", 'a,b\r1,2\r"3",4.5\rx?,6\r9,8\r7,6\r', ("column 'a' is not numeric: line 4 holds", "--na 'x?'")),
    Case("nel sep", "a,b\u20281,2\u20283,4\n", ("data.csv has a header but no row of data.",)),
    Case(
        "quoted newline bad after",
        's,b\n"x\ny",1\n"z\n\nw",2\nq,-\nr,4\n',
        ("column 'b' is not numeric:", "--na -"),
        {"columns": ("b",)},
    ),
    Case(
        "quoted newline crlf bad after",
        's,b\r\n"x\r\ny",1\r\n"z\r\n\r\nw",2\r\nq,-\r\nr,4\r\n',
        ("column 'b' is not numeric:", "--na -"),
        {"columns": ("b",)},
    ),
    Case(
        "quoted newline cr inside lf",
        's,b\n"x\ry",1\n"z",2\nq,-\nr,4\n',
        ("column 'b' is not numeric:", "--na -"),
        {"columns": ("b",)},
    ),
    Case("quoted newline itself bad", 'a,b\n1,2\n"3\n4",5\n6,7\n8,9\n', ("column 'a' is not numeric:", "--exclude a")),
    Case("blank lines bad after", "a,b\n\n\n1,2\n   \n-,3\n4,5\n", ("column 'a' is not numeric: line", "--na -")),
    Case("ragged long", "a,b\n1,2\n3,4,5\n", ("line 3 has 3 fields, the header has 2. (A decimal", "--delimiter ';'")),
    Case("ragged short", "a,b\n1,2\n3\n4,5\n", ("line 3 has 1 field, the header has 2. Is the file",)),
    Case("nul", "a,b\n1,2\n3,\x004\n", ("data.csv is a binary file, not text (line 3 holds a NUL",)),
    Case("nul head", "a\x00,b\n1,2\n", ("data.csv is a binary file, not text (line 1 holds a NUL",)),
    Case("nul quoted", 'a,b\n1,"2\x00"\n', ("data.csv is a binary file, not text (line 2 holds a NUL",)),
    Case("semi dec comma", "a;b\n1,5;2\n3,25;4\n5,5;7,5\n", ("column 'a' is not numeric: line 2", "--decimal ','")),
    Case("semi dec comma, all ints but one", "a;b\n1;2\n3;4\n5,5;7\n", ("column 'a' is not numeric:", "--decimal ','")),
    Case(
        "semi deccomma delim given",
        "a;b\n1,5;2\n3,25;4\n",
        ("column 'a' is not numeric:", "--decimal ','"),
        {"delimiter": ";"},
    ),
    Case(
        "tab dec comma", "a\tb\n1,5\t2\n3,25\t4\n", ("column 'a' is not numeric: line 2 holds '1,5'", "--decimal ','")
    ),
    Case("comma+deccomma quoted", 'a,b\n"1,5",2\n"3,25",4\n', ("column 'a' is not numeric: line 2", "--decimal ','")),
    Case(
        "thousands quoted", 'a,b\n"1,500",2\n"3,250",4\n"12,000",5\n', ("column 'a' is not numeric:", "--decimal ','")
    ),
    Case(
        "thousands bad grouping given",
        'a,b\n"1,5",2\n"3,250",4\n"1,2,3",5\n',
        ("column 'a' is not numeric:", "--exclude a"),
        {"thousands": ","},
    ),
    Case(
        "thousands bad dot",
        "a;b\n1.5;2\n3.250,25;4\n",
        ("column 'a' is not numeric:", "--decimal "),
        {"decimal": ",", "thousands": "."},
    ),
    Case(
        "thousands space", "a;b\n1 500;2\n3 250;4\n", ("column 'a' is not numeric: line 2 holds '1", "--thousands ' '")
    ),
    Case(
        "thousands nbsp", "a;b\n1\u00a0500;2\n3\u00a0250;4\n", ("column 'a' is not numeric: line 2", "--thousands ' '")
    ),
    Case(
        "thousands nnbsp", "a;b\n1\u202f500;2\n3\u202f250;4\n", ("column 'a' is not numeric: line 2", "--thousands ' '")
    ),
    Case(
        "dec comma given but dots",
        "a;b\n1.5;2\n3.25;4\n",
        ("column 'a' is not numeric:", "--decimal "),
        {"decimal": ","},
    ),
    Case(
        "comments", "# hi\na,b\n# x\n1,2\n3,4.5\n", ("line 2 has 2 fields, the header has 1. If the", "--comment '#'")
    ),
    Case(
        "comment bad after",
        "# hi\na,b\n# x\n1,2\n-,4.5 # y\n3,4\n6,7\n",
        ("column 'a' is not numeric:", "--na -"),
        {"comment": "#"},
    ),
    Case("comments no option single col", "# a\nx\n1\n2\n", ("column '# a' is not numeric: line 2", "--na x")),
    Case("comments % matlab", "% hi\na,b\n1,2\n3,4\n", ("line 2 has 2 fields, the header has 1. If", "--comment '%'")),
    Case("preamble", "Report of today\n\na,b\n1,2\n3,4.5\n", ("line 3 has 2 fields, the header has",)),
    Case(
        "keyed lines above the header",
        "Title,Areas\nDate,2020\n\nArea,m,f\nx,1,2\ny,3,4.5\n\n(c) Crown\n",
        ("line 4 has 3 fields, the header has 2. (Is it the header?", "--skip 3"),
    ),
    Case("units row", "a,b\ncm,kg\n1,2\n3,4.5\n2,7\n", ("column 'a' is not numeric: line 2 holds", "--na cm")),
    Case("no header", "1,2\n3,4.5\n", ("data.csv looks header-less: the column names would be '1'", "--header to")),
    Case("dup header", "a,a\n1,2\n3,4\n", ("data.csv, line 1: the column name 'a' stands 2 times in",)),
    Case("dup blank", "a,a \n1,2\n3,4\n", ("data.csv, line 1: the column name 'a' stands 2 times in",)),
    Case("empty name", "a,,c\n1,2,3\n2,3,4\n", ("data.csv, line 1: column 2 has no name in the",)),
    Case("quoted empty", 'a,""\n1,2\n3,4\n', ("line 2 has 2 fields, the header has 1 with a name and",)),
    Case(
        "first row short (R)", "b,c\n1,2,3\n2,4.5,3.5\n", ("line 2 has 3 fields, the header has 2", "--delimiter ';'")
    ),
    Case(
        "wide ragged",
        ",".join(f"c{i}" for i in range(5000))
        + "\n"
        + "\n".join(",".join(str((i * j) % 97 / 7) for i in range(1, 5001)) for j in range(1, 4))
        + ",1\n",
        ("line 4 has 5,001 fields, the", "--delimiter ';'"),
    ),
    Case("long number", "b\n1\n2\n" + "1" * 5000 + "\n", ("data.csv, row 3 (line 4), column 'b':",)),
    Case("csv named gz", b, ("d.csv.gz is not a valid .gz file: it does not begin like one. If it",), {}, "d.csv.gz"),
    Case("gz trunc", gzip.compress(b * 500)[:-30], ("d.csv.gz is cut short: the compressed data end",), {}, "d.csv.gz"),
    Case("gz trunc named csv", gzip.compress(b * 500)[:-30], ("d.csv is cut short: the compressed data",), {}, "d.csv"),
    Case(
        "gz crc", g[:-8] + b"\0\0\0\0" + g[-4:], ("d.csv.gz is not a valid .gz file: CRC check failed",), {}, "d.csv.gz"
    ),
    Case(
        "gz trailing junk", g + b"junkjunk", ("d.csv.gz is not a valid .gz file: Not a gzipped file",), {}, "d.csv.gz"
    ),
    Case("gz empty", b"", ("d.csv.gz is empty.",), {}, "d.csv.gz"),
    Case("gz of empty", gzip.compress(b""), ("d.csv.gz is empty.",), {}, "d.csv.gz"),
    Case("gz header only", g[:5], ("d.csv.gz is cut short: the compressed data end too early.",), {}, "d.csv.gz"),
    Case("gz of gz", gzip.compress(g), ("d.csv.gz is a binary file, not text (line 1 holds a NUL",), {}, "d.csv.gz"),
    Case(
        "bz2 trunc", bz2.compress(b * 500)[:-9], ("d.csv.bz2 is cut short: the compressed data end",), {}, "d.csv.bz2"
    ),
    Case(
        "xz trunc", lzma.compress(b * 500)[:-9], ("d.csv.xz is cut short: the compressed data end too",), {}, "d.csv.xz"
    ),
    Case("zip two", zipped([("d.csv", B), ("e.csv", B)]), ("d.zip holds 2 files (d.csv, e.csv); one is",), {}, "d.zip"),
    Case("zip none", zipped([]), ("d.zip holds no file; one is needed. Unpack it and name the file",), {}, "d.zip"),
    Case(
        "zip hostile names", zipped([("\x1b[31m../../e\n.csv", B), ("e.csv", B)]), ("d.zip holds 2 files",), {}, "d.zip"
    ),
    Case("zip trunc", zipped([("d.csv", B)])[:-10], ("d.zip is not a valid .zip file: File is not a",), {}, "d.zip"),
    Case(
        "zip xlsx",
        zipped([("[Content_Types].xml", "x"), ("xl/workbook.xml", "x")]),
        ("d.csv is a spreadsheet, not",),
        {},
        "d.csv",
    ),
    Case("pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj", ("d.csv is a PDF document, not text.",), {}, "d.csv"),
    Case("html", "<!DOCTYPE html>\n<html><body>Not found</body></html>\n", ("data.csv is a page of HTML or",)),
    Case("json", '{"a": [1,2]}\n', ("data.csv is JSON, not delimited text: write the rows as CSV.",)),
    Case("json lines", '{"a": 1, "b": 2}\n{"a": 2, "b": 3}\n', ("data.csv is JSON, not delimited",)),
    Case("xlsx magic", b"PK\x03\x04" + b"\0" * 100, ("data.csv is not a valid .zip file: File is not a",)),
    Case("xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, ("data.csv is a spreadsheet or",)),
    Case("elf", b"\x7fELF\x02\x01\x01" + b"\0" * 100, ("data.csv is a binary file, not text (line 1",)),
    Case("empty", "", ("data.csv is empty.",)),
    Case("only newline", "\n", ("data.csv is empty: it holds neither a header nor data.",)),
    Case("only bom", "\ufeff", ("data.csv is empty: it holds neither a header nor data.",)),
    Case("only bom16", b"\xff\xfe", ("data.csv is empty: it holds neither a header nor data.",)),
    Case("header only", "a,b", ("data.csv has a header but no row of data.",)),
    Case("header only nl", "a,b\n\n\n", ("data.csv has a header but no row of data.",)),
    Case("one cell", "a\n1", ("has one row that can be fitted", "no spread of 'a' (1). A fit needs two rows.")),
    Case("spaces", "  \n  \n", ("data.csv is empty: it holds neither a header nor data.",)),
    Case("only delims", ",,,\n,,,\n", ("data.csv, line 1: column 1 has no name in the header. If",)),
    Case("only quotes", '""\n""\n', ("data.csv, line 1: column 1 has no name in the header. If lines",)),
    Case("one quote", '"', ('data.csv, line 1: a quote (") is opened here and never closed.',)),
    Case("open quote header", '"a,b\n1,2\n', ("data.csv has a header but no row of data.",)),
    Case("open quote", 'a,b\n1,2\n"3,4\n5,6\n', ('data.csv, line 3: a quote (") is opened here and',)),
    Case("quote junk", 'a,b\n"1"x,2\n3,4\n5,6\n', ("column 'a' is not numeric: line 2 holds '1x'", "--na 1x")),
    Case("quote inside", 'a,b\n1"2,2\n3,4\n5,6\n', ("column 'a' is not numeric: line 2 holds '1\"2'", "--na '1\"2'")),
    Case("single quotes", "s,b\n'x,y',1\n'x,y',2\n", ("line 2 has 3 fields, the header has 2. (Row",)),
    Case("space before quote", 'a, "b"\n1, "2"\n3, "4,5"\n', ("column 'b' is not numeric: line 3", "--decimal ','")),
    Case("bools & 01", "a,b\nTRUE,1\n0,2.5\n1,3\nFALSE,4\n", ("column 'a' is not numeric: line 2", "--na TRUE")),
    Case(
        "bool as count",
        "a,b\nTRUE,1\nFALSE,2\n",
        ("column 'a' is not numeric:", "--exclude a"),
        {"types": {"a": "count"}},
    ),
    Case("delim colon", "a:b\n1:2\n3:4.5\n", ("data.csv looks separated by colons: pass --delimiter", "--delimiter :")),
    Case("numbers and blanks", "1 2.5\n3 4.5\n5 2\n", ("separated by blanks: pass --delimiter ' ' --no-header; or",)),
    Case(
        "delim wrong",
        B,
        ("data.csv has no column that can be fitted: 'a,b' holds nothing, or text", "=categorical takes"),
        {"delimiter": ";"},
    ),
    Case("ambiguous delim", "a;b,c\n1;2,5\n3;4,5\n", ("data.csv may be separated by ',' or by ';':",)),
    Case("delim nul", B, ("--delimiter must be one character, not '\\x00'.",), {"delimiter": "\x00"}, status=2),
    Case("delim é", "aéb\n1é2\n3é4.5\n", ("--delimiter must be an ASCII character",), {"delimiter": "é"}, status=2),
    Case("delim emoji", "a😀b\n1😀2\n3😀4.5\n", ("--delimiter must be an ASCII",), {"delimiter": "😀"}, status=2),
    Case("decimal x", "a;b\n1x5;2\n3x5;4\n", ("--decimal 'x' would be part of numbers.",), {"decimal": "x"}, status=2),
    Case("decimal digit", B, ("--decimal '1' would be part of numbers.",), {"decimal": "1"}, status=2),
    Case("thousands digit", B, ("--thousands '1' would be part of numbers.",), {"thousands": "1"}, status=2),
    Case(
        "thousands minus", "a,b\n-1,2\n3,4\n2,3.5\n", ("--thousands '-' would be part",), {"thousands": "-"}, status=2
    ),
    Case("decimal é", "a;b\n1é5;2\n3é5;4\n", ("--decimal 'é' would be part of numbers.",), {"decimal": "é"}, status=2),
    Case("thousands é", "a;b\n1é555;2\n3é555;4\n", ("--thousands 'é' would be part",), {"thousands": "é"}, status=2),
    Case("delim space char", B, ("data.csv has no column that can be fitted: 'a,b'",), {"delimiter": " "}),
    Case("delim \\r", B, ("--delimiter must be one character, not '\\r'.",), {"delimiter": "\r"}, status=2),
    Case("thousands dot", "a;b\n1.500;2\n3.250;4\n", ("--thousands and --decimal are",), {"thousands": "."}, status=2),
    Case(
        "Na case",
        "a,b\n1,2\nna,4.5\n3,5\nNan,1.5\nNULL,8\nnull,9\nNone,1\nnone,4\n9,1\n8,1\n7,1\n6,2\n5,6\n",
        ("column 'a' is not numeric:", "--na na"),
    ),
    Case("1 row", "a,b\n1,2\n", ("has one row that can be fitted", "'a' (1), 'b' (2). A fit needs two rows.")),
    Case("2 equal rows", "a,b\n1,2\n1,2\n", ("columns 'a' (1), 'b' (2) are constant: no spread can", "--exclude a")),
    Case("all missing", "a,b\n,\n,\n", ("data.csv has no column that can be fitted: 'a', 'b' hold",)),
    Case("all NA", "a,b\nNA,NA\nNA,NA\n", ("data.csv has no column that can be fitted: 'a', 'b' hold",)),
    Case("weights all missing", "a,w\n1,\n2,\n", ("data.csv, row 1 (line 2), column",), {"weights": "w"}),
    Case("weights inf", "a,w\n1,inf\n2,1\n3,1\n", ("data.csv, row 1 (line 2), column",), {"weights": "w"}),
    Case("weights 1e308", "a,w\n1,1e308\n2,1e308\n3,1e308\n", ("row 1 (line 2), column 'w'",), {"weights": "w"}),
    Case("labels empty", "a,l\n1,\n2,\n3,\n", ("column 'l' is empty: no component is",), {"labels": "l"}),
    Case("-0", "a\n-0\n0\n0\n", ("column 'a' is constant (every value is 0): no spread can be", "--exclude a")),
    Case("weights tiny", "a,w\n1,1e-320\n2,1e-320\n3,1\n", ("line 2", "'w'", "not between"), {"weights": "w"}),
    Case("weights huge", "a,w\n1,1\n2,1e16\n3,1\n", ("line 3", "'w'", "not between 1e-15"), {"weights": "w"}),
    Case("scale 1e300", "a\n1e300\n-1e300\n5e299\n", ("row 1 (line 2), column 'a'", "too large")),
    Case("scale 1e-300", "a\n1e-300\n2e-300\n5e-300\n", ("column 'a' varies by 4e-300 only",)),
    Case("subnormal", "a\n1e-320\n2e-320\n5e-320\n", ("column 'a' varies by 4e-320 only",)),
    Case("count 2^60", "n\n1152921504606846976\n3\n", ("line 2", "more than 1e+12"), {"types": {"n": "count"}}),
]
