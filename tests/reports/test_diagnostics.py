"""How well a mixture describes its rows, and how far apart its components are."""

from dataclasses import replace

import numpy as np
import pytest
from program import em
from scipy.stats import norm
from shown import run

from em_cli.reports.bootstrap import REPLICATES, Limits, limits
from em_cli.reports.diagnostics import (
    entropy,
    entropy_r_squared,
    fit_check,
    misfits,
    overlap,
    poorly_founded,
    sure,
    worst_pairs,
)
from em_cli.reports.distances import classes_of, distances
from em_cli.reports.finished_run import Rows
from em_cli.reports.trust import section_of
from em_cli.runs.read_back import read_run


def rows_of(responsibilities, weights=None):
    r = np.array(responsibilities, float)
    n = r.shape[1]
    return Rows(np.zeros((1, n)), weights, r, np.zeros(n), np.arange(n) + 1, n)


def test_overlap_by_hand():
    rows = rows_of([[1, 0.8, 0], [0, 0.2, 1]])
    confused = overlap(rows)
    np.testing.assert_allclose(confused, [[(1 + 0.64) / 1.8, 0.16 / 1.8], [0.16 / 1.2, (0.04 + 1) / 1.2]])
    assert worst_pairs(confused)[0][:2] == (1, 0)
    twice = overlap(rows_of([[1, 0.8], [0, 0.2]], np.array([1.0, 2.0])))
    np.testing.assert_allclose(twice, overlap(rows_of([[1, 0.8, 0.8], [0, 0.2, 0.2]])))


def test_certainty_between_none_and_all():
    certain, open_ = rows_of([[1, 0], [0, 1]]), rows_of([[0.5, 0.5], [0.5, 0.5]])
    assert entropy(certain) == 0 and entropy_r_squared(certain) == 1 and sure(certain) == 1
    assert (
        entropy(open_) == pytest.approx(np.log(2)) and entropy_r_squared(open_) == pytest.approx(0) and sure(open_) == 0
    )


@pytest.mark.parametrize("name", ["faithful", "penguins", "noisy", "wind", "swept"])
def test_overlap_is_a_table_of_probabilities(name):
    confused = overlap(run(name).shown)
    np.testing.assert_allclose(confused.sum(axis=1), 1)
    assert (confused >= 0).all()


def test_the_misfit_of_one_normal_to_two_groups():
    """Kolmogorov & Smirnov's distance is that of the normal distribution function."""
    found = run("faithful")
    mean, sd = 3.4878, 1.1393  # of all eruptions
    one = shifted(found, mean, sd)
    (misfit,) = [misfit for misfit in misfits(one) if misfit.place == 0]
    values, counts = np.unique(found.shown.x[0], return_counts=True)
    observed = (np.cumsum(counts) - counts / 2) / counts.sum()
    assert misfit.distance == pytest.approx(np.abs(observed - norm.cdf(values, mean, sd)).max(), abs=0.01)
    assert misfit.grade == "poor"
    assert all(misfit.grade == "none" for misfit in misfits(found))


def shifted(found, mean, sd):
    """The same rows under one normal component in the first column."""
    from em_cli.outputs.model_file import model_of
    from em_cli.runs.read_back import run_of

    document = dict(found.document) | {
        "n_components": 1, "weights": [1.0], "means": [[mean, 70.0]], "covariances": [[[sd**2, 0.0], [0.0, 100.0]]],
    }  # fmt: skip
    tables = dict.fromkeys(("trace", "restarts", "selection"), ())
    return replace(run_of("x", model_of(document), found.manifest, tables, found.rows))


def test_frequencies_of_the_model_itself_do_not_misfit():
    found = run("wind")
    draws, _ = found.model.sample(found.parameters, 5000, np.random.default_rng(7))
    itself = replace(found, rows=replace_rows(found.shown, draws))
    found = misfits(itself)
    assert len(found) == 4 and all(misfit.distance < misfit.noise for misfit in found)


def replace_rows(rows, x):
    """Those of a larger file, to which nothing was fitted."""
    n = x.shape[1]
    return Rows(x, None, np.ones((len(rows.responsibilities), n)), np.zeros(n), np.arange(n) + 1, 2 * n)


def test_components_that_rest_on_little_are_named():
    found = run("faithful")
    assert poorly_founded(found) == []
    first, second = found.document["components"]
    tiny = replace(found, document=dict(found.document) | {"components": [first, second | {"n_effective": 3.0}]})
    ((place, reason),) = poorly_founded(tiny)
    assert place == 1 and "3.0 rows" in reason
    flat = replace(found, document=dict(found.document) | {"components": [first | {"degenerate": True}, second]})
    assert [place for place, _ in poorly_founded(flat)] == [0]


def checked(folder, text, *options):
    """The fit check of a file, and the report's words."""
    (folder / "d.csv").write_text(text)
    em("fit", "d.csv", *options, "--effort", "low", "-o", "d.em", "--force", "--format", "none", cwd=folder)
    found = read_run(str(folder / "d.em"), [str(folder / "d.csv")])
    return fit_check(found).misfits, str(section_of(found))


def table_of(*columns):
    header = ",".join(f"c{place}" for place in range(len(columns)))
    return "\n".join([header, *(",".join(map(str, row)) for row in zip(*columns, strict=True))]) + "\n"


def test_items_that_go_together_more_than_the_fit_says_are_named(tmp_path):
    """Alike in 95 % of the rows: each by itself is met exactly by one component, and so are pairs with a third."""
    rng = np.random.default_rng(5)
    items = rng.integers(0, 3, (4, 600))
    items[1] = np.where(rng.random(600) < 0.95, items[0], items[1])
    values = np.where(items[2] == 0, 2.5, 0.0) + rng.standard_normal(600)  # a number that goes with an item
    text = table_of(*(np.array(["no", "yes", "maybe"])[item] for item in items), values.round(4))
    found, said = checked(tmp_path, text, "-k", 1)
    bad = {misfit.places for misfit in found if misfit.grade != "none" and len(misfit.places) == 2}
    assert bad == {(0, 1), (2, 4)}
    assert found[0].places == (0, 1) and found[0].grade == "poor"
    assert "c0 and c1" in said and "go together" in said


@pytest.mark.parametrize("seed", range(2))
def test_a_true_model_does_not_cry(seed, tmp_path):
    rng = np.random.default_rng((seed, 1))
    z = rng.integers(0, 2, 400)
    numbers = [np.round(3.0 * z + rng.standard_normal(400), 4) for _ in range(2)]
    items = [np.where(rng.random(400) < 0.2 + 0.6 * z, "a", "b") for _ in range(3)]
    found, said = checked(tmp_path, table_of(*numbers, *items), "-k", 2)
    assert all(misfit.grade == "none" for misfit in found)
    assert "Yes, as far as this many rows can show" in said and "may well be normal" in said


def test_limits_know_that_parameters_were_fitted(tmp_path):
    """Of one fitted normal the distance exceeds 0.91/√n once in twenty (Lilliefors 1967), and not 1.36/√n."""
    x = np.random.default_rng(2).standard_normal(900).round(6)
    found, said = checked(tmp_path, table_of(x), "-k", 1)
    assert 0.75 < found[0].noise * np.sqrt(900) < 1.2
    assert "Yes, as far as this many rows can show: no column misfits." in said, "there is no pair of columns"


def test_where_chance_cannot_be_judged_no_fit_is_praised(monkeypatch):
    """Where replicates lack a distance that the rows have, none is compared with another."""
    from em_cli.reports import diagnostics

    found = run("faithful")
    classes = classes_of(found)
    seen = distances(found, classes, 1000)
    unknown = limits(found, classes, [*seen, seen[-1]])
    assert len(unknown.values) == len(seen) + 1 and np.isnan(unknown.values).all()
    monkeypatch.setattr(diagnostics, "limits", lambda run, classes, found: Limits([float("nan")] * len(found)))
    said = str(section_of(found))
    assert "That cannot be said" in said and "Yes, as far as" not in said and "no misfit" not in said


def test_replicates_that_collapse_are_said(tmp_path):
    """Of a component of four rows in a plane some replicates have two or fewer."""
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(0, 1, (2, 40)), rng.normal(30, 1, (2, 4))], axis=1).round(3)
    (tmp_path / "d.csv").write_text(table_of(*x))
    em("fit", "d.csv", "-k", 2, "-o", "d.em", "--format", "none", cwd=tmp_path)
    found = read_run(str(tmp_path / "d.em"), [str(tmp_path / "d.csv")])
    collapsed = fit_check(found).collapsed
    assert 0 < collapsed < REPLICATES
    assert f"collapsed in {collapsed} of the {REPLICATES} replicates" in str(section_of(found))


def test_outliers_are_said_of_the_distances(tmp_path):
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.standard_normal((2, 500)), 12 * rng.standard_normal((2, 40))], axis=1).round(4)
    found, said = checked(tmp_path, table_of(*x), "-k", 1)
    assert any(misfit.grade != "none" for misfit in found)
    assert "not all is normal" in said
