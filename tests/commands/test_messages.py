"""Every mistake gets one message on stderr, its exit status, and leaves nothing behind."""

import json
import os
import sys
from pathlib import Path

import pytest
from program import SAMPLES, em

from em_cli import app
from em_cli.config.yaml_text import parse
from em_cli.printable import say

FAITHFUL = str(SAMPLES / "faithful.csv")
AIR = str(SAMPLES / "airquality.csv")
MODEL = {
    "format": "em.params", "schema_version": 1, "family": "gaussian", "covariance_type": "full",
    "latent": "independent", "n_components": 1, "columns": [{"name": "x", "type": "numeric"}],
    "weights": [1.0], "means": [[0.0]], "covariances": [[[1.0]]],
}  # fmt: skip

DATA = {
    "empty.csv": b"",
    "header.csv": b"a,b\n",
    "binary.csv": b"\x00\x01\x02PK\x03\x04" * 50,
    "latin.csv": "größe,b\n1,2\n3,4\n".encode("latin-1"),
    "western.csv": "größe,b\n1,2\n3,4\n-,5\n6,7\n8,3".encode("latin-1"),
    "ragged.csv": b"a,b\n1,2\n3,4\n5,6,7\n",
    "short.csv": b"a,b\n1,2\n3\n5,6\n",
    "twice.csv": b"a,a\n1,2\n3,4\n",
    "nameless.csv": b"a,\n1,2\n3,4\n",
    "one.csv": b"a,b\n1,2\n",
    "text.csv": b"a,b\nx,y\nz,w\n",
    "few.csv": b"a,b\n1,2\n3,4\n1,2\n",
    "constant.csv": b"a,b\n1,7\n3,7\n4,7\n9,7\n",
    "nan.csv": b"a,b\n1,2\n,4\n5,6\n",
    "inf.csv": b"a,b\n1,2\ninf,4\n5,6\n",
    "huge.csv": b"a,b\n1,2\n1e400,4\n5,6\n",
    "negative.csv": b"n\n1\n-2\n3\n",
    "halves.csv": b"n\n1\n2.5\n3\n",
    "noheader.csv": b"3.6,79\n1.8,54\n3.3,74\n",
    "other.csv": b"y\n1\n2\n",
    "k.yaml": b"data: faithful.csv\nk: 2\ncovarance: full\n",
    "twice.yaml": b"k: 2\nk: 3\n",
    "yes.yaml": b"data: {path: faithful.csv, header: yes}\nk: 2\n",
    "effort.yaml": b"k: 2\nsearch: {effort: low, restarts: 5}\n",
    "limit.yaml": b"k: 2\nsearch: {time_limit: '1e3'}\n",
    "model.json": json.dumps(MODEL).encode(),
    "cut.json": json.dumps(MODEL).encode()[:80],
    "foreign.json": b'{"weights": [1]}',
    "newer.json": json.dumps(MODEL | {"schema_version": 3}).encode(),
    "nan.json": json.dumps(MODEL | {"means": [[float("nan")]]}).encode(),
    "weights.json": json.dumps(MODEL | {"weights": [0.4]}).encode(),
    "singular.json": json.dumps(MODEL | {"covariances": [[[0.0]]]}).encode(),
    "shape.json": json.dumps(MODEL | {"covariances": [[1.0]]}).encode(),
    "number.json": json.dumps(MODEL | {"means": "x"}).encode(),
    "list.json": b"[]",
    "missing.json": json.dumps({key: value for key, value in MODEL.items() if key != "means"}).encode(),
    "family.json": json.dumps(MODEL | {"family": "gausian"}).encode(),
    "many.json": json.dumps(MODEL | {"n_components": 10**9}).encode(),
}

CASES: list[tuple[str, int, list[str]]] = [
    ("fit absent.csv -k 2", 3, ["absent.csv"]),
    ("fit empty.csv -k 2", 3, ["empty.csv", "empty"]),
    ("fit header.csv -k 2", 3, ["header.csv"]),
    ("fit . -k 2", 3, ["folder|directory"]),
    ("fit binary.csv -k 2", 3, ["binary"]),
    ("fit latin.csv -k 2", 3, ["--encoding"]),
    ("fit western.csv -k 2", 3, ["--encoding cp1252", "Read so: ", "--na -"]),
    ("fit ragged.csv -k 2", 3, ["line 4", "3 fields"]),
    ("fit short.csv -k 2", 3, ["line 3", "1 field"]),
    ("fit twice.csv -k 2", 3, ["'a'"]),
    ("fit nameless.csv -k 2", 3, ["name"]),
    ("fit text.csv -k 2 --family gaussian", 3, ["no column that can be fitted"]),
    ("fit few.csv -k 3", 3, ["2 distinct rows", "3 components"]),
    ("fit constant.csv -k 2 --columns a,b", 3, ["'b'", "7"]),
    ("fit one.csv -k 1", 3, ["one row"]),
    ("fit nan.csv -k 2 --missing error", 3, ["a: 1", "row 2", "--missing drop"]),
    ("fit inf.csv -k 2", 3, ["row 2", "'a'"]),
    ("fit huge.csv -k 2", 3, ["row 2", "'a'"]),
    ("fit noheader.csv -k 2", 3, ["--no-header"]),
    ("fit negative.csv -k 2 --family poisson", 3, ["'n'", "-2"]),
    ("fit halves.csv -k 2 --type n=count", 3, ["'n'", "2.5"]),
    ("fit FAITHFUL", 2, ["-k"]),
    ("fit FAITHFUL -k 0", 2, ["components"]),
    ("fit FAITHFUL -k -3", 2, ["components"]),
    ("fit FAITHFUL -k two", 2, ["'two'"]),
    ("fit FAITHFUL -k 1-3", 2, ["select"]),
    ("fit -k 2", 2, ["no data"]),
    ("fit FAITHFUL -k 2 --columns eruption", 3, ["'eruption'", "Did you mean 'eruptions'?"]),
    ("fit FAITHFUL -k 2 --exclude wait", 3, ["'wait'"]),
    ("fit FAITHFUL -k 2 --id who", 3, ["'who'"]),
    ("fit FAITHFUL -k 2 --type waiting=counts", 2, ["Did you mean 'count'?"]),
    ("fit FAITHFUL -k 2 --type waiting", 2, ["--type"]),
    ("fit FAITHFUL -k 2 --family gausian", 2, ["Did you mean 'gaussian'?"]),
    ("fit FAITHFUL -k 2 --covariance ful", 2, ["Did you mean 'full'?"]),
    ("fit FAITHFUL -k 2 --covariance full,tied", 2, ["select"]),
    ("fit FAITHFUL -k 2 --algorithm emm", 2, ["'emm'"]),
    ("fit FAITHFUL -k 2 --start kmean", 2, ["Did you mean 'kmeans'?"]),
    ("fit FAITHFUL -k 2 --runner thread", 2, ["Did you mean 'threads'?"]),
    ("fit FAITHFUL -k 2 --restarts 0", 2, ["restarts"]),
    ("fit FAITHFUL -k 2 --effort hihg", 2, ["effort", "'hihg'", "Did you mean 'high'?"]),
    ("fit FAITHFUL -k 2 --effort 3", 2, ["known: low, normal, high"]),
    ("fit FAITHFUL -k 2 --set search.effort=[low]", 2, ["effort"]),
    ("fit FAITHFUL -k 2 --effort high --restarts 5", 2, ["--restarts 5", "no search", "--effort high"]),
    ("fit FAITHFUL -k 2 --effort normal --restarts 5", 2, ["--restarts 5", "no search", "--effort normal"]),
    ("fit FAITHFUL -k 1 --start model.json --effort low", 2, ["--start model.json", "no search", "--effort low"]),
    ("select FAITHFUL -c effort.yaml", 2, ["--restarts 5", "--effort low"]),
    ("config check effort.yaml", 2, ["--restarts 5", "--effort low"]),
    ("fit -c effort.yaml --effort lo", 2, ["Did you mean 'low'?"]),
    ("fit FAITHFUL -k 2 --time-limit soon", 2, ["--time-limit", "'soon'", "10m, 90s, 1.5h, or 45"]),
    ("fit FAITHFUL -k 2 --time-limit 10x", 2, ["'10x'", "10m, 90s, 1.5h, or 45"]),
    ("fit FAITHFUL -k 2 --time-limit 0", 2, ["'0'", "no time", "10m, 90s, 1.5h, or 45"]),
    ("fit FAITHFUL -k 2 --time-limit -5m", 2, ["'-5m'", "no time"]),
    ("fit FAITHFUL -k 2 --set search.time_limit=[1]", 2, ["'[1]'", "10m, 90s, 1.5h, or 45"]),
    ("select FAITHFUL -c limit.yaml", 2, ["limit.yaml:2:10", "1e3"]),
    ("fit FAITHFUL -k 2 --tol 0", 2, ["tol"]),
    ("fit FAITHFUL -k 2 --max-iter 0", 2, ["--max-iter 0"]),
    ("fit FAITHFUL -k 2 --seed -1", 2, ["seed"]),
    ("fit FAITHFUL -k 2 --missing eror", 2, ["--missing: unknown value", "Did you mean 'error'?"]),
    ("fit FAITHFUL -k 2 --covarance full", 2, ["--covariance"]),
    ("fit FAITHFUL -k 2 --format csv", 2, ["csv"]),
    ("fit FAITHFUL -k 2 --json --params -", 2, ["standard output"]),
    ("fit FAITHFUL -k 2 --set search.tool=1", 2, ["Did you mean 'tol'?"]),
    ("fit FAITHFUL -k 2 --set nonsense", 2, ["key=value"]),
    ("fit -c absent.yaml", 2, ["absent.yaml"]),
    ("fit -c k.yaml", 2, ["k.yaml:3:1", "Did you mean 'covariance'?"]),
    ("fit -c twice.yaml", 2, ["twice.yaml:2:1", "line 1"]),
    ("fit -c yes.yaml", 2, ["yes.yaml:1:", "header"]),
    ("fit FAITHFUL -k 2 --start absent.json", 2, ["absent.json"]),
    ("fit FAITHFUL -k 2 --start model.json", 3, ["model.json", "components"]),
    ("fit FAITHFUL -k 2 --start model.json --restarts 3", 2, ["--restarts"]),
    ("fit FAITHFUL -k 2 --out there", 4, ["there", "exists", "--force"]),
    ("fit FAITHFUL -k 2 --out there --force", 4, ["not a run folder"]),
    ("fit FAITHFUL -k 2 --out file.txt/x", 4, ["file.txt"]),
    ("fit AIR -k 2 --missing error", 3, ["ozone", "--missing drop"]),
    ("fit deaths.csv -k 2 --family poisson --covariance full", 2, ["--covariance"]),
    ("select FAITHFUL --k-range 5-2", 2, ["backwards"]),
    ("select FAITHFUL --k-range 1-10:0", 2, ["step"]),
    ("select FAITHFUL --criterion bicc", 2, ["Did you mean 'bic'?"]),
    ("select FAITHFUL --covariance full,tie", 2, ["Did you mean 'tied'?"]),
    ("select few.csv --k-range 3-4", 3, ["2 distinct rows"]),
    ("predict absent.em FAITHFUL", 3, ["absent.em"]),
    ("predict there FAITHFUL", 3, ["params.json"]),
    ("predict cut.json FAITHFUL", 3, ["cut.json", "JSON"]),
    ("predict foreign.json FAITHFUL", 3, ["foreign.json", "format"]),
    ("predict newer.json FAITHFUL", 3, ["schema version 3", "upgrade"]),
    ("predict nan.json FAITHFUL", 3, ["nan.json"]),
    ("predict weights.json FAITHFUL", 3, ["sum"]),
    ("predict singular.json FAITHFUL", 3, ["positive definite"]),
    ("predict shape.json FAITHFUL", 3, ["covariances"]),
    ("predict number.json FAITHFUL", 3, ["means"]),
    ("predict list.json FAITHFUL", 3, ["list.json"]),
    ("predict missing.json FAITHFUL", 3, ["'means'", "missing"]),
    ("predict family.json FAITHFUL", 3, ["Did you mean 'gaussian'?"]),
    ("predict many.json FAITHFUL", 3, ["n_components"]),
    ("predict FAITHFUL FAITHFUL", 3, ["not a model file"]),
    ("predict model.json FAITHFUL", 3, ["lacks column 'x'"]),
    ("predict model.json other.csv", 3, ["lacks column 'x'"]),
    ("predict model.json", 2, ["DATA"]),
    ("predict - -", 2, ["standard input"]),
    ("predict model.json other.csv --columns y", 2, ["--columns"]),
    ("predict model.json other.csv --out file.txt", 4, ["exists"]),
    ("score model.json other.csv", 3, ["lacks column 'x'"]),
    ("sample model.json", 2, ["-n"]),
    ("sample model.json -n -1", 2, ["-n"]),
    ("show foreign.json", 3, ["foreign.json"]),
    ("parts famlies", 2, ["Did you mean 'families'?"]),
    ("parts families gausian", 2, ["Did you mean 'gaussian'?"]),
    ("config check k.yaml", 2, ["covariance"]),
    ("fitt FAITHFUL", 2, ["fitt"]),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, content in DATA.items():
        (tmp_path / name).write_bytes(content)
    for name in ("faithful.csv", "deaths.csv"):
        (tmp_path / name).write_bytes((SAMPLES / name).read_bytes())
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "precious.txt").write_text("do not lose")
    (tmp_path / "file.txt").write_text("a file")
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("EM_"):
            monkeypatch.delenv(name)
    return tmp_path


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("line", "status", "fragments"), CASES, ids=[line for line, _, _ in CASES])
def test_one_message_and_its_status(folder, monkeypatch, capsys, line, status, fragments):
    before = everything(folder)
    arguments = [{"FAITHFUL": FAITHFUL, "AIR": AIR}.get(word, word) for word in line.split()]
    monkeypatch.setattr(sys, "argv", ["em", *arguments])
    with pytest.raises(SystemExit) as ended:
        app.main()
    out, err = capsys.readouterr()
    assert ended.value.code == status, err
    assert out == ""
    assert "Traceback" not in err and "\x1b" not in err
    for fragment in fragments:
        assert any(choice in err for choice in fragment.split("|")), f"{fragment!r} is not in: {err}"
    assert len(err.splitlines()) <= 12
    assert everything(folder) == before, "something was left behind"


def test_control_characters_of_the_data_do_not_reach_the_terminal(folder):
    (folder / "evil.csv").write_bytes(b"a,b\x1b[31m\n1,2\n3,4\n1,\x1b]0;owned\x07\n")
    err = em("fit", "evil.csv", "-k", "2", "--columns", "a,c", cwd=folder, status=3).err
    assert "\x1b" not in err and "\x07" not in err


ACTS = "\u202e\u2066\x9b\x85\u2028\u200f"  # marks of direction, and controls of one byte (C1)


def test_nothing_that_a_person_named_acts_on_a_screen_or_in_a_document(tmp_path):
    """Names of files, columns, levels, ids and parts, in results, messages, JSON, YAML and the live log."""
    rows = [f"r{ACTS}{i},{i % 7}.5,{'a' + ACTS if i % 3 else 'b'}" for i in range(40)]
    data, run, name = f"da{ACTS}ta.csv", f"ru{ACTS}n", f"c{ACTS}"
    (tmp_path / data).write_bytes("\n".join([f"i{ACTS},{name},le{ACTS}", *rows, ""]).encode())
    fit = ("fit", data, "-k", 1, "--id", f"i{ACTS}")
    lines = [
        ((*fit, "--out", run, "--format", "human", "-v"), 0),
        ((*fit, "--json", "--progress", "jsonl"), 0),
        ((*fit, "--dry-run"), 0),
        (("show", run, "--draw", "always"), 0),
        (("show", run, "--audit"), 0),
        (("fit", data, "-k", 1, "--columns", f"x{ACTS}"), 3),
        (("fit", data, "-k", 1, "--family", f"x{ACTS}"), 2),
        (("fit", data, "-k", 1, "--set", f"x{ACTS}=1"), 2),
        (("fit", data, "-k", 1, "--tol", f"x{ACTS}"), 2),
        (("fit", data, "-k", 1, "--out", f"{data}/x"), 4),
        (("fit", data, "-k", 1, f"--x{ACTS}"), 2),
        (("predict", run, f"x{ACTS}"), 3),
        (("config", "init", data), 0),
        (("help", f"x{ACTS}"), 2),
    ]
    for line, status in lines:
        ended = em(*line, cwd=tmp_path, status=status)
        for text in (ended.out, ended.err):
            assert all(shown.isprintable() for shown in text.split("\n")), (line, ascii(text))
    written = (tmp_path / run / "params.json").read_text(), (tmp_path / run / "run.yaml").read_text()
    assert all(line.isprintable() for text in written for line in text.split("\n"))
    assert [column["name"] for column in json.loads(written[0])["columns"]] == [name, f"le{ACTS}"]
    assert parse(written[1], "run.yaml").value["data"]["id"] == f"i{ACTS}"


def test_debug_shows_the_traceback(folder, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["em", "fit", "absent.csv", "-k", "2", "--debug"])
    with pytest.raises(Exception, match=r"absent\.csv"):
        app.main()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_cannot_be_written(folder):
    (folder / "locked").mkdir(mode=0o500)
    em("fit", FAITHFUL, "-k", "2", "--out", "locked/run", cwd=folder, status=4)


def test_every_start_at_the_resolution_of_the_data(folder):
    """Three values, each many times: three components can only sit on them, unless there is a prior."""
    (folder / "ties.csv").write_text("a\n" + "1\n" * 20 + "2\n" * 20 + "3\n" * 20)
    fit = ("fit", "ties.csv", "-k", "3", "--type", "a=numeric")
    said = em(*fit, "--strict", "--format", "human", "--out", "prior.em", cwd=folder, status=6).out
    said = " ".join(said.split())
    assert "a component rests on no more than 1 distinct row" in said and "a is 1 in 33% of the rows" in said
    params = json.loads((folder / "prior.em" / "params.json").read_text())
    params["covariances"] = [[[0.0834]]] * 3
    (folder / "start.json").write_text(json.dumps(params | {"prior": "none"}))
    err = em(*fit, "--start", "start.json", cwd=folder, status=5).err
    assert "the start collapsed" in err and err.endswith("Try --prior weak, or a smaller -k.\n")
    assert not list(folder.glob("ties*.em"))
    em(*fit, "--start", "start.json", "--prior", "weak", cwd=folder)


def test_a_message_on_a_terminal_ends_its_lines_between_words(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    said = "1 of 93 rows have a tail probability of at most 0.001\nand a/path-with/hyphens is whole"
    say(said)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 3 and max(map(len, lines)) < 30 and "path-with/hyphens" in "\n".join(lines)
    assert " ".join(" ".join(lines).split()) == f"em: {' '.join(said.split())}"
