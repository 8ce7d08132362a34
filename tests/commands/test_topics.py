"""`--latent topics`: documents read in three ways, what is written of them, and what is refused."""

import csv
import json
from itertools import pairwise

import numpy as np
import pytest
import written
from program import SAMPLES, em

TERMS = {"fruit": ["apple", "pear", "plum"], "cars": ["brake", "motor", "wheel"]}
QUICK = ("--latent", "topics", "-k", "2", "--effort", "low", "-q")
LONG = ("--document", "doc", "--term", "word", "--count", "n")


def cells():
    """Documents of one or two themes: (document, term, count)."""
    rng = np.random.default_rng(3)
    found = []
    for document in range(24):
        share = (0.95, 0.05, 0.5)[document % 3]
        for theme, p in (("fruit", share), ("cars", 1 - share)):
            for term, n in zip(TERMS[theme], rng.multinomial(rng.poisson(12 * p) + 1, [0.5, 0.3, 0.2]), strict=True):
                found.append((f"d{document:02}", term, int(n)))
    return found


def long(path, rows, end=""):
    path.write_text("doc,word,n\n" + "".join(f"{d},{t},{n}\n" for d, t, n in rows) + end)


def wide(path, rows, order=1):
    table = {}
    for document, term, n in rows:
        table.setdefault(document, {})[term] = n
    terms = sorted({term for _, term, _ in rows})[::order]
    lines = [",".join([d, *(str(own.get(t, 0)) for t in terms)]) for d, own in list(table.items())[::order]]
    path.write_text("\n".join([",".join(["doc", *terms]), *lines, ""]))


def texts(path, rows):
    table = {}
    for document, term, n in rows:
        table.setdefault(document, []).extend([term.upper()] * n)
    path.write_text("doc,body\n" + "".join(f'{d},"The {". ".join(words)}; the 7!"\n' for d, words in table.items()))


def read(path):
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same documents as lines of terms, as a table and as text; and a fit of the lines."""
    place = tmp_path_factory.mktemp("topics")
    long(place / "long.csv", cells())
    wide(place / "wide.csv", cells())
    texts(place / "text.csv", cells())
    em("fit", "long.csv", *LONG, *QUICK, "--out", "long.em", cwd=place)
    return place


def params(folder, run):
    return json.loads((folder / run / "params.json").read_text())


def test_what_is_written(folder):
    written.check_run(folder / "long.em")
    found = params(folder, "long.em")
    assert {tuple(sorted(one["top_terms"][:3])) for one in found["topics"]} == {
        tuple(sorted(t)) for t in TERMS.values()
    }
    assert found["log_likelihood"] is None and found["n_tokens"] == sum(n for *_, n in cells())
    law, words = np.array(found["topic_word"]), np.array(found["lambda"])
    assert law.sum(axis=1) == pytest.approx(1) and words.sum() == pytest.approx(
        found["n_tokens"] + 0.1 * words.size, rel=1e-4
    )
    rows = read(folder / "long.em" / "documents.csv")
    assert [row["doc"] for row in rows] == sorted({d for d, *_ in cells()})
    assert all(float(row["p1"]) + float(row["p2"]) == pytest.approx(1) for row in rows)
    ranked = [row for row in read(folder / "long.em" / "topics.csv") if row["topic"] == "1"]
    assert [int(row["rank"]) for row in ranked] == list(range(1, 7))
    overall = {term: sum(n for _, t, n in cells() if t == term) / found["n_tokens"] for _, term, _ in cells()}
    for row in ranked:
        assert float(row["probability"]) / overall[row["term"]] == pytest.approx(float(row["lift"]))
    heights = [float(row["log_likelihood"]) for row in read(folder / "long.em" / "trace.csv")]
    assert max(heights) == pytest.approx(found["elbo"], abs=1e-6)


def test_how_documents_are_laid_out_and_ordered_changes_nothing(folder):
    best = params(folder, "long.em")
    shuffled = cells()
    np.random.default_rng(0).shuffle(shuffled)
    split = [(d, t, m) for d, t, n in shuffled for m in ((n - 1, 1) if int(n) > 1 else (n,))]
    long(folder / "split.csv", split)
    wide(folder / "back.csv", cells(), -1)
    ways = {
        "split.csv": LONG,
        "wide.csv": ("--document", "doc"),
        "back.csv": (),  # the column of text is taken for the names
        "text.csv": ("--text", "body", "--document", "doc", "--stop-words", "english"),
    }
    for number, (file, said) in enumerate(ways.items()):
        em("fit", file, *said, *QUICK, "--out", f"same{number}.em", cwd=folder)
        found = params(folder, f"same{number}.em")
        assert all(found[name] == best[name] for name in ("elbo", "lambda", "terms", "alpha", "search", "topics")), file
        own, first = (
            {r["doc"]: r for r in read(folder / run / "documents.csv")} for run in (f"same{number}.em", "long.em")
        )
        assert own == first


def test_threads_and_resuming_change_nothing(folder):
    whole = (folder / "long.em" / "params.json").read_text()
    em("fit", "long.csv", *LONG, *QUICK, "--threads", "3", "--runner", "threads", "--out", "t.em", cwd=folder)
    assert (folder / "t.em" / "params.json").read_text() == whole
    cut = (*LONG, *QUICK, "--checkpoint-every", "0.01s", "--out", "cut.em")
    em("fit", "long.csv", *cut, "--time-limit", "0.001s", cwd=folder)
    assert params(folder, "cut.em")["stop_reason"] == "time_limit"
    em("fit", "long.csv", *cut, "--resume", cwd=folder)
    assert (folder / "cut.em" / "params.json").read_text() == whole
    assert "is this run already" in em("fit", "long.csv", *LONG, *QUICK[:-1], "--out", "long.em", cwd=folder).err


def test_topics_that_another_end_has_not_are_warned_of(folder):
    """Five topics of data with ten; and none where two stand far apart."""
    few = [SAMPLES / "bars.csv", "--latent", "topics", "-k", 5, "--effort", "low", "-q"]
    em("fit", *few, "--out", "few.em", cwd=folder)
    found = params(folder, "few.em")
    (told,) = [one["message"] for one in found["warnings"] if one["code"] == "unstable_topics"]
    assert f"has {found['runner_up']['matching']} of these 5 topics" in told
    assert ("Found again" in told) <= (found["runner_up"]["others"] > 1)
    assert "unstable_topics" not in [one["code"] for one in params(folder, "long.em")["warnings"]]


def test_new_documents(folder):
    shown = em("predict", "long.em", "long.csv", cwd=folder).out
    table = list(csv.DictReader(shown.splitlines()))
    for old, new in zip(read(folder / "long.em" / "documents.csv"), table, strict=True):
        assert float(new["p1"]) == pytest.approx(float(old["p1"]), abs=1e-3) and new["topic"] == old["topic"]
    long(folder / "new.csv", [("x", "apple", 9), ("x", "zeppelin", 4), ("y", "wheel", 3), ("z", "apple", 0)])
    done = em("predict", "long.em", "new.csv", cwd=folder)
    x, y, z = csv.DictReader(done.out.splitlines())
    assert "4 tokens of terms that the model has not seen are left out" in done.err
    assert x["tokens"] == "9" and x["topic"] != y["topic"] and z["topic"] == "" and z["tokens"] == "0"
    ahead = list(csv.DictReader(em("predict", "long.em", "new.csv", "--unseen", "2", cwd=folder).out.splitlines()))
    assert [row["term"] for row in ahead if row["doc"] == "x"] == ["pear", "plum"]
    as_table = em("predict", "long.em", "wide.csv", "--document", "doc", "--text", "doc", cwd=folder, status=2).err
    assert "cannot be two things" in as_table


def test_scores(folder):
    total = json.loads(em("score", "long.em", "long.csv", cwd=folder).out)
    assert total["elbo"] == pytest.approx(params(folder, "long.em")["elbo"], rel=1e-3)
    rows = list(csv.DictReader(em("score", "long.em", "long.csv", "--rows", cwd=folder).out.splitlines()))
    assert sum(float(row["bound"]) for row in rows) == pytest.approx(total["documents_bound"])
    assert total["documents_bound"] + total["topics_bound"] == pytest.approx(total["elbo"])


def test_topics_to_start_from(folder):
    done = em("fit", "long.csv", *LONG, *QUICK[:4], "-q", "--start", "long.em", "--json", cwd=folder)
    found = json.loads(done.out)
    assert found["search"]["starts"] == 1 and found["start"] == "given"
    assert found["elbo"] >= params(folder, "long.em")["elbo"] - 0.05


def test_a_sweep(folder):
    sweep = ("select", "long.csv", *LONG, "--latent", "topics", "--k-range", "1-3", "--effort", "low")
    text = em(*sweep, "--format", "human", "--out", "sweep.em", "--events", "sweep.jsonl", cwd=folder).out
    assert (
        "k = 2 is the smallest within a nat of the highest log-probability of held-out tokens (--criterion completion)."
        in " ".join(text.split())
    )
    rows = read(folder / "sweep.em" / "selection.csv")
    events = map(json.loads, (folder / "sweep.jsonl").read_text().splitlines())
    shares = [(e["begins"], e["ends"]) for e in events if e["event"] == "phase_started" and e["ends"]]
    assert shares[0][0] == 0 and shares[-1][1] == 1, "the search on one half of the words is not the whole of the work"
    assert all(before[1] == after[0] > before[0] for before, after in pairwise(shares)) and len(shares) == 2
    assert [row["k"] for row in rows if row["note"] == "chosen"] == ["2"] and params(folder, "sweep.em")[
        "n_components"
    ] == 2
    assert [float(row["completion"]) for row in rows][1] >= max(float(row["completion"]) for row in rows) - 1 / 160
    found = json.loads(em(*sweep, "--criterion", "elbo", "--json", "-q", cwd=folder).out)
    best = max(found["selection"], key=lambda row: row["elbo"])  # by far more than a nat
    assert best["note"] == "chosen" and best["k"] == found["n_components"] and best["completion"] is None
    assert "needs a likelihood" in em(*sweep, "--criterion", "bic", cwd=folder, status=2).err


def test_it_is_shown_again(folder):
    text = em("show", "long.em", cwd=folder).out
    assert "apple, pear, plum" in text and "ELBO" in text and "24 documents; 6 terms" in text
    assert json.loads(em("show", "long.em", "--json", cwd=folder).out) == params(folder, "long.em")
    assert "Topics" in em("runs", cwd=folder).out
    assert "it holds topics" in em("sample", "long.em", "-n", "3", cwd=folder, status=3).err


ROWS = "doc,word,n\na,apple,1\nb,pear,2\n"


@pytest.mark.parametrize(("text", "said", "status", "words"), [
    ("doc,word,n\na,apple,0.53\nb,pear,2\n", LONG, 3, "row 1 (line 2), column 'n': 0.53 is no count"),
    ("doc,word,n\na,apple,-1\nb,pear,2\n", LONG, 3, "-1 is no count"),
    ("doc,word,n\na,apple,\nb,pear,2\n", LONG, 3, "row 1 (line 2), column 'n': the cell is empty"),
    ("doc,word,n\na,apple,few\nb,pear,2\n", LONG, 3, "'few' is no count. Correct the cell."),
    ("doc,word,n\na,,1\nb,pear,2\n", LONG, 3, "column 'word': the cell is blank"),
    ("doc,word,n\na,apple,0\nb,pear,0\n", LONG, 3, "no document has a token"),
    (ROWS, ("--document", "doc", "--term", "word"), 3, "is column 'n' the counts? Then name it with --count n"),
    (ROWS, ("--term", "word", "--count", "n"), 2, "name the column that tells of which document"),
    (ROWS, ("--count", "n"), 2, "name the column of terms with --term"),
    (ROWS, ("--document", "docs", "--term", "word", "--count", "n"), 3, "Did you mean 'doc'?"),
    (ROWS, ("--document", "doc", "--text", "word", "--term", "n"), 2, "give one of the two"),
    (ROWS, ("--text", "n"), 3, "holds no word"),
    (ROWS, (*LONG, "--stop-words", "englisch"), 2, "Did you mean 'english'?"),
    ("a,b\n1,2\n0.5,1\n", (), 3, "row 2 (line 3), column 'a': 0.5 is no count"),
    ("a,b\n1,2\n,1\n", (), 3, "the cell is empty"),
    ("a\nx\ny\n", (), 3, "no column of counts"),
    ("a,b\n1,2\n5,1\nx,4\n", (), 3, "row 3 (line 4), column 'a': 'x' is no count. Correct the cell, or leave"),
    ("sex,a,b\nM,1,2\nF,5,1\nM,3,4\n", (), 3, "--document sex adds up the counts of such rows; --exclude sex takes"),
    (ROWS, (*LONG, "-k", "9"), 3, "too few for 9 topics"),
    (ROWS, (*LONG, "--weights", "n"), 2, "--weights does not go with --latent topics"),
    (ROWS, (*LONG, "--family", "poisson"), 2, "--family multinomial"),
    (ROWS, (*LONG, "--algorithm", "lbfgs"), 2, "--algorithm squarem or em"),
    (ROWS, (*LONG, "--missing", "drop"), 2, "write 0"),
    (ROWS, (*LONG, "--se", "robust"), 2, "topics have a posterior"),
    (ROWS, (*LONG, "--start", "kmeans"), 2, "--start does not go"),
    (ROWS, (*LONG, "--group", "doc"), 2, "--document names them"),
    (ROWS, (*LONG, "--noise"), 2, "contradict"),
    (ROWS, (*LONG, "--labelled", "x.csv"), 2, "documents.csv has their shares"),
    (ROWS, (*LONG, "--set", "latent.alpha=0"), 2, "above 0"),
    (ROWS, (*LONG, "--by", "doc"), 2, "fit each file by itself"),
])  # fmt: skip
def test_what_cannot_be_is_refused(text, said, status, words, tmp_path):
    (tmp_path / "d.csv").write_text(text)
    done = em("fit", "d.csv", "--latent", "topics", "-k", "2", "-q", *said, cwd=tmp_path, status=status)
    assert words in done.err and not done.out and [path.name for path in tmp_path.iterdir()] == ["d.csv"]


def test_what_is_about_documents_needs_topics(tmp_path):
    (tmp_path / "d.csv").write_text(ROWS)
    done = em("fit", "d.csv", "-k", "2", "--document", "doc", cwd=tmp_path, status=2)
    assert "it goes with --latent topics" in done.err
    done = em("select", "d.csv", "--latent", "topics,independent", cwd=tmp_path, status=2)
    assert "topics are compared with topics only" in done.err


def test_what_is_noticed(tmp_path):
    long(tmp_path / "d.csv", [*cells(), ("d00", "apple", 2), ("void", "apple", 0)])
    done = em("fit", "d.csv", *LONG, *QUICK[:-1], "--json", cwd=tmp_path)
    codes = [one["code"] for one in json.loads(done.out)["warnings"]]
    assert {"lines_added", "empty_documents"} <= set(codes)
    done = em("fit", SAMPLES / "bars.csv", "--latent", "topics", "-k", "2", "--restarts", "2", "--json", cwd=tmp_path)
    assert "documents_named" in [one["code"] for one in json.loads(done.out)["warnings"]]


def test_pictures_and_the_report(folder):
    em("fit", "long.csv", *LONG, *QUICK, "--plots", "--report", "--out", "drawn.em", cwd=folder)
    page = (folder / "drawn.em" / "report.html").read_text()
    assert "2 topics in long.csv" in page and page.count("<figure") == 4 and "apple" in page and "<script" not in page
    em("report", "drawn.em", "--force", cwd=folder)
    assert (folder / "drawn.em" / "report.html").read_text() == page
    drawn = {path.name: path.read_bytes() for path in (folder / "drawn.em" / "plots").iterdir()}
    assert set(drawn) == {"terms.png", "sizes.png", "documents.png", "trace.png"}
    em("plot", "drawn.em", "--kind", "terms", "--out", "again", cwd=folder)
    assert (folder / "again" / "terms.png").read_bytes() == drawn["terms.png"]
    assert "Did you mean 'terms'?" in em("plot", "drawn.em", "--kind", "term", cwd=folder, status=2).err
    assert "show no columns" in em("plot", "drawn.em", "--columns", "n", cwd=folder, status=2).err
