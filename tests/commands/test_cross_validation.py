"""`em select --criterion cv`: densities of rows under fits to the others, and the choice by one standard error."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES, em

from em_cli.display.closing import Beside
from em_cli.display.selection_summary import selection_summary
from em_cli.inference.cross_validation import Predicted, folds_of, simplest
from em_cli.outputs.selection_fields import read_table


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    home = tmp_path_factory.mktemp("cv")
    shutil.copy(SAMPLES / "faithful.csv", home)
    options = ("--k-range", "1-3", "--criterion", "cv", "--folds", "5", "--effort", "low", "-q", "--out", "s.em")
    em("select", "faithful.csv", *options, cwd=home)
    with (home / "s.em/selection.csv").open(newline="") as lines:
        return home, list(read_table(lines))


def test_a_row_is_predicted_by_the_fit_to_the_others(sweep):
    home, rows = sweep
    data = pd.read_csv(home / "faithful.csv")
    fold = folds_of(len(data), 5, 0)
    total = 0.0
    for number in range(5):
        data[fold != number].to_csv(home / "others.csv", index=False)
        data[fold == number].to_csv(home / "left.csv", index=False)
        em("fit", "others.csv", "-k", "1", "-q", "--force", "--out", "o.em", cwd=home)
        total += json.loads(em("score", "o.em", "left.csv", cwd=home).out)["log_likelihood"]
    assert rows[0]["cv"] == pytest.approx(-2 * total, rel=1e-6)
    assert rows[0]["cv_per_row"] == pytest.approx(total / len(data), rel=1e-6)
    assert rows[0]["cv_gap"] > 5 * rows[0]["cv_gap_se"] > 0 and rows[0]["clear"] is None


def test_the_choice_is_told_beside_the_highest(sweep):
    _, rows = sweep
    best = min(rows, key=lambda row: row["cv_gap"])
    chosen = next(row for row in rows if row["note"].startswith("chosen"))
    within = [row for row in rows if row["cv_gap"] <= row["cv_gap_se"]]
    assert best["cv_gap"] == 0 and chosen["k"] == min(row["k"] for row in within)
    text = " ".join(selection_summary(rows, chosen, "cv", Beside()).split())
    assert f"highest for VVV (full), k = {best['k']}" in text and f"Chosen: VVV (full), k = {chosen['k']}." in text
    assert "CV" in text and "Runner-up" not in text


def test_the_report_tells_the_choice_and_draws_the_standard_errors(sweep):
    home, rows = sweep
    chosen = next(row for row in rows if row["note"].startswith("chosen"))
    em("report", "s.em", cwd=home)
    page = " ".join((home / "s.em/report.html").read_text().split())
    assert f"CV chooses VVV (full) with k = {chosen['k']}. Rows left out have the highest density under" in page
    assert "The runner-up" not in page and "the model of fewest parameters whose bar does" in page


def test_differences_are_of_the_same_rows():
    """Rows that are hard for both models tell nothing of which is better."""
    rng = np.random.default_rng(1)
    hard = rng.normal(0, 10, 400)
    densities = np.array([hard, hard + 0.5 + rng.normal(0, 0.1, 400), hard + 0.501 + rng.normal(0, 0.1, 400)])
    predicted = Predicted(densities, np.ones(400), 400.0, 0)
    best, chosen = simplest(predicted, [1, 2, 3])
    assert chosen == 1 and predicted.gaps(best)[1][0] < 0.02 < predicted.standard_errors[0]
    assert Predicted(densities, np.full(400, 2.0), 800.0, 0).per_row == pytest.approx(predicted.per_row)


@pytest.mark.parametrize(
    "options",
    [
        ("--columns", "level,count"),
        ("--columns", "size,count", "--weights", "many"),
        ("--columns", "size", "--group", "unit"),
        ("--columns", "size", "--latent", "independent,markov", "--sequence", "unit"),
    ],
    ids=lambda options: " ".join(options[1:]),
)
def test_every_kind_of_model(options, tmp_path):
    rng, n = np.random.default_rng(5), 60
    second = np.arange(n) // 6 % 2 == 0
    table = {
        "count": rng.poisson(np.where(second, 12, 2)),
        "level": np.where(np.arange(n) == 7, "once", np.where(rng.random(n) < 0.5, "a", "b")),
        "size": np.where(rng.random(n) < 0.1, np.nan, np.round(rng.normal(np.where(second, 6, 0), 1), 3)),
        "unit": np.arange(n) // 6,
        "many": 1 + rng.integers(0, 2, n),
    }
    pd.DataFrame(table).to_csv(tmp_path / "d.csv", index=False)
    told = ("--criterion", "cv", "--folds", "4", "--k-range", "1-2", "--effort", "low", "-q", "--out", "d.em")
    em("select", "d.csv", *options, *told, cwd=tmp_path)
    with (tmp_path / "d.em/selection.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert all(np.isfinite(float(row["cv"])) for row in rows)
    assert next(row for row in rows if row["note"].startswith("chosen"))["k"] == "2"
    codes = [one["code"] for one in json.loads((tmp_path / "d.em/params.json").read_text())["warnings"]]
    assert ("unpredictable_rows" in codes) == ("level" in options[1])


def test_rows_whose_weights_count_equal_rows_are_left_out_one_by_one(tmp_path):
    """Left out with all that it counts, a row of a table of frequencies would be predicted by the others alone."""
    table = pd.DataFrame({"u": ["a", "a", "b", "b"], "v": ["c", "d", "c", "d"], "n": [40, 5, 7, 30]})
    table.to_csv(tmp_path / "n.csv", index=False)
    table.loc[table.index.repeat(table.n), ["u", "v"]].to_csv(tmp_path / "rows.csv", index=False)
    told = ("--k-range", "1-2", "--criterion", "cv", "--effort", "low", "-q", "--force", "--out", "n.em")
    found = []
    for options in (("n.csv", "--weights", "n"), ("rows.csv",)):
        em("select", *options, *told, cwd=tmp_path)
        with (tmp_path / "n.em/selection.csv").open(newline="") as lines:
            found.append([float(row[name]) for row in csv.DictReader(lines) for name in ("cv", "cv_se")])
    assert found[0][:2] == pytest.approx(found[1][:2], rel=1e-6)  # of one component, which has one maximum


def test_mistakes_are_told(tmp_path):
    pd.DataFrame({"x": np.random.default_rng(1).normal(size=30), "s": 1}).to_csv(tmp_path / "x.csv", index=False)
    assert "goes with --criterion cv" in em("select", "x.csv", "--folds", "5", cwd=tmp_path, status=2).err
    assert "folds" in em("select", "x.csv", "--folds", "1", "--criterion", "cv", cwd=tmp_path, status=2).err
    one = ("--columns", "x", "--latent", "markov", "--sequence", "s", "--k-range", "1-2", "--criterion", "cv")
    assert "none can be left out" in em("select", "x.csv", *one, "--effort", "low", "-q", cwd=tmp_path, status=5).err
