"""Who adds up the rows changes no byte: processes of a cluster, one of which may be killed, or all be gone."""

import gzip
import hashlib
import json
import os
import re
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from distributed import LocalCluster
from distributed.comm.core import CommClosedError
from program import em
from pyarrow import feather
from support import bound_model, responsibilities, start

from em_cli.engine import cache
from em_cli.engine.arrays import add
from em_cli.engine.scoring import _score_block
from em_cli.errors import RunnerLost
from em_cli.families.gaussian.options import Gaussian
from em_cli.outputs.manifest import read_manifest
from em_cli.runners import dask
from em_cli.runners.dask import Dask
from em_cli.runners.serial import Serial
from em_cli.runs import deliver, fitted_rows, score_parts
from em_cli.runs.score_parts import written_in_parts
from em_cli.sources import decoding, elsewhere, row_blocks, row_file
from em_cli.sources.elsewhere import batches
from em_cli.sources.in_memory import InMemory
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.row_blocks import Blocks
from em_cli.sources.store import Store

pytestmark = pytest.mark.filterwarnings("ignore")  # those of other people's code, on its way up and down
N = 18_000
FIT = ("fit", "t.csv", "-k", 2, "--restarts", 1, "--max-iter", 4, "--se", "none", "-q")
ALIKE = ("params.json", "responsibilities.csv", "trace.csv", "restarts.csv", "run.yaml")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with rows of which some lack cells, and their fit by this process."""
    rng, folder = np.random.default_rng(5), tmp_path_factory.mktemp("cluster")
    x = np.round(rng.normal(size=(N, 2)) + 4 * rng.integers(0, 2, (N, 1)), 3).astype(str)
    x[rng.random(x.shape) < 0.02] = ""
    lines = [f"{a},{b},{w}" for (a, b), w in zip(x, rng.choice(["red", "green"], N), strict=True)]
    (folder / "t.csv").write_text("a,b,word\n" + "\n".join(lines) + "\n")
    em(*FIT, "--out", "here", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def nobody():
    """A cluster without any worker."""
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster:
        yield cluster.scheduler_address
        dask._clients.pop(cluster.scheduler_address).close()


@pytest.fixture(scope="module", autouse=True)
def closed():
    """No process of these tests is to live on beside others: its heart beats."""
    yield
    for address in list(dask._clients):
        client = dask._clients.pop(address)
        cluster = client.cluster
        client.close()
        if cluster is not None:
            cluster.close()


def _sum_of_block(source, _, index):
    return [float(np.nansum(source[index].x))]


def alike(place, name):
    for file in ALIKE:
        assert (place / name / file).read_bytes() == (place / "here" / file).read_bytes(), file


def test_two_processes_give_the_same_bytes(place, monkeypatch):
    """They read parts of the file, and add up its rows."""
    for module, name, value in ((decoding, "PIECE", 1 << 15), (elsewhere, "BATCH", 1 << 16), (elsewhere, "LEAST", 0)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(elsewhere, "take", None)  # nothing but the beginning is read here
    ranges = []
    monkeypatch.setattr(elsewhere, "batches", lambda *given: (ranges.append(b) or b for b in batches(*given)))
    em(*FIT, "--dask", 2, "--out", "there", cwd=place)
    assert len(ranges) > 3
    alike(place, "there")
    assert not list(place.glob(".em-*")), "nothing is left of the rows"


def test_many_responsibilities_are_written_by_the_workers_in_parts(place, monkeypatch):
    """Each a file of its own, in the manifest; its lines are those of one process."""
    monkeypatch.setattr(score_parts, "GROUP", 1)
    monkeypatch.setattr(score_parts, "responsibilities", None)  # nothing is written here
    em(*FIT, "--dask", 2, "--out", "many", cwd=place)
    here = (place / "here" / "responsibilities.csv").read_text().splitlines(keepends=True)
    parts = sorted((place / "many" / "responsibilities").iterdir())
    texts = [part.read_text().splitlines(keepends=True) for part in parts]
    assert [part.name for part in parts] == ["part-00000.csv", "part-00001.csv"]
    assert all(text[0] == here[0] for text in texts) and [line for text in texts for line in text[1:]] == here[1:]
    outputs = read_manifest(place / "many")["outputs"]
    for part in parts:
        told = outputs[f"responsibilities/{part.name}"]
        assert told == {"size": part.stat().st_size, "sha256": hashlib.sha256(part.read_bytes()).hexdigest()}
    assert "responsibilities.csv" not in outputs and not list(place.glob(".em-*"))
    em(
        *FIT,
        "--dask",
        2,
        "--out",
        "many",
        "--resume",
        "--responsibilities",
        "one.csv",
        "--labelled",
        "l.csv",
        cwd=place,
    )
    assert (place / "one.csv").read_text() == "".join(here)
    em(*FIT, "--out", "here", "--resume", "--labelled", "here.csv", cwd=place)
    assert (place / "l.csv").read_bytes() == (place / "here.csv").read_bytes()


def test_parts_are_compared_with_the_rows_of_a_run_that_is_made_again(place, monkeypatch):
    monkeypatch.setattr(score_parts, "GROUP", 1)
    em(*FIT, "--dask", 2, "--out", "again", cwd=place)
    last = place / "again" / "responsibilities" / "part-00001.csv"
    lines = last.read_bytes().splitlines(keepends=True)
    last.write_bytes(b"".join([*lines[:4], b"changed\n", *lines[5:]]))
    found = json.loads(em("fit", "--verify", "again", cwd=place, env={"EM_OTHER_FAMILIES": ""}, status=3).out)
    assert found["files"]["responsibilities/part-00000.csv"] == "the same"
    assert found["files"]["responsibilities/part-00001.csv"] == "differs from line 5"


class Alone:
    """Others who do what they are asked at once, in this process; but for every second thing."""

    def in_order(self, task, items):
        return ((item, None if number % 2 else task(item)) for number, item in enumerate(items))


@pytest.mark.parametrize("form", ["csv", "feather"])
@pytest.mark.parametrize("missing", ["model", "drop"])
def test_parts_have_all_rows_also_those_that_were_not_fitted(tmp_path, monkeypatch, form, missing):
    for module in (row_blocks, cache, fitted_rows):
        monkeypatch.setattr(module, "SUM_ROWS", 8)
    monkeypatch.setattr(score_parts, "GROUP", 2)
    values = np.random.default_rng(3).normal(size=120).round(3)
    cells = ["" if row % 7 in (3, 6) or row > 110 or row < 5 else str(values[row]) for row in range(120)]
    (tmp_path / "t.csv").write_text("name,a\n" + "".join(f"r{row},{cell}\n" for row, cell in enumerate(cells)))
    found = []

    def both(result, data, config, _):
        parts = dict(written_in_parts(result, data, config, Alone(), tmp_path))
        assert len(parts) > 2 and (missing == "drop" or len(data.others.rows) > 30)
        found.extend((tmp_path / part).read_bytes() for part in parts)
        return fitted_rows.responsibilities(result, data, config, form)

    monkeypatch.setattr(deliver, "responsibilities", both)
    em("fit", "t.csv", "-k", 2, "--restarts", 1, "--max-iter", 3, "--id", "name", "--memory", 0, "--out", "o",
       "--missing", missing, "--responsibilities-format", form, cwd=tmp_path)  # fmt: skip
    whole = (tmp_path / "o" / f"responsibilities.{form}").read_bytes()
    if form == "csv":
        head, *lines = whole.splitlines()
        assert [line for part in found for line in part.splitlines()[1:]] == lines
        assert all(part.splitlines()[0] == head for part in found)
    else:
        assert pa.concat_tables(map(feather.read_table, map(pa.BufferReader, found))).equals(
            feather.read_table(pa.BufferReader(whole))
        )


HARD = '"r,{row}",{a},{b},{word},{weight},{known}'
KINDS = {  # of files: how rows are written, and into how many files; what is told of their columns
    "small": ("{a},{b}", 1, {}),
    "gaps, text, quotes": ('{a},{b},"{word}"', 1, {}),
    "compressed": ("{a},{b},{word}", 1, {}),
    "two files": ("{a},{b},{word}", 2, {}),
    "names, weights, labels": (HARD, 2, {"id": "c1", "weights": "c5", "labels": "c6"}),
}
WAYS = ("mapped", "read", "one", "two", "three")  # where rows lie; how many read and add them up


def _of_kind(folder, name):
    """Files of a kind, of 900 rows, and how they are to be read."""
    form, n_files, told = KINDS[name]
    rng, paths = np.random.default_rng(8), []
    for place in range(n_files):
        lines = [",".join(f"c{j + 1}" for j in range(form.count(",") + 1 - ("r," in form)))]
        for row in range(900):
            a = "" if name != "small" and row % 50 == 9 else round(rng.normal(), 3)
            known, word = rng.choice(["A", "B", ""]), rng.choice(["red", "gr,een" if "quotes" in name else "green", ""])
            lines.append(form.format(row=row, a=a, b=row % 61 / 4, word=word, weight=row % 3, known=known))
        text = ("\n".join(lines) + "\n").encode()
        paths.append(str(folder / f"{place}.csv"))
        Path(paths[-1]).write_bytes(gzip.compress(text, mtime=0) if name == "compressed" else text)
    return paths, ReadOptions(**told)


def _held(data, runner):
    """All that is read and added up, to the bit."""
    source = data.source
    blocks = [source[index] for index in range(len(source))]
    parts = [part for block in blocks for part in (block.x, block.weights, block.labels) if part is not None]
    sums = list(runner.sums(_sum_of_block, np.add, source, None, range(len(source))))
    names = [] if data.ids is None else data.ids.between(0, data.n_rows_read)
    told = (data.schema, data.rows.tolist(), data.others.rows.tolist(), data.notices, data.data_sha256, data.n_missing)
    return [part.tobytes() for part in parts], sums, list(names), repr(told)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_the_same_wherever_it_is_read(tmp_path, monkeypatch, kind):
    for module, name, value in (
        *((module, "SUM_ROWS", 100) for module in (row_blocks, cache)),
        (decoding, "PIECE", 1 << 11),
        (decoding, "FEW_LINES", 10),
        (elsewhere, "BATCH", 1 << 12),
        (elsewhere, "LEAST", 0),
        (row_file, "LARGE", 1),
    ):
        monkeypatch.setattr(module, name, value)
    ranges = []
    monkeypatch.setattr(elsewhere, "batches", lambda *given: (ranges.append(b) or b for b in batches(*given)))
    paths, options = _of_kind(tmp_path, kind)
    wanted = _held(read(paths, options), Serial())
    for n_workers, way in enumerate(WAYS, -1):
        monkeypatch.setenv("EM_READ_ROWS", "" if way == "mapped" else "1")
        monkeypatch.setattr(dask, "_n_cores", lambda _, n=n_workers: n)
        runner = Serial() if way in WAYS[:2] else Dask(2)
        store = Store(0.0, tmp_path)
        own = replace(options, store=store, elsewhere=None if way in WAYS[:2] else runner)
        assert _held(read(paths, own), runner) == wanted, way
        store.close()
    assert len(ranges) >= 6 or kind == "compressed", "others have read parts of it"


@pytest.mark.parametrize("n_workers", [1, 2, 3])
def test_how_many_add_up_changes_nothing(tmp_path, monkeypatch, n_workers):
    """By parts as they are cut for so many workers."""
    monkeypatch.setattr(dask, "_n_cores", lambda _: n_workers)
    store, numbers = Store(0.0, tmp_path), np.random.default_rng(3).normal(size=(500, 1, 9)) * 1e6
    source = Blocks(500 * 9, 1, [store.keep(part) for part in numbers], None, None, store)
    found = list(Dask(2).sums(_sum_of_block, np.add, source, None, range(500)))
    assert found == list(Serial().sums(_sum_of_block, np.add, source, None, range(500))) and len(found) == 8
    store.close()


def test_a_worker_that_is_killed_changes_nothing(tmp_path):
    x = np.random.default_rng(2).normal(size=(1, 150 * 40))
    model = bound_model(Gaussian("full"), InMemory(x), 2)
    at = start(model, x, responsibilities(1, np.arange(x.shape[1]) % 2, 2, 0.4))
    store = Store(0.0, tmp_path)
    cells = [store.keep(np.ascontiguousarray(part)) for part in np.split(x, 150, axis=1)]
    source, found = Blocks(x.shape[1], 1, cells, None, None, store), []
    for part in Dask(2).sums(_score_block, add, source, (model, at), range(150)):
        if not found:
            workers = dask._client(2).run(os.getpid)
            os.kill(next(iter(workers.values())), signal.SIGKILL)
        found.append(part)
    expected = list(Serial().sums(_score_block, add, source, (model, at), range(150)))
    assert len(found) == len(expected) == 3
    assert [part.log_likelihood.tobytes() for part in found] == [part.log_likelihood.tobytes() for part in expected]
    store.close()


def test_a_cluster_that_is_gone_keeps_what_was_found(place, nobody):
    err = em(*FIT, "--dask", nobody, "--dask-wait", 0.3, "--out", "gone", cwd=place, status=7).err
    assert f"the cluster at {nobody} has had no worker for 0.3 s. The same command with --resume goes on" in err
    assert not (place / "gone").exists()
    em(*FIT, "--out", "gone", "--resume", cwd=place)
    alike(place, "gone")


class Asked:
    """A cluster whose workers tell what they are."""

    def __init__(self, cluster, told):
        self.workers, self.told = list(cluster.scheduler_info()["workers"]), told

    def run(self, *_, on_error):
        assert on_error == "return"
        return dict.fromkeys(self.workers, self.told)


def test_workers_must_be_alike_and_see_the_rows(monkeypatch, tmp_path):
    monkeypatch.setattr(dask, "_checked", set())
    (tmp_path / "rows").write_bytes(b"")
    (tmp_path / "t.csv").write_bytes(b"a,b")
    cluster, places = dask._client(2), (str(tmp_path / "t.csv"), str(tmp_path / "t.rows"))
    own = dask._about(places)
    dask._check_workers(cluster, places[0])
    for what, told, message in (
        ("em", "0.0.0", "has another em: 0.2.0, and here it is 0.0.0. All of them must be alike for equal bits."),
        ("NumPy", "1.0", f"has another NumPy: {np.__version__}, and here it is 1.0"),
        (places[0], "a file of 2 bytes", f"does not see {places[0]} as it is here: a file of 3 bytes there, a file of"),
        (
            places[1],
            "there",
            f"does not see {places[1]} as it is here: not to be seen there, there here. Name a folder",
        ),
    ):
        monkeypatch.setattr(dask, "_about", lambda _, what=what, told=told: own | {what: told})
        asked = Asked(cluster, own)
        with pytest.raises(dask.UsageError, match=r"--dask: worker tcp://\S+ " + re.escape(message)):
            dask._check_workers(asked, *places)
    with pytest.raises(dask.UsageError, match=r"cannot be asked what it is \(ModuleNotFoundError: No module"):
        dask._check_workers(Asked(cluster, ModuleNotFoundError("No module named 'em_cli'")), places[0])
    lost = Asked(cluster, CommClosedError("by peer"))
    dask._check_workers(lost, places[0])
    assert (id(lost), places[:1]) not in dask._checked, "it is asked again"


def test_processes_here_that_are_gone_for_good_are_replaced():
    """As those are that were killed while they began, again and again."""
    wanted = []
    own = SimpleNamespace(cluster=SimpleNamespace(workers={0: "there"}, scale=wanted.append))
    for address in (2, "2", 1, "tcp://host:8786"):
        dask._replace_lost(own, address)
    assert wanted == [2, 2]


def test_what_does_not_go_with_a_cluster_is_said(place, monkeypatch):
    monkeypatch.setattr(dask, "CONNECT", 0.5)
    err = em(*FIT, "--dask", "tcp://127.0.0.1:9", "--out", "x", cwd=place, status=2).err
    assert "--dask tcp://127.0.0.1:9: there is no cluster" in err
    err = em(*FIT, "--dask", 2, "--group", "word", "--out", "x", cwd=place, status=2).err
    assert "belong together" in err and "Leave --dask out" in err
    err = em(*FIT, "--dask-wait", 5, "--out", "x", cwd=place, status=2).err
    assert "--dask-wait is about a cluster, and there is no --dask" in err
    assert issubclass(RunnerLost, Exception) and not (place / "x").exists()
