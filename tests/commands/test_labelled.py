"""Labelled copies of data: the rows and columns as they were written, with component and probability added."""

import bz2
import gzip
import lzma
import random
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES, em

from em_cli.options import ReadingOptions
from em_cli.outputs.model_file import read_model
from em_cli.runs.labelled import labelled_rows
from em_cli.sources import decoding

HERE = "\0"  # where cells are added


@dataclass
class Dialect:
    """A way to write a table, and the options by which it is read."""

    delimiter: str = ","
    ends: tuple[str, ...] = ("\n",)
    encoding: str = "utf-8"
    mark: bytes = b""
    decimal: str = "."
    above: tuple[str, ...] = ()
    header: str | None = "name{d}x{d}note" + HERE
    row: str = "{name}{d}{x}{d}{note}" + HERE
    between: tuple[str, ...] = ()  # lines without a record
    last_end: bool = True
    options: dict[str, object] = field(default_factory=dict)
    quoted: bool = False  # the names of the columns


DIALECTS = {
    "as written by pandas": Dialect(),
    "Windows": Dialect(ends=("\r\n",)),
    "old Macintosh": Dialect(ends=("\r",)),
    "line ends of two systems": Dialect(ends=("\r\n", "\n")),
    "Excel in German": Dialect(";", ("\r\n",), mark=b"\xef\xbb\xbf", decimal=",", options={"decimal": ","}),
    "sep= above the header": Dialect(";", above=("sep=;",), options={"delimiter": ";"}),
    "tabs in UTF-16": Dialect("\t", ("\r\n",), "utf-16-le", b"\xff\xfe"),
    "Latin-1": Dialect(encoding="latin-1", options={"encoding": "latin-1"}),
    "Shift-JIS": Dialect("|", encoding="shift_jis", options={"encoding": "shift_jis"}),
    "no end of the last line": Dialect(last_end=False),
    "blank lines": Dialect(between=("", "")),
    "comments": Dialect(
        row="{name}{d}{x}{d}{note}" + HERE + "# so, {x}", between=("# one, two",), options={"comment": "#"}
    ),
    "titles above": Dialect(above=("made, by hand", "yesterday"), options={"skip": 2}),
    "no header": Dialect(header=None, options={"header": False}),
    "a delimiter at each end": Dialect(
        header="name{d}x{d}note" + HERE + "{d}", row="{name}{d}{x}{d}{note}" + HERE + "{d}"
    ),
    "the same in rows alone": Dialect(row="{name}{d}{x}{d}{note}" + HERE + "{d}"),
    "row names of R": Dialect(row='"{line}"{d}{name}{d}{x}{d}no' + HERE),
    "quoted names": Dialect(header='"name"{d}"x"{d}"note"' + HERE, quoted=True),
    "quoted cells": Dialect(row='"a, ""b""{d}\n{name}"{d}"{x}"{d} {note} ' + HERE),
    "odd line ends within cells": Dialect(row="{name}\u2028\x0b{d}{x}{d}{note}\x85" + HERE),
}


def written(dialect, rng, n=40):
    """The bytes of a table, and those of its labelled copy."""
    decimal, d = dialect.decimal, dialect.delimiter
    lines = [*dialect.above, *([dialect.header.format(d=d)] if dialect.header else [])]
    components = [rng.choice("12") for _ in range(n)]
    for line, component in enumerate(components, 1):
        x = f"{rng.gauss(0, 1) + (0 if component == '1' else 900):.3f}".replace(".", decimal)
        note = rng.choice(["", "no", "Æthel" if dialect.encoding in ("utf-8", "latin-1") else "so"])
        lines.append(dialect.row.format(name=rng.choice("uvw"), x=x, note=note, d=d, line=line))
        lines += dialect.between if rng.random() < 0.3 else ()
    ends = [rng.choice(dialect.ends) for _ in lines]
    if not dialect.last_end:
        ends[-1] = ""
    given, labelled, rest = "", "", iter(components)
    for line, end in zip(lines, ends, strict=True):
        own = ""
        if HERE in line:
            names = ['"component"', '"probability"'] if dialect.quoted else ["component", "probability"]
            is_header = dialect.header and not labelled.count(HERE) and line == dialect.header.format(d=d)
            own = d + d.join(names) if is_header else d + next(rest) + d + f"1{decimal}0"
        given += line.replace(HERE, "").replace("\n", end or "\n") + end
        labelled += line.replace(HERE, own).replace("\n", end or "\n") + end
    return dialect.mark + given.encode(dialect.encoding), dialect.mark + labelled.encode(dialect.encoding)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Two components, at 0 and at 900, of a column that headers and rows without a header may name."""
    folder = tmp_path_factory.mktemp("labelled")
    x = np.random.default_rng(0).normal(np.repeat([0, 900], [60, 40]))
    models = {}
    for name in ("x", "x2"):
        pd.DataFrame({name: x}).to_csv(folder / f"{name}.csv", index=False)
        em("fit", f"{name}.csv", "-k", 2, "-q", "--out", f"{name}.em", cwd=folder)
        models[name] = read_model(str(folder / f"{name}.em"))
    return models


@pytest.mark.parametrize("piece", [1 << 22, 97], ids=["at once", "in pieces"])
@pytest.mark.parametrize("name", DIALECTS)
def test_the_copy_is_the_data_byte_for_byte_with_two_cells_more(name, piece, model, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "PIECE", piece)
    dialect = DIALECTS[name]
    given, labelled = written(dialect, random.Random(name))
    (tmp_path / "data.csv").write_bytes(given)
    own = model["x" if dialect.header else "x2"]
    made = b"".join(labelled_rows(own, [str(tmp_path / "data.csv")], ReadingOptions(**dialect.options)))
    assert made == labelled


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A fit of data in which cells are missing, with its labelled copy."""
    there = tmp_path_factory.mktemp("copies")
    (there / "air.csv").write_bytes((SAMPLES / "airquality.csv").read_bytes())
    done = em(
        "fit",
        "air.csv",
        "-k",
        2,
        *FIT,
        "--format",
        "human",
        "--out",
        "air.em",
        "--labelled",
        "air-labelled.csv",
        cwd=there,
    )
    assert "air-labelled.csv" in done.out
    return there


FIT = ("--columns", "ozone,wind,temp", "--missing", "drop", "--effort", "low")


def test_the_labels_are_those_of_responsibilities(folder):
    table = pd.read_csv(folder / "air.em/responsibilities.csv")
    copy = pd.read_csv(folder / "air-labelled.csv")
    left_out = table["component"].isna()
    assert 20 < left_out.sum() < 60
    assert copy["component"].equals(table["component"])
    assert copy["probability"].equals(table.filter(regex=r"^p\d").max(axis=1))
    own = pd.read_csv(folder / "air.csv")
    assert copy[own.columns].equals(own)


def test_predicting_the_same_rows_gives_the_same_copy(folder):
    data = (folder / "air.csv").read_text()
    whole = (folder / "air-labelled.csv").read_text()
    how = ("--append", "--missing", "drop")
    assert em("predict", "air.em", "air.csv", *how, cwd=folder).out == whole
    assert em("predict", "air.em", "-", *how, cwd=folder, stdin=data).out == whole
    twice = em("predict", "air.em", "air.csv", "air.csv", *how, cwd=folder).out
    assert twice == whole + whole.partition("\n")[2]


def test_files_without_a_last_line_end_are_joined_line_by_line(folder):
    (folder / "cut.csv").write_text((folder / "air.csv").read_text().rstrip("\n"))
    twice = em("predict", "air.em", "cut.csv", "cut.csv", "--append", cwd=folder).out
    assert twice.count("\n") == 2 * (folder / "air.csv").read_text().count("\n") - 2
    filled = em("impute", "air.em", "cut.csv", "cut.csv", cwd=folder).out
    assert filled.count("\n") == twice.count("\n")


def test_standard_input_is_labelled_by_a_fit_too(folder):
    done = em("fit", "-", "-k", 2, *FIT, "-q", "--labelled", "-", cwd=folder, stdin=(folder / "air.csv").read_text())
    assert done.out == (folder / "air-labelled.csv").read_text()


def test_a_run_that_is_complete_labels_its_data_again(folder):
    em("fit", "air.csv", "-k", 2, *FIT, "--out", "air.em", "--resume", "--labelled", "again.csv", cwd=folder)
    assert (folder / "again.csv").read_bytes() == (folder / "air-labelled.csv").read_bytes()


def test_names_that_the_data_have_already_get_a_number(folder):
    done = em("predict", "air.em", "air-labelled.csv", "--append", cwd=folder)
    assert done.out.startswith(
        (folder / "air-labelled.csv").read_text().partition("\n")[0] + ',"component_2","probability_2"\n'
    )
    assert "have a column 'component': those added are component_2 and probability_2" in done.err


def test_copies_are_compressed_where_their_name_says_so(folder):
    whole = em("predict", "air.em", "air.csv", "--append", cwd=folder).out.encode()
    for suffix, unpack in ((".gz", gzip.decompress), (".bz2", bz2.decompress), (".xz", lzma.decompress)):
        (folder / "packed.csv.gz").write_bytes(gzip.compress((folder / "air.csv").read_bytes()))
        em("predict", "air.em", "packed.csv.gz", "--append", "--out", f"copy.csv{suffix}", cwd=folder)
        assert unpack((folder / f"copy.csv{suffix}").read_bytes()) == whole


def test_a_labelled_copy_of_parquet_is_csv(folder):
    own = pd.read_csv(folder / "air.csv")
    own.to_parquet(folder / "air.parquet")
    copy = em("predict", "air.em", "air.parquet", "--append", "--out", "from-parquet.csv", cwd=folder)
    assert copy.out == ""
    found = pd.read_csv(folder / "from-parquet.csv")
    assert found[own.columns].equals(own) and found["component"].isin([1, 2]).all()


def test_a_model_of_sequences_labels_rows_where_they_are(folder):
    x = np.random.default_rng(1).normal(np.repeat([0, 50, 0], 20))
    pd.DataFrame({"x": x, "y": range(60)}).to_csv(folder / "s.csv", index=False)
    options = ("--columns", "x", "--latent", "markov", "--effort", "low", "-q")
    em("fit", "s.csv", "-k", 2, *options, "--out", "s.em", "--labelled", "s-labelled.csv", cwd=folder)
    assert em("predict", "s.em", "s.csv", "--append", cwd=folder).out == (folder / "s-labelled.csv").read_text()
    found = pd.read_csv(folder / "s-labelled.csv")["component"].to_numpy()
    assert len(set(found[:20])) == 1 and (found[:20] == found[40:]).all() and (found[:20] != found[20:40]).all()


REFUSED = {
    "an existing file": (
        ("fit", "air.csv", "-k", 2, "--labelled", "air.csv.old"),
        4,
        "air.csv.old exists. Use --force",
    ),
    "the data": (("fit", "air.csv", "-k", 2, "--labelled", "air.csv"), 2, "would overwrite air.csv"),
    "a kind that is not written": (("fit", "air.csv", "-k", 2, "--labelled", "l.parquet"), 2, "what is written is CSV"),
    "the same of predict": (
        ("predict", "air.em", "air.csv", "--append", "--out", "l.zip"),
        2,
        "what is written is CSV",
    ),
    "two results on standard output": (("fit", "air.csv", "-k", 2, "--labelled", "-", "--json"), 2, "cannot both go"),
    "another table": (("predict", "air.em", "air.csv", "--append", "--horizon", 2), 2, "--horizon is another table"),
    "files of two kinds": (("predict", "air.em", "air.csv", "air.tsv", "--append"), 2, "another delimiter or encoding"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_labelled_is_refused(name, folder):
    (folder / "air.csv.old").write_text("kept")
    (folder / "air.tsv").write_text((folder / "air.csv").read_text().replace(",", "\t"))
    arguments, status, message = REFUSED[name]
    done = em(*arguments, cwd=folder, status=status)
    assert message in done.err
    assert (folder / "air.csv.old").read_text() == "kept"
    assert not list(folder.glob("l.*")) and not list(folder.glob("air-k2*"))


def test_data_that_change_under_the_run_are_not_labelled(folder, monkeypatch):
    from em_cli.runs import labelled

    (folder / "moving.csv").write_text((folder / "air.csv").read_text())
    kept = labelled.data_labelled

    def changed(*arguments):
        (folder / "moving.csv").write_text((folder / "air.csv").read_text() + "1,1,1,1,1,1\n")
        return kept(*arguments)

    monkeypatch.setattr(labelled, "data_labelled", changed)
    done = em("fit", "moving.csv", "-k", 1, "-q", "--out", "m.em", "--labelled", "moved.csv", cwd=folder, status=3)
    assert "moving.csv has changed while the run went on" in done.err
    assert not (folder / "moved.csv").exists()
