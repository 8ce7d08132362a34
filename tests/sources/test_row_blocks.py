"""Rows lie in memory, or in a file that is mapped or read: nothing that is read of them differs by a bit."""

import gzip
import hashlib
import os
import pickle
import shutil
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.events import EXAMINING, STORING, SUMMARIZING, Advanced, PhaseStarted, RowsRead
from em_cli.errors import DataError, OutputError
from em_cli.search.survey import survey
from em_cli.sources import decoding, elsewhere, pieces, row_file
from em_cli.sources import store as stores
from em_cli.sources.in_memory import InMemory
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.row_blocks import Filling, FittedRows
from em_cli.sources.store import Store, room

N = SUM_ROWS + 777
PLACES = {"memory": None, "half": 1e6, "disk": 0.0}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A file of every kind of column: numbers with gaps, words, ids, weights some of which are zero, labels."""
    rng = np.random.default_rng(5)
    x = np.round(rng.normal(size=(N, 3)), 3).astype(str)
    x[rng.random(x.shape) < 0.04] = ""
    word, label = rng.choice(["red", "green", ""], N), rng.choice(["A", "B", "", ""], N)
    weight = rng.choice(["1", "2", "0"], N)
    path = tmp_path_factory.mktemp("rows") / "t.csv"
    name = [f'"r,{row}"' if row % 999 else f'"r\n""{row}"' for row in range(N)]
    lines = [f"{name[row]},{','.join(x[row])},{word[row]},{weight[row]},{label[row]}" for row in range(N)]
    path.write_text("name,a,b,c,word,w,known\n" + "\n".join(lines) + "\n")
    return str(path)


class Others:
    """Other processes, as far as the reader knows: every third task comes to nothing."""

    def __init__(self):
        self.n_done = 0

    def in_order(self, task, items):
        for place, item in enumerate(items):
            self.n_done += 1
            answer = None
            with suppress(DataError):
                answer = pickle.loads(pickle.dumps(task(pickle.loads(pickle.dumps(item)))))
            yield item, None if place % 3 == 1 else answer


@pytest.fixture
def others(monkeypatch):
    """Who read files in parts, also small ones, in pieces of another length than else."""
    for module, name, value in ((decoding, "PIECE", 1 << 15), (elsewhere, "BATCH", 1 << 16), (elsewhere, "LEAST", 0)):
        monkeypatch.setattr(module, name, value)
    return Others()


def found(table, most, folder, **more):
    options = ReadOptions(id="name", weights="w", labels="known", store=Store(most, folder), **more)
    return read([table], options)


def test_how_far_the_rows_have_come_is_told_until_the_search(table, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "PIECE", 1 << 16)
    told = []
    found(table, 0.0, tmp_path, observe=told.append)
    survey(InMemory(np.arange(9000.0)[None], block_rows=2000), observe=told.append)
    names = [event.name if isinstance(event, PhaseStarted) else None for event in told]
    phases = [names.index(name) for name in (EXAMINING, STORING, SUMMARIZING)]
    assert phases == sorted(phases)
    reading, examining, storing, summarizing = (told[first:stop] for first, stop in pairwise([0, *phases, len(told)]))
    for rows in (reading, storing[1:], summarizing[1:]):
        assert len(rows) > 1 and all(isinstance(event, RowsRead) for event in rows)
        assert [event.share for event in rows] == sorted(event.share for event in rows)
    n_columns = examining[0].n_parts
    assert examining[1:] == [Advanced(part, 1.0) for part in range(n_columns)]


@pytest.mark.parametrize(
    ("encoding", "newline"), [("utf-8", "\r\n"), ("utf-8-sig", "\n"), ("latin-1", "\r\n"), ("utf-16", "\n")]
)
def test_any_cut_gives_the_same_pieces(tmp_path, others, encoding, newline):
    """Parts of a file, read by others, are those that one process reads; a codec that cannot be cut is read here."""
    lines = [f'{row / 8},"é{row % 7}{newline if row % 501 == 0 else ""}","say ""{row % 3}""", ' for row in range(5_000)]
    text = newline.join(["a,b,c,d", *lines, ""])
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    options = ReadOptions(encoding=None if encoding in ("utf-8-sig", "utf-16") else encoding)
    parts = list(pieces.pieces_or_ranges(str(path), options))
    ranges = [part for part in parts if isinstance(part, pieces.Range)]
    assert bool(ranges) == (encoding != "utf-16")
    made = [pickle.loads(pickle.dumps(part)).piece() if part in ranges else part for part in parts]
    alone = list(pieces.pieces(str(path), options))
    assert len(made) == len(alone) > 3
    for one, other in zip(made, alone, strict=True):
        assert one.frame.equals(other.frame) and one.text.raw == other.text.raw and one.text.body == other.text.body


def test_a_file_that_changes_while_others_read_it_is_refused(tmp_path, others):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{row},{row % 7}.5\n" for row in range(9_000)))

    class Changing(Others):
        def in_order(self, task, items):
            yield from Others.in_order(self, task, items)
            with path.open("a") as file:
                file.write("1,2\n")

    with pytest.raises(DataError, match=r"t\.csv has changed while it was read"):
        read([str(path)], ReadOptions(store=Store(0.0, tmp_path), elsewhere=Changing()))


def test_what_is_wrong_is_said_alike_whoever_reads_it(tmp_path, others):
    rows = [f"{row},{row % 5}.5,{'' if row % 2 else 'x'}" for row in range(6_000)]
    for bad in ("4000,oops", "4000,-1,y", "4000,1,y,z,z", '4000,1,"y'):
        path = tmp_path / "t.csv"
        path.write_text("\n".join(["a,w,word", *rows[:4_000], bad, *rows[4_000:], ""]))
        said = set()
        for reader in (None, others):
            with pytest.raises(DataError) as refused:
                read([str(path)], ReadOptions(weights="w", store=Store(0.0, tmp_path), elsewhere=reader))
            said.add(str(refused.value))
        assert len(said) == 1 and others.n_done, said


@pytest.mark.parametrize(
    ("way", "missing"), [("half", "model"), ("mapped", "drop"), ("read", "model"), ("others", "model")]
)
def test_where_the_rows_lie_changes_nothing(table, tmp_path, request, monkeypatch, way, missing):
    here, more = found(table, None, tmp_path, missing=missing), {}
    if way == "read":
        monkeypatch.setenv(row_file.READ_FILE, "1")
    if way == "others":
        more = {"elsewhere": request.getfixturevalue("others")}
    there = found(table, PLACES["half" if way == "half" else "disk"], tmp_path, missing=missing, **more)
    assert way != "others" or more["elsewhere"].n_done > 5
    assert there.source.store.on_disk and not here.source.store.on_disk
    assert len(here.source) == len(there.source) == -(-len(here.rows) // SUM_ROWS)
    ordered = [data.source.in_pattern_order() for data in (here, there)]
    for one, other in ((here.source, there.source), ordered):
        for index in range(len(one)):
            a, b = one[index], other[index]
            for left, right in ((a.x, b.x), (a.weights, b.weights), (a.labels, b.labels)):
                np.testing.assert_array_equal(left, right)
    assert here.rows.tolist() == there.rows.tolist() and here.ids.tolist() == there.ids.tolist()
    np.testing.assert_array_equal(here.others.x, there.others.x)
    shown = [repr(replace(data, source=None, rows=None, others=None, ids=None, on_disk=0)) for data in (here, there)]
    assert shown[0] == shown[1]
    assert survey(here.source).n_distinct == survey(there.source).n_distinct
    there.source.store.close()
    assert not list(tmp_path.iterdir())


KINDS = {  # header, row by row, options
    "small": ("a,b", lambda r: f"{r % 17}.5,{r * 7 % 31}.25", {}),
    "gaps, text and quotes": (
        "a,word,b",
        lambda r: f'{"" if r % 5 == 1 else r / 4},"w,{r % 3}{"""x""" if r % 2 else chr(10)}",{"NA" if r % 7 else r}',
        {},
    ),
    "weights and labels": (
        "name,a,b,w,known",
        lambda r: f"n{r},{r % 17}.5,{r % 7}.25,{r % 4},{'AB'[r % 2] if r % 3 == 0 else ''}",
        {"id": "name", "weights": "w", "labels": "known"},
    ),
}  # fmt: skip
FILES = {
    **{kind: (kind, ["t.csv"]) for kind in KINDS},
    "compressed": ("gaps, text and quotes", ["t.csv.gz"]),
    "two files": ("weights and labels", ["t.csv", "u.csv"]),
}


def digest(data):
    """Of all that is read, but for where it lies."""
    found = hashlib.sha256()
    blocks = [data.source[index] for index in range(len(data.source))]
    for block in blocks:
        for numbers in (block.x, block.weights, block.labels):
            found.update(b"" if numbers is None else numbers.tobytes())
    ids = None if data.ids is None else data.ids.tolist()
    for part in (data.rows.tolist(), data.others.x.tolist(), data.others.rows.tolist(), ids):
        found.update(repr(part).encode())
    found.update(repr(replace(data, source=None, rows=None, others=None, ids=None, on_disk=False)).encode())
    return found.hexdigest()


@pytest.mark.parametrize("files", FILES)
def test_the_same_is_read_whoever_reads_and_wherever_it_lies(tmp_path, monkeypatch, others, files):
    """In memory, mapped, by reads, and by others of whom some fail."""
    kind, names = FILES[files]
    header, row, roles = KINDS[kind]
    paths, n = [str(tmp_path / name) for name in names], 90 if files == "small" else 2_400
    for place, path in enumerate(paths):
        text = "\n".join([header, *(row(r) for r in range(place * n, (place + 1) * n)), ""]).encode()
        Path(path).write_bytes(gzip.compress(text) if path.endswith(".gz") else text)
    found = set[str]()
    for way in ("memory", "mapped", "read", "others"):
        monkeypatch.setenv(row_file.READ_FILE, "1" if way == "read" else "")
        store = Store(None if way == "memory" else 0.0, tmp_path)
        found.add(digest(read(paths, ReadOptions(store=store, elsewhere=others if way == "others" else None, **roles))))
        assert store.on_disk == (way != "memory")
        store.close()
    assert len(found) == 1
    assert bool(others.n_done) == (files not in ("small", "compressed")), "what is worth it is read by others"


def test_rows_are_put_in_order_as_a_sort_of_all_would():
    x = np.random.default_rng(1).normal(size=(3, N))
    x[np.random.default_rng(2).random(x.shape) < 0.3] = np.nan
    store = Store()
    filling = Filling(store, 3, N, False, False)
    for first in range(0, N, 5000):
        some = x[:, first : first + 5000]
        filling.add(np.arange(first, first + some.shape[1]), list(some))
    source, rows = filling.done()
    assert rows.tolist() == list(range(N))
    np.testing.assert_array_equal(source.in_pattern_order().x, InMemory(x).in_pattern_order().x)
    assert source.in_pattern_order().in_pattern_order().n_rows == N


def test_rows_that_are_left_out_leave_no_gap():
    taken = np.flatnonzero(np.arange(3 * SUM_ROWS) % 3 != 1)
    filling = Filling(Store(), 1, 3 * SUM_ROWS, False, False)
    for some in np.array_split(taken, 7):
        filling.add(some, [some.astype(np.float64)])
    source, rows = filling.done()
    np.testing.assert_array_equal(source.x[0], taken)
    assert (
        rows.tolist() == taken.tolist() and rows.at(np.array([0, 5, 20_000])).tolist() == taken[[0, 5, 20_000]].tolist()
    )
    assert rows.between(16_000, 17_000).tolist() == taken[16_000:17_000].tolist()
    assert isinstance(rows, FittedRows) and (filling.lowest[0], filling.highest[0]) == (taken[0], taken[-1])


def test_a_file_of_rows_can_be_read_by_other_processes(tmp_path):
    store = Store(0.0, tmp_path)
    kept = store.keep(np.arange(30_000.0))
    again = pickle.loads(pickle.dumps(kept))
    np.testing.assert_array_equal(again.read(), np.arange(30_000.0))
    assert stores.on_disk(kept) and not stores.on_disk(Store().keep(np.zeros(3)))
    store.close()


def test_a_slow_disk_is_told_where_memory_does_not_hold_the_rows(tmp_path, monkeypatch):
    store = Store(0.0, tmp_path)
    store.keep(np.zeros(1 << 20))
    speed = row_file.disk_speed(str(store.path))
    assert speed is None or speed > 0
    monkeypatch.setattr(stores, "disk_speed", lambda _: 4e6)
    assert store.slow() is None, "the system remembers so little"
    monkeypatch.setattr(stores.memory, "available", lambda: 1 << 20)
    assert f"the rows are read from {tmp_path} at about 4 MB/s: a pass over them takes 2 s" in store.slow()
    monkeypatch.setattr(stores, "disk_speed", lambda _: 4e9)
    assert store.slow() is None
    store.close()


def test_a_full_disk_is_told_before_and_when_it_happens(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=100 << 20))
    with pytest.raises(OutputError, match=r"the rows need about 1,000 MiB beside memory, and .* has 36 MiB left"):
        Store(0.0, tmp_path).expect(500 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=0))
    with pytest.raises(OutputError, match="the rows need at least 8 KiB beside memory"):  # what is to come is not known
        Store(0.0, tmp_path).keep(np.zeros(1024))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=100 << 20))
    store = Store(0.0, tmp_path)
    store.keep(np.zeros(10))

    def full(handle, first, length):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match=r"cannot be kept in .*: the disk is full\. They need"):
        store.keep(np.zeros(10))
    store.close()


def test_large_places_have_pages_of_their_own():
    x = room(3, 1 << 15)
    x[:] = 1.0
    assert x.shape == (3, 1 << 15) and x.flags.writeable and not x.flags.owndata
