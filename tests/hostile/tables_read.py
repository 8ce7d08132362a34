"""Files that are read without a guess, and the cells that they hold."""

import bz2
import gzip
import lzma
import zipfile

from tables import Case, zipped

B = "a,b\n1,2\n3.5,4\n5,7.5\n"
b = B.encode()
g = gzip.compress(b)

CASES = [
    Case("plain", B, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}),
    Case("blanks between", "a b\n1 2\n3 4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("columns called by numbers", ",0\n1821,269\n1822,321\n1823,585\n", {"0": [269.0, 321.0, 585.0]}),
    Case("bom8", "\ufeff" + B, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}),
    Case("bom twice", "\ufeff\ufeff" + B, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}),
    Case("bom in quoted header", '\ufeff"a","b"\n1,2\n3,4.5\n', {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("utf16", B.encode("utf-16"), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}),
    Case(
        "utf16le given", B.encode("utf-16-le"), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {"encoding": "utf-16-le"}
    ),
    Case(
        "utf16le given with bom",
        b"\xff\xfe" + B.encode("utf-16-le"),
        {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]},
        {"encoding": "utf-16-le"},
    ),
    Case("utf16be bom", b"\xfe\xff" + B.encode("utf-16-be"), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}),
    Case("utf32", B.encode("utf-32"), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}),
    Case(
        "utf16 nonlatin", "größe,b\n1,ö\n2,ü\n3,ö\n".encode("utf-16"), {"größe": [1.0, 2.0, 3.0], "b": ["ö", "ü", "ö"]}
    ),
    Case(
        "latin given",
        ("größe,b\n1,2\n3,4.5\n").encode("latin-1"),
        {"größe": [1.0, 3.0], "b": [2.0, 4.5]},
        {"encoding": "latin-1"},
    ),
    Case(
        "cp1252", ("gr€,b\n1,2\n3,4.5\n").encode("cp1252"), {"gr€": [1.0, 3.0], "b": [2.0, 4.5]}, {"encoding": "cp1252"}
    ),
    Case("cr", B.replace("\n", "\r"), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}),
    Case("crlf", B.replace("\n", "\r\n"), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}),
    Case("mixed", "a,b\r\n1,2\n3,4.5\r5,6\r\n", {"a": [1.0, 3.0, 5.0], "b": [2.0, 4.5, 6.0]}),
    Case("lfcr", "a,b\n\r1,2\n\r3,4.5\n\r", {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("ff vt nel", "a,b\n1,2\x0c\n3,4\x0b\n5,6\x85\n", {"a": [1.0, 3.0, 5.0], "b": [2.0, 4.0, 6.0]}),
    Case("first empty (R)", ",b\n1,2\n2,4.5\n", {"b": [2.0, 4.5]}),
    Case("trailing", "a,b,\n1,2,\n3,4.5,\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("trailing rows only", "a,b\n1,2,\n3,4.5,\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("trailing header only", "a,b,\n1,2\n3,4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("some trailing", "a,b\n1,2,\n3,4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("trailing semis", "a;b;;\n1;2;;\n3;4;;\n", {"a": [1.0, 3.0], "b": [2.0, 4.0]}),
    Case(
        "semi dec comma given",
        "a;b\n1,5;2\n3,25;4\n5,5;7,5\n",
        {"a": [1.5, 3.25, 5.5], "b": [2.0, 4.0, 7.5]},
        {"decimal": ","},
    ),
    Case(
        "comma+deccomma quoted given", 'a,b\n"1,5",2\n"3,25",4\n', {"a": [1.5, 3.25], "b": [2.0, 4.0]}, {"decimal": ","}
    ),
    Case(
        "thousands given",
        'a,b\n"1,500",2\n"3,250",4\n"12,000",5\n',
        {"a": [1500.0, 3250.0, 12000.0], "b": [2.0, 4.0, 5.0]},
        {"thousands": ","},
    ),
    Case(
        "thousands dot dec comma",
        "a;b\n1.500,5;2\n3.250,25;4\n",
        {"a": [1500.5, 3250.25], "b": [2.0, 4.0]},
        {"decimal": ",", "thousands": "."},
    ),
    Case("thousands dot only", "a;b\n1.500;2\n3.250;4\n", {"a": [1.5, 3.25], "b": [2.0, 4.0]}),
    Case(
        "thousands space given", "a;b\n1 500;2\n3 250;4\n", {"a": [1500.0, 3250.0], "b": [2.0, 4.0]}, {"thousands": " "}
    ),
    Case(
        "thousands nbsp given",
        "a;b\n1\u00a0500;2\n3\u00a0250;4\n",
        {"a": [1500.0, 3250.0], "b": [2.0, 4.0]},
        {"thousands": "\xa0"},
    ),
    Case("apos", "a;b\n1'500;2\n3'250;4\n", {"a": [1500.0, 3250.0], "b": [2.0, 4.0]}, {"thousands": "'"}),
    Case("comments given", "# hi\na,b\n# x\n1,2\n3,4.5 # y\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}, {"comment": "#"}),
    Case(
        "comments in quotes",
        'a,s\n1,"x#1"\n2,"x#2"\n3,"x#1"\n',
        {"a": [1.0, 2.0, 3.0], "s": ["x#1", "x#2", "x#1"]},
        {"comment": "#"},
    ),
    Case("no header given", "1,2\n3,4.5\n", {"x1": [1.0, 3.0], "x2": [2.0, 4.5]}, {"header": False}),
    Case("numbers header given", "1,2\n3,4.5\n5,6\n", {"1": [3.0, 5.0], "2": [4.5, 6.0]}, {"header": True}),
    Case("case dup", "a,A\n1,2\n3,4.5\n", {"a": [1.0, 3.0], "A": [2.0, 4.5]}),
    Case("name newline", '"a\nb",c\n1,2\n3,4.5\n', {"a\nb": [1.0, 3.0], "c": [2.0, 4.5]}),
    Case("name quotes", '"a""b",c\n1,2\n3,4.5\n', {'a"b': [1.0, 3.0], "c": [2.0, 4.5]}),
    Case("name nfc dup", "é,e\u0301\n1,2\n3,4.5\n", {"é": [1.0, 3.0], "é": [2.0, 4.5]}),
    Case("long decimals", "b\n1\n2\n0." + "1" * 5000 + "\n", {"b": [1.0, 2.0, 0.1111111111111111]}),
    Case("gz", g, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv.gz"),
    Case("gz named csv", g, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv"),
    Case(
        "gz multi member",
        gzip.compress(b) + gzip.compress(b"6,8\n"),
        {"a": [1.0, 3.5, 5.0, 6.0], "b": [2.0, 4.0, 7.5, 8.0]},
        {},
        "d.csv.gz",
    ),
    Case("gz trailing zeros", g + b"\0" * 512, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv.gz"),
    Case("gz upper", g, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "D.CSV.GZ"),
    Case("gz no suffix", g, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "data"),
    Case("bz2 named csv", bz2.compress(b), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv"),
    Case("xz named csv", lzma.compress(b), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv"),
    Case("bz2", bz2.compress(b), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv.bz2"),
    Case("xz named gz", lzma.compress(b), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv.gz"),
    Case("gz named zip", g, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.zip"),
    Case("gz named xz", g, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv.xz"),
    Case("gz named bz2", g, {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv.bz2"),
    Case("zip named csv", zipped([("d.csv", B)]), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.csv"),
    Case("zip", zipped([("d.csv", B)]), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.zip"),
    Case(
        "zip dir",
        zipped([("x/", ""), ("x/d.csv", B), ("__MACOSX/x", B)]),
        {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]},
        {},
        "d.zip",
    ),
    Case(
        "zip lzma", zipped([("d.csv", B)], zipfile.ZIP_LZMA), {"a": [1.0, 3.5, 5.0], "b": [2.0, 4.0, 7.5]}, {}, "d.zip"
    ),
    Case(
        "quote inside text",
        's,b\n5" pipe,2\n6" pipe,4\n5" pipe,6\n',
        {"s": ['5" pipe', '6" pipe', '5" pipe'], "b": [2.0, 4.0, 6.0]},
    ),
    Case("backslash quote", 's,b\n"a\\"b",2\nc,4\na,6\n', {"b": [2.0, 4.0, 6.0]}),
    Case("space after delim", "a, b\n1, 2\n3, 4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("space after quote", 'a,b\n"1" ,2\n3,4\n5,6.5\n', {"a": [1.0, 3.0, 5.0], "b": [2.0, 4.0, 6.5]}),
    Case("bools", "a,b\nTRUE,1\nFALSE,2\nTRUE,3\n", {"a": ["TRUE", "FALSE", "TRUE"], "b": [1.0, 2.0, 3.0]}),
    Case("bools missing", "a,b\nTRUE,1\n,2\nFALSE,3\n", {"a": ["TRUE", None, "FALSE"], "b": [1.0, 2.0, 3.0]}),
    Case(
        "bools mixed",
        "a,b\nTRUE,1\nfalse,2\ntrue,3\nFALSE,4\n",
        {"a": ["TRUE", "false", "TRUE", "false"], "b": [1.0, 2.0, 3.0, 4.0]},
    ),
    Case("yes/no", "a,b\nyes,1\nno,2\nyes,3.5\n", {"a": ["yes", "no", "yes"], "b": [1.0, 2.0, 3.5]}),
    Case("dates", "d,b\n2020-01-01,1\n2020-01-02,2.5\n2020-01-03,3\n", {"b": [1.0, 2.5, 3.0]}),
    Case(
        "dates asked",
        "d,b\n2020-01-01,1\n2020-01-02,2.5\n",
        {"d": ["2020-01-01", "2020-01-02"], "b": [1.0, 2.5]},
        {"columns": ("d", "b")},
    ),
    Case("times", "d,b\n12:30,1\n12:31,2.5\n", {"b": [1.0, 2.5]}),
    Case("iso T", "d,b\n2020-01-01T00:00:00Z,1\n2020-01-02T00:00:00Z,2.5\n", {"b": [1.0, 2.5]}),
    Case(
        "unix ts",
        "d,b\n1600000000,1\n1600000060,2.5\n1600000120,7\n",
        {"d": [1600000000.0, 1600000060.0, 1600000120.0], "b": [1.0, 2.5, 7.0]},
    ),
    Case("delim space given", "a b\n1 2\n3 4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}, {"delimiter": " "}),
    Case("delim multi space given", "a  b\n1  2\n3  4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}, {"delimiter": " "}),
    Case("pipe", "a|b\n1|2\n3|4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("tab spaces", "a\tb\n1\t2\n3\t\n\t4\n", {"a": [1.0, 3.0, None], "b": [2.0, None, 4.0]}),
    Case("sep=", "sep=;\na;b\n1;2\n3;4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}),
    Case("delim ^", "a^b\n1^2\n3^4.5\n", {"a^b": ["1^2", "3^4.5"]}),
    Case("delim regex char", "a.b\n1.2\n3.4\n", {"a": [1.0, 3.0], "b": [2.0, 4.0]}, {"delimiter": "."}),
    Case("delim letter", "axb\n1x2\n3x4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}, {"delimiter": "x"}),
    Case("delim digit", "a1b\n213\n415\n", {"a": [2.0, 4.0], "b": [3.0, 5.0]}, {"delimiter": "1"}),
    Case("delim=decimal", "a,b\n1,2\n3,4\n", {"a": [1.0, 3.0], "b": [2.0, 4.0]}, {"delimiter": ",", "decimal": ","}),
    Case(
        "delim=thousands", "a,b\n1,2\n3,4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}, {"delimiter": ",", "thousands": ","}
    ),
    Case("comment=delim", B, {"a": [1.0, 3.5, 5.0]}, {"comment": ","}),
    Case("comment é", "a;b\n1.5;2\n3;4 é 7\n", {"a": [1.5, 3.0], "b": [2.0, 4.0]}, {"comment": "é"}),
    Case("na", "a,b\n1,2\n-,4\n5,-\n7,8\n", {"a": [1.0, None, 5.0, 7.0], "b": [2.0, 4.0, None, 8.0]}, {"na": ("-",)}),
    Case(
        "na number",
        "a,b\n1,2\n-999,4\n5,-999.0\n7,8\n",
        {"a": [1.0, None, 5.0, 7.0], "b": [2.0, 4.0, None, 8.0]},
        {"na": ("-999",)},
    ),
    Case("na empty", "a,b\n1,2\n3,4.5\n", {"a": [1.0, 3.0], "b": [2.0, 4.5]}, {"na": ("",)}),
    Case("na spaces", "a,b\n1,2\n  ,4.5\n3,5\n4,1\n", {"a": [1.0, None, 3.0, 4.0], "b": [2.0, 4.5, 5.0, 1.0]}),
    Case("na padded", "a,b\n1,2\n NA ,4.5\n3,5\n4,NA \n", {"a": [1.0, None, 3.0, 4.0], "b": [2.0, 4.5, 5.0, None]}),
    Case("na tab", "a,b\n1,2\nNA\t,4.5\n3,5\n4,1.5\n", {"a": [1.0, None, 3.0, 4.0], "b": [2.0, 4.5, 5.0, 1.5]}),
    Case("na quoted", 'a,b\n1,2\n"NA",4.5\n3,5\n"",1.5\n', {"a": [1.0, None, 3.0, None], "b": [2.0, 4.5, 5.0, 1.5]}),
    Case("id NA", "i,a\nNA,1\nnull,2.5\n,4\n", {"a": [1.0, 2.5, 4.0]}, {"id": "i"}),
    Case("id bigint", "i,a\n9223372036854775808,1\n007,2.5\n1e5,4\n", {"a": [1.0, 2.5, 4.0]}, {"id": "i"}),
    Case("id dup name", "i,a\nx,1\nx,2.5\n", {"a": [1.0, 2.5]}, {"id": "i"}),
    Case("level NA text", "s,a\nNA,1\nx,2.5\ny,3\nx,4\n", {"s": [None, "x", "y", "x"], "a": [1.0, 2.5, 3.0, 4.0]}),
    Case("id bool", "i,a\nTRUE,1\nFALSE,2.5\n", {"a": [1.0, 2.5]}, {"id": "i"}),
    Case("all missing col", "a,b\n,2\n,3.5\n", {"b": [2.0, 3.5]}),
    Case("one missing row", "a,b\n1,2\n,\n3,4.5\n", {"a": [1.0, None, 3.0], "b": [2.0, None, 4.5]}),
    Case("weights neg zero", "a,w\n1,-0\n2,1\n3,1\n", {"a": [None, 2.0, 3.0]}, {"weights": "w"}),
    Case("labels", "a,l\n1,x\n2,\n3,y\n", {"a": [1.0, 2.0, 3.0]}, {"labels": "l"}),
    Case("labels bad text", 'a,l\n1,"x\ny"\n2,z\n3,\n', {"a": [1.0, 2.0, 3.0]}, {"labels": "l"}),
    Case(
        "huge offset",
        "a\n1000000000000001\n1000000000000002\n1000000000000004\n",
        {"a": [1000000000000001.0, 1000000000000002.0, 1000000000000004.0]},
    ),
    Case("-0b", "a\n-0\n0\n1\n2\n0.5\n", {"a": [-0.0, 0.0, 1.0, 2.0, 0.5]}),
]
