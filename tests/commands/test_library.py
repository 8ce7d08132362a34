"""`import em_cli`: what the commands do, as objects, with the same numbers."""

import csv
import io
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES, em
from sklearn.base import clone
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import em_cli
from em_cli.errors import DataError, EmError


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Columns of every kind with gaps, and a model of them."""
    folder = tmp_path_factory.mktemp("library")
    rng = np.random.default_rng(5)
    late = rng.random(70) < 0.5
    rows = pd.DataFrame(
        {
            "size": np.round(rng.normal(5 + 6 * late, 1), 2),
            "visits": rng.poisson(3 + 8 * late),
            "colour": np.where(rng.random(70) < 0.3 + 0.4 * late, "red", "blue"),
        }
    )
    rows.loc[::9, "size"] = np.nan
    rows.loc[4::11, "colour"] = None
    rows.to_csv(folder / "rows.csv", index=False)
    em("fit", "rows.csv", "-k", 2, "-q", "--out", "run", cwd=folder)
    return folder


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_model_scores_as_the_commands_do(desk):
    model, rows = em_cli.load(desk / "run"), pd.read_csv(desk / "rows.csv")
    found = model.predict(rows)
    told = table(em("predict", "run", "rows.csv", cwd=desk).out)
    for name in ("component", "p1", "p2", "log_density", "uncertainty"):
        assert found[name].tolist() == [float(row[name]) for row in told], name
    assert model.score(rows) == json.loads(em("score", "run", "rows.csv", cwd=desk).out)
    assert model.predict({name: list(rows[name]) for name in rows}).equals(found)


def test_it_draws_and_completes_as_the_commands_do(desk):
    model, rows = em_cli.load(desk / "run"), pd.read_csv(desk / "rows.csv")
    drawn = table(em("sample", "run", "-n", 7, "--seed", 3, cwd=desk).out)
    assert [[str(cell) for cell in row] for row in model.sample(7, seed=3).to_numpy().tolist()] == [
        list(row.values()) for row in drawn
    ]
    complete = pd.read_csv(io.StringIO(em("impute", "run", "rows.csv", cwd=desk).out))
    pd.testing.assert_frame_equal(model.impute(rows), complete, check_dtype=False, rtol=1e-12)


def test_a_level_that_nobody_has_seen_is_a_warning(desk):
    rows = pd.DataFrame({"size": [5.0], "visits": [3], "colour": ["violet"]})
    with pytest.warns(UserWarning, match="1 cells of 'colour'"):
        em_cli.load(desk / "run").predict(rows)


@pytest.mark.parametrize(
    "rows", [np.zeros((2, 5)), {"size": [1.0]}, {"size": [1.0], "visits": ["many"], "colour": ["red"]}]
)
def test_rows_that_will_not_do_are_errors_in_words(desk, rows):
    with pytest.raises(EmError, match=r"columns|column 'visits'|there is no column|visits"):
        em_cli.load(desk / "run").predict(rows)


def test_a_run_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="there is no such model"):
        em_cli.load(tmp_path / "none")


def test_an_estimator_finds_what_the_command_finds(tmp_path):
    x = np.loadtxt(SAMPLES / "faithful.csv", delimiter=",", skiprows=1)
    mixture = em_cli.Mixture(2)
    assert (
        clone(mixture).get_params() == mixture.get_params() == em_cli.Mixture().set_params(n_components=2).get_params()
    )
    labels = mixture.fit_predict(x)
    peer = GaussianMixture(2, n_init=3, tol=1e-8, max_iter=500, reg_covar=0, random_state=0).fit(x)
    assert mixture.score(x) == pytest.approx(peer.score(x), abs=1e-6)
    assert mixture.bic(x) == pytest.approx(peer.bic(x), abs=1e-3)
    order = np.argsort(-peer.weights_)
    assert np.abs(mixture.predict_proba(x) - peer.predict_proba(x)[:, order]).max() < 1e-3
    scaled = make_pipeline(StandardScaler(), em_cli.Mixture(2, effort="low")).fit(x)
    assert (scaled.predict(x) == labels).all()
    with pytest.raises(ValueError, match="no parameter 'n_init'"):
        mixture.set_params(n_init=3)


OTHERWISE = {
    "check_array_api_input": "needs an environment of its own",
}


def test_scikit_learn_finds_nothing_amiss_in_the_estimator():
    """But for these, all of its own checks."""
    failed = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for estimator, check in estimator_checks_generator(em_cli.Mixture(effort="low")):
            if check.func.__name__ not in OTHERWISE:
                try:
                    check(estimator)
                except Exception as error:
                    failed.append(f"{check.func.__name__}: {error}")
    assert not failed
    with pytest.raises(ValueError, match=r"^the data: one sample, and a fit needs two"):
        em_cli.Mixture().fit([[1.0, 2.0]])


def test_an_estimator_draws_rows_as_scikit_learn_s_does(desk):
    """Rows and labels; the rows as they were given: an array, or a frame with its levels. A seed is a seed."""
    x = np.random.default_rng(2).normal(size=(90, 2)) + 9 * (np.arange(90)[:, None] % 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mixture = em_cli.Mixture(2, effort="low", seed=3).fit(x)
        framed = em_cli.Mixture(2, effort="low").fit(pd.read_csv(desk / "rows.csv"))
    drawn, labels = mixture.sample(20_000)
    assert drawn.shape == (20_000, 2) and drawn.dtype == float and set(labels) == {0, 1}
    np.testing.assert_array_equal(drawn, mixture.sample(20_000)[0])
    for label in (0, 1):
        np.testing.assert_allclose(
            drawn[labels == label].mean(axis=0), x[mixture.predict(x) == label].mean(axis=0), atol=0.05
        )
    assert np.mean(mixture.predict(drawn) == labels) > 0.99
    assert mixture.sample()[0].shape == (1, 2)
    rows, _ = framed.sample(200)
    assert list(rows.columns) == ["size", "visits", "colour"] and set(rows["colour"]) == {"red", "blue"}
    with pytest.raises(ValueError, match="n_samples=0"):
        mixture.sample(0)
    with pytest.raises(ValueError, match="call fit first"):
        em_cli.Mixture().sample()


def test_noise_is_label_minus_one_and_doubts_are_warnings():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (60, 2)), rng.uniform(-30, 30, (12, 2))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mixture = em_cli.Mixture(1, latent="noise", effort="low").fit(x)
    assert set(mixture.sample(500)[1]) == {0, -1}
    assert set(mixture.predict(x)) == {0, -1} and mixture.predict_proba(x).shape == (72, 2)
    with pytest.raises(ValueError, match="call fit first"):
        em_cli.Mixture().predict(x)
    with pytest.warns(UserWarning, match=r"prior|collapse|rows"):
        em_cli.Mixture(4, effort="low").fit(x[:9])
