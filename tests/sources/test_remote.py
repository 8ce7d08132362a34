"""Files by their addresses, of a server of our own and of fsspec's memory: what is read, and what is said and not."""

import gzip
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import fsspec
import pytest
from program import SAMPLES, em

FIT = ("-k", 2, "--restarts", 1, "--max-iter", 3, "--se", "none", "-q")
CSV = (SAMPLES / "faithful.csv").read_bytes()
SECRET = "s3cr3t"


HEAD, _, ROWS = CSV.partition(b"\n")
LARGE = HEAD + b"\n" + ROWS * (1 + 6_000_000 // len(ROWS))  # more than what is asked for at a time
FILES = {"/f.csv": CSV, "/f.csv.gz": gzip.compress(CSV), "/large.csv": LARGE}


class Server(BaseHTTPRequestHandler):
    """One that knows a few files, and does not hand out parts of them."""

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def answer(self):
        path = self.path.partition("?")[0]
        status = {"/denied.csv": 403, "/broken.csv": 500}.get(path, 200 if path in FILES else 404)
        content = FILES.get(path, b"") if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def server():
    with HTTPServer(("127.0.0.1", 0), Server) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("here")
    (folder / "f.csv").write_bytes(CSV)
    em("fit", "f.csv", *FIT, cwd=folder)
    return folder


@pytest.fixture
def bucket():
    """Files of fsspec's memory."""
    system = fsspec.filesystem("memory")
    head, *lines = CSV.decode().splitlines(keepends=True)
    system.pipe({f"/b/part-{i}.csv": (head + "".join(lines[i::2])).encode() for i in (0, 1)})
    yield "memory://b"
    system.rm("/b", recursive=True)


def test_a_large_file_is_read_from_a_server_that_hands_out_no_parts(server, here):
    found = json.loads(em("score", "f-k2.em", f"{server}/large.csv", cwd=here).out)
    assert found["n_rows_read"] == LARGE.count(b"\n") - 1


def test_a_web_address_is_a_file_like_others(server, here, tmp_path):
    """The same result; what may be a secret is not said, nor in the name of the run or among its inputs."""
    em("fit", f"{server}/f.csv?Signature={SECRET}", *FIT, cwd=tmp_path)
    for name in ("params.json", "responsibilities.csv"):
        assert (tmp_path / "f-k2.em" / name).read_bytes() == (here / "f-k2.em" / name).read_bytes(), name
    inputs = json.loads((tmp_path / "f-k2.em/manifest.json").read_text())["inputs"]
    assert inputs[0]["name"] == f"{server}/f.csv?…" and inputs[0]["size"] == len(CSV)
    alone = em("predict", here / "f-k2.em", here / "f.csv", cwd=tmp_path).out
    assert em("predict", here / "f-k2.em", f"{server}/f.csv.gz", cwd=tmp_path).out == alone
    em("fit", f"{server}/f.csv", *FIT, "--out", "l.em", "--labelled", "l.csv", cwd=tmp_path)
    assert (tmp_path / "l.csv").read_bytes().startswith(CSV.split(b"\n")[0])


def test_what_cannot_be_read_is_said_without_secrets(server, tmp_path):
    said = {
        "none.csv": "/none.csv does not exist.",
        f"denied.csv?token={SECRET}": "/denied.csv?… cannot be read: there is no permission; credentials are taken",
        "broken.csv": "/broken.csv cannot be read: the server answers 500.",
    }
    for path, words in said.items():
        err = em("fit", f"{server}/{path}", *FIT, cwd=tmp_path, status=3).err
        assert words in err and SECRET not in err
    err = em("fit", "http://127.0.0.1:9/f.csv", *FIT, cwd=tmp_path, status=3).err
    assert "http://127.0.0.1:9/f.csv cannot be read: there is no connection to the server." in err
    address = server.replace("//", f"//me:{SECRET}@")
    err = em("fit", f"{address}/none.csv", *FIT, cwd=tmp_path, status=3).err
    assert f"{server}/none.csv does not exist." in err and SECRET not in err
    err = em("fit", f"nothing://me:{SECRET}@x/t.csv", *FIT, cwd=tmp_path, status=3).err
    assert "nothing://x/t.csv: nothing here reads nothing:// addresses." in err and SECRET not in err
    assert not list(tmp_path.iterdir())


def test_the_extra_that_is_lacking_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    err = em("fit", "s3://bucket/a.csv", *FIT, cwd=tmp_path, status=3).err
    assert 's3://bucket/a.csv: reading it needs pip install "em-cli[remote]".' in err
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    err = em("fit", "gs://bucket/a.csv", *FIT, cwd=tmp_path, status=3).err
    assert 'gs://bucket/a.csv: reading it needs pip install "em-cli[remote]".' in err


def test_patterns_and_folders_of_a_store_are_read_as_one(bucket, here, tmp_path):
    import pandas as pd

    em("fit", f"{bucket}/part-*.csv", *FIT, "--out", "parts.em", cwd=tmp_path)
    assert json.loads((tmp_path / "parts.em/params.json").read_text())["n_rows_read"] == CSV.count(b"\n") - 1
    system = fsspec.filesystem("memory")
    with system.open("/b/sales/year=2024/a.parquet", "wb") as file:
        pd.read_csv(here / "f.csv").to_parquet(file)
    system.pipe("/b/sales/_SUCCESS", b"")
    em("fit", f"{bucket}/sales/", *FIT, "--exclude", "year", "--out", "sales.em", cwd=tmp_path)
    own, other = (json.loads((at / "params.json").read_text()) for at in (here / "f-k2.em", tmp_path / "sales.em"))
    assert own["log_likelihood"] == other["log_likelihood"] and other["columns"] == own["columns"]
    err = em("fit", f"{bucket}/none-*.csv", *FIT, cwd=tmp_path, status=3).err
    assert "no file is found at memory://b/none-*.csv." in err
    err = em("fit", f"{bucket}/csv/", *FIT, cwd=tmp_path, status=3).err
    assert "that ends in .parquet or .feather. To read all of another kind: 'memory://b/csv/*.csv'." in err
