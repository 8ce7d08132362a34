"""How well a mixture describes its rows, and how far apart its components are."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from shown import run

from em_cli.reports.diagnostics import entropy, entropy_r_squared, misfits, overlap, poorly_founded, sure, worst_pairs
from em_cli.reports.run import Rows


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
    assert len(found) == 4 and all(misfit.distance < 1.5 * misfit.noise for misfit in found)


def replace_rows(rows, x):
    n = x.shape[1]
    return Rows(x, None, np.ones((len(rows.responsibilities), n)), np.zeros(n), np.arange(n) + 1, n)


def test_components_that_rest_on_little_are_named():
    found = run("faithful")
    assert poorly_founded(found) == []
    first, second = found.document["components"]
    tiny = replace(found, document=dict(found.document) | {"components": [first, second | {"n_effective": 3.0}]})
    ((place, reason),) = poorly_founded(tiny)
    assert place == 1 and "3.0 rows" in reason
    flat = replace(found, document=dict(found.document) | {"components": [first | {"degenerate": True}, second]})
    assert [place for place, _ in poorly_founded(flat)] == [0]
