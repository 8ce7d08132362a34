"""`em export --to python` of rows that belong together, and of documents: as `em predict`, by NumPy alone."""

import csv
from datetime import date, timedelta

import numpy as np
import pytest
from commands.databases import read
from program import SAMPLES, em

FITS = {
    "chain": ["--latent", "markov", "--sequence", "who", "--order", "day", "--step", "1d"],
    "lines": ["--latent", "markov", "--sequence", "who", "--order", "day", "--response", "size", "--on", "visits"],
    "groups": ["--group", "who", "--columns", "size,kind"],
    "told": ["--group", "who", "--columns", "size", "--concomitant", "site"],
}


def visits(path, seed, n=60):
    """Rows of five people, with two states that last, gaps in time and missing cells; not sorted by time."""
    rng = np.random.default_rng(seed)
    rows = []
    for who in range(5):
        high, day = rng.random() < 0.5, date(2024, 2, 25)
        for _ in range(n // 5):
            high, day = high ^ (rng.random() < 0.2), day + timedelta(int(rng.integers(1, 3)))
            size, kind = (
                f"{rng.normal(5 + 5 * high, 1):.3f}",
                rng.choice(["a", "b", "c"], p=[0.6 - 0.4 * high, 0.3, 0.1 + 0.4 * high]),
            )
            rows.append([f"p{who}", day.isoformat(), size, kind, rng.poisson(2 + 6 * high), ["x", "y"][who % 2]])
    for row in rows[::7]:
        row[2] = ""
    with path.open("w", newline="") as lines:
        csv.writer(lines).writerows(
            [["who", "day", "size", "kind", "visits", "site"], *rows[n // 10 :], *rows[: n // 10]]
        )
    return path


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("together")
    visits(folder / "old.csv", 1)
    return folder


def module_of(desk, name):
    """The names of what a module defines, run by itself."""
    namespace = {}
    exec(em("export", name, "--to", "python", cwd=desk).out, namespace)
    return namespace


def same(found, text):
    """The columns that are found are those of the table behind its first column."""
    head, *rows = csv.reader(text.splitlines())
    known = dict(zip(head, zip(*rows, strict=True), strict=True))
    for column in head[1:]:
        wanted = np.array([float(cell or "nan") for cell in known[column]])
        np.testing.assert_allclose(np.asarray(found[column], float), wanted, rtol=1e-9, atol=1e-9, err_msg=column)


@pytest.mark.parametrize("name", FITS)
def test_a_python_module_gives_the_scores_of_rows_that_belong_together(desk, name):
    em("fit", "old.csv", "-k", 2, "-q", "--restarts", 2, "--se", "none", *FITS[name], "--out", name, cwd=desk)
    new = visits(desk / "new.csv", 2, 40)
    new.write_text(new.read_text().replace(",b,", ",unseen,", 2))
    head, rows = read(new)
    columns = dict(zip(head, zip(*rows, strict=True), strict=True))
    module = module_of(desk, name)
    same(module["predict"](columns), em("predict", name, "new.csv", cwd=desk).out)
    if name == "chain":
        for decode in ("viterbi", "filter"):
            told = em("predict", name, "new.csv", "--decode", decode, cwd=desk).out
            same(module["predict"](columns, decode), told)
        head, *rows = em("predict", name, "new.csv", "--horizon", 3, cwd=desk).out.splitlines()
        ahead = [row.split(",") for row in rows if row.split(",")[2] != "0"]
        found = module["forecast"](columns, 3)
        assert found["who"].tolist() == [row[1] for row in ahead]
        told = {name: own for name, own in found.items() if name != "who"}
        places = [0, *(head.split(",").index(name) for name in told)]
        same(told, "\n".join(",".join(row[at] for at in places) for row in [head.split(","), *ahead]))


def test_what_rows_of_sequences_cannot_be(desk):
    predict = module_of(desk, "chain")["predict"]
    days = ["2024-01-01", "2024-01-02", "2024-01-01"]
    rows = {"who": ["a", "a", "b"], "day": days, "size": [1, 2, 3], "kind": "abc", "visits": [1, -1, 1], "site": "xxx"}
    assert np.isnan(predict(rows)["p1"]).tolist() == [True, True, False]
    with pytest.raises(ValueError, match="same time"):
        predict(rows | {"who": ["a"] * 3})
    with pytest.raises(ValueError, match="no whole number of steps"):
        predict(rows | {"day": [f"{days[0]} 12:00", *days[1:]]})


CORPORA = {
    "complaints.csv": ["-k", 3, "--text", "text", "--id", "id", "--stop-words", "english"],
    "purchases.csv": ["-k", 3, "--document", "customer", "--term", "product", "--count", "pieces"],
    "bars.csv": ["-k", 2],
}


@pytest.mark.parametrize("file", CORPORA)
def test_a_python_module_tells_what_documents_are_about(desk, file):
    own = (SAMPLES / file).read_text().splitlines(keepends=True)
    (desk / file).write_text("".join(own[:121]))
    em("fit", file, "-q", "--latent", "topics", "--effort", "low", *CORPORA[file], "--out", f"{file}.em", cwd=desk)
    head, rows = read(desk / file)
    columns = dict(zip(head, zip(*rows, strict=True), strict=True))
    found = module_of(desk, f"{file}.em")["predict"](columns)
    told = em("predict", f"{file}.em", file, cwd=desk).out
    same(found, told)
    assert list(map(str, next(iter(found.values())))) == [row[0] for row in csv.reader(told.splitlines()[1:])]
