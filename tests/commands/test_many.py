"""`--by COL` and `--each`: many runs by one command, each what it is by itself."""

import csv
import io
import json

import numpy as np
import pytest
from program import em

from em_cli.errors import DataError
from em_cli.options import FolderOptions, PlaceOptions, ReportOptions
from em_cli.runs.many import done
from em_cli.runs.request import Request


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Rows of three kinds, one with too few of them; a decimal comma, quotes, and a level that is no file name."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(4)
    lines = ["kind;size;note"]
    for n in range(90):
        kind, at = ("a/b", 0) if n % 2 else ("c d", 20)
        size = rng.normal(at + 6 * (n % 3 == 0), 0.8)
        lines.append(f'{kind};{size:.3f};"x;{n}"'.replace(".", ","))
    lines += ["few;1,5;n", ";3,5;n"]
    (folder / "all.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def fitted(desk):
    options = ("--decimal", ",", "--exclude", "note", "--threads", 1)
    return em("fit", "all.csv", "-k", 2, "--by", "kind", *options, "--json", cwd=desk)


def test_each_level_is_fitted_as_by_itself(desk, fitted):
    document = json.loads(fitted.out)
    found = {run["level"]: run for run in document["runs"]}
    assert list(found) == ["c d", "a/b", "few"] and document["by"] == "kind"
    assert "1 rows without a value in kind" in fitted.err
    assert found["few"]["status"] in (3, 5) and found["few"]["reason"] and "k" not in found["few"]
    for level, name in (("a/b", "a_b"), ("c d", "c_d")):
        data = desk / "all-by-kind" / f"{name}.csv"
        rows = data.read_text().splitlines()
        assert len(rows) == 46 and rows[0] == "kind;size;note" and all(row.startswith(level) for row in rows[1:])
        alone = json.loads(
            em(
                "fit",
                data,
                "-k",
                2,
                "--decimal",
                ",",
                "--exclude",
                "note,kind",
                "--out",
                f"{name}-alone",
                "--json",
                cwd=desk,
            ).out
        )
        assert found[level]["log_likelihood"] == alone["log_likelihood"] and found[level]["rows"] == 45
    with (desk / "all-by-kind" / "runs.csv").open() as lines:
        table = list(csv.DictReader(lines))
    assert [row["level"] for row in table] == list(found)


def test_new_rows_are_labelled_by_the_run_of_their_level(desk, fitted):
    rows = "kind;size\na/b;6,1\nfew;1,5\nc d;20,2\nnew;3\n"
    told = em("predict", "all-by-kind", "-", "--by", "kind", cwd=desk, stdin=rows)
    found = list(csv.DictReader(io.StringIO(told.out)))
    assert [row["kind"] for row in found] == ["a/b", "few", "c d", "new"]
    for row, name in ((0, "a_b"), (2, "c_d")):
        lines = rows.splitlines()
        alone = em("predict", f"all-by-kind/{name}.em", "-", cwd=desk, stdin=f"{lines[0]}\n{lines[row + 1]}\n").out
        (own,) = csv.DictReader(io.StringIO(alone))
        assert [found[row][name] for name in ("component", "log_density", "uncertainty")] == [
            own[name] for name in ("component", "log_density", "uncertainty")
        ]
    assert found[1]["component"] == found[3]["component"] == "" and "few: 1, new: 1" in told.err


def test_each_file_has_a_run(desk, fitted):
    folder = desk / "all-by-kind"
    told = em(
        *("select", folder / "a_b.csv", folder / "c_d.csv", "--each", "--k-range", "1-2", "--threads", 1),
        *("--decimal", ",", "--columns", "size", "--out", "each", "--format", "human"),
        cwd=desk,
    )
    assert (desk / "each" / "a_b.em" / "selection.csv").exists() and (desk / "each" / "c_d.em").exists()
    assert (
        "log-likelihood" in told.out
        and "em show each/a_b.em" in told.out
        and max(map(len, told.out.splitlines())) <= 80
    )


@pytest.mark.parametrize(
    "options, status, message",
    [
        (["--by", "kind", "--each"], 2, "give one of them"),
        (["--by", "kind", "--labelled", "x.csv"], 2, "--labelled is about one run"),
        (["--by", "knid"], 3, "no column 'knid'. Did you mean 'kind'?"),
        (["--by", "note"], 2, "91 levels among 92 rows are too many"),
    ],
)
def test_what_makes_no_sense_is_refused(desk, options, status, message):
    told = em(
        "fit", "all.csv", "-k", 2, "--decimal", ",", "--threads", 1, *options, "--out", "no", cwd=desk, status=status
    )
    assert message in told.err


def test_nobodys_file_is_replaced(desk):
    """Those that bear the name of a level, of the table, or are the data themselves; the same rows are no others."""
    fit = ("fit", "all.csv", "-k", 1, "--by", "kind", "--decimal", ",", "--exclude", "note", "--threads", 1, "-q")
    mine = desk / "mine"
    mine.mkdir()
    for name in ("a_b.csv", "runs.csv"):
        (mine / name).write_text("mine\n")
        assert f"mine/{name} exists" in em(*fit, "--out", "mine", cwd=desk, status=4).err
        assert (mine / name).read_text() == "mine\n" and [path.name for path in mine.iterdir()] == [name]
        (mine / name).unlink()
    (desk / "a_b.csv").write_bytes((desk / "all.csv").read_bytes())
    told = em("fit", "a_b.csv", *fit[2:], "--out", ".", "--force", cwd=desk, status=2).err
    assert "would overwrite a_b.csv, which is to be read" in told
    (desk / "runs.csv").write_text("mine\n")
    each = ("fit", "a_b.csv", "--each", "-k", 1, "--decimal", ",", "--columns", "size", "-q", "--threads", 1)
    assert "no table of runs" in em(*each, cwd=desk, status=4).err and (desk / "runs.csv").read_text() == "mine\n"
    em(*fit, "--out", "mine", cwd=desk)
    em(*fit, "--out", "mine", cwd=desk)


def test_runs_without_bic_are_told(desk):
    said = ("fit", "all.csv", "-k", 2, "--by", "kind", "--decimal", ",", "--exclude", "note", "--threads", 1)
    told = em(*said, "--inference", "variational", "--effort", "low", "--out", "vb", "--format", "human", cwd=desk)
    assert "c d: k = 2: loglik" in told.err and "BIC" not in told.err and " - " in told.out


def test_a_folder_of_one_run_is_not_many(desk, fitted):
    told = em("predict", "all-by-kind/a_b.em", "-", "--by", "kind", cwd=desk, stdin="kind;size\n", status=2)
    assert "holds no runs.csv" in told.err


def one(request):
    """What stands for a run: it tells which it was, and how many threads it may take."""
    raise DataError(f"{request.paths[0]} {request.sections[1].threads}")


def test_processes_give_what_one_gives_but_each_has_one_thread():
    requests = [
        Request("fit", [str(n)], (FolderOptions(), PlaceOptions()), None, ReportOptions(), None) for n in range(2)
    ]
    here, elsewhere = ([row["reason"] for row in done(requests, one, threads)] for threads in (1, 2))
    assert here == ["0 None", "1 None"] and elsewhere == ["0 1", "1 1"]


@pytest.mark.parametrize("command", ["predict {} d.csv", "show {}", "export {} --to sql", "impute {} d.csv"])
def test_a_folder_of_runs_is_no_run_and_one_of_them_is_named(command, tmp_path):
    (tmp_path / "d.csv").write_text("g,x\n" + "".join(f"{'ab'[i % 2]},{i % 7 + 0.5}\n" for i in range(40)))
    em("fit", "d.csv", "--by", "g", "-k", 1, "-q", "--threads", 1, cwd=tmp_path)
    told = em(*command.format("d-by-g").split(), cwd=tmp_path, status=3).err
    assert "holds the runs of --by or --each" in told and "name one of them, as d-by-g/a.em" in told
    em("show", "d-by-g/a.em", cwd=tmp_path)
    assert "a,1," in em("predict", "d-by-g", "d.csv", "--by", "g", cwd=tmp_path).out
