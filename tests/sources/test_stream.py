"""Rows handed out as they arrive."""

import gzip
import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from em_cli.errors import DataError
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.schema import Column
from em_cli.sources.stream import stream

WAITING, ERUPTIONS = Column("waiting", "numeric"), Column("eruptions", "numeric")


@pytest.fixture
def pipe(monkeypatch):
    """The writing end of standard input."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as sink:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(source))
        yield sink


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_first_rows_come_before_the_last_are_in(pipe):
    chunks = stream(["-"], [WAITING, ERUPTIONS], ReadOptions(id="who"))
    pipe.write(b'who,eruptions,waiting\n01,3.6,79\n02,1.8,54\n03,3.3,"7')
    first = next(chunks)
    assert (first.first_row, first.n_rows, first.ids) == (0, 2, ["01", "02"])
    assert first.x.tolist() == [[79, 54], [3.6, 1.8]]
    assert first.rows.tolist() == [0, 1]
    pipe.write(b'4"\n04,2.2,')
    assert next(chunks).x.tolist() == [[74], [3.3]]
    pipe.write(b"62")
    pipe.close()
    last = next(chunks)
    assert (last.first_row, last.n_rows, last.ids, last.x.tolist()) == (3, 1, ["04"], [[62], [2.2]])
    assert list(chunks) == []


def test_a_header_alone_gives_no_rows(pipe):
    chunks = stream(["-"], [WAITING], ReadOptions())
    pipe.write(b"waiting\n")
    pipe.close()
    (chunk,) = chunks
    assert chunk.n_rows == 0 and chunk.x.shape == (1, 0)


class Halting(io.RawIOBase):
    """Gives one part at a time."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = iter(parts)

    def read1(self, size: int) -> bytes:
        return next(self.parts, b"")


CONTENT = '\ufeffb,"größe\n",a\r\n1,"x,\n""y""",2\r\n\r\n3,z,4\r\n5,"é",6'.encode()


@pytest.mark.parametrize("cut", range(1, len(CONTENT)))
def test_wherever_the_pipe_cuts(monkeypatch, cut):
    stdin = SimpleNamespace(buffer=Halting(CONTENT[:cut], CONTENT[cut:]))
    monkeypatch.setattr(sys, "stdin", stdin)
    chunks = stream(["-"], [Column("a", "numeric"), Column("b", "count")], ReadOptions())
    assert [row for chunk in chunks for row in chunk.x.T.tolist()] == [[2, 1], [4, 3], [6, 5]]


def test_other_columns_and_their_order_do_not_matter():
    Path("one.csv").write_bytes(b"eruptions,t,waiting\n3.6,x,79\n")
    Path("two.csv").write_bytes(b"waiting;eruptions\n54;1.8\n")
    chunks = list(stream(["one.csv", "two.csv"], [WAITING, ERUPTIONS], ReadOptions()))
    assert [chunk.first_row for chunk in chunks] == [0, 1]
    assert np.hstack([chunk.x for chunk in chunks]).tolist() == [[79, 54], [3.6, 1.8]]


def test_rows_with_missing_cells():
    Path("new.csv").write_bytes(b"waiting,eruptions\n79,3.6\n,1.8\n74,\n62,2.2\n")
    (chunk,) = stream(["new.csv"], [ERUPTIONS, WAITING], ReadOptions(missing="drop"))
    assert (chunk.n_rows, chunk.rows.tolist()) == (4, [0, 3])
    assert chunk.x.tolist() == [[3.6, 2.2], [79, 62]]
    (chunk,) = stream(["new.csv"], [Column("waiting", "count")], ReadOptions(missing="drop"))
    assert chunk.rows.tolist() == [0, 2, 3]


def test_large_files_come_in_several_chunks():
    rows = [b"%d,%d\n" % (i, i % 7) for i in range(900_000)]
    Path("big.csv.gz").write_bytes(gzip.compress(b"eruptions,waiting\n" + b"".join(rows), 1))
    chunks = list(stream(["big.csv.gz"], [WAITING, ERUPTIONS], ReadOptions()))
    assert len(chunks) > 1
    assert [chunk.first_row for chunk in chunks] == np.cumsum([0, *(c.n_rows for c in chunks[:-1])]).tolist()
    assert np.hstack([chunk.x[1] for chunk in chunks]).tolist() == list(range(900_000))


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        (b"eruptions,b\n1,2\n", {}, "new.csv lacks column 'waiting' that the model needs (its columns: eruptions, b)."),
        (b"waiting,b\n1,2\n", {"id": "c"}, "column 'c' is not in new.csv (columns: waiting, b)."),
        (
            b"waiting,b\n1,2\n,2\n",
            {"missing": "error"},
            "new.csv, row 2 (line 3), column 'waiting': the cell is missing. Use --missing model",
        ),
        (
            b"waiting\n1\n2\n-\n",
            {},
            "new.csv: column 'waiting' is not numeric: line 4 holds '-' (the only such value). Use --na -.",
        ),
        (b"waiting\ninf\n", {}, "new.csv, row 1 (line 2), column 'waiting': 'inf' is not a finite number."),
        (b"waiting\n-1\n", {}, "has type count, but line 2 holds '-1', which is not a whole number from 0 up."),
        (b"waiting,b\n1,2\n3\n", {}, "new.csv: line 3 has 1 field, the header has 2."),
        (b"79,3\n54,2\n", {}, "new.csv looks header-less"),
        (b"", {}, "new.csv is empty."),
    ],
)
def test_bad_rows(content, options, expected):
    Path("new.csv").write_bytes(content)
    with pytest.raises(DataError) as error:
        list(stream(["new.csv"], [Column("waiting", "count")], ReadOptions(**options)))
    assert expected in str(error.value)


def test_rows_before_a_bad_one_are_out_already(pipe):
    chunks = stream(["-"], [WAITING], ReadOptions())
    pipe.write(b"waiting\n79\n")
    assert next(chunks).x.tolist() == [[79]]
    pipe.write(b"54\nx\n")
    with pytest.raises(DataError, match="standard input: column 'waiting' is not numeric: line 4 holds 'x'"):
        next(chunks)
