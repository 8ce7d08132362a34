"""A column fitted on another scale is the transformed column, with the slope of the transformation in its density."""

import csv
import io
import json

import numpy as np
import pytest
from program import em

from em_cli.config.run_config import RunConfig
from em_cli.config.texts import fingerprint
from em_cli.engine.transforms import TRANSFORMS
from em_cli.outputs.model_file import read_model

N = 240


def written(name, *columns):
    rows = "".join(
        ",".join("" if np.isnan(v) else repr(float(v)) for v in row) + "\n" for row in zip(*columns, strict=True)
    )
    name.write_text("a,b\n" + rows)


def numbers(text):
    _, *rows = csv.reader(io.StringIO(text))
    return np.array([[float(cell) for cell in row] for row in rows]).T


def document(*arguments, cwd):
    return json.loads(em("fit", *arguments, "--json", "--effort", "low", cwd=cwd).out)


@pytest.fixture(scope="module", params=TRANSFORMS)
def both(request, tmp_path_factory):
    """A file, the same with one column transformed by hand, and the fits of both; two cells are missing."""
    folder, transform = tmp_path_factory.mktemp(request.param), TRANSFORMS[request.param]
    rng, centre = np.random.default_rng(7), 3.0 if request.param in ("sqrt", "log1p") else 0.0
    z = rng.integers(0, 2, N)
    y, b = centre + 1.2 * z + 0.4 * rng.standard_normal(N), 5 * z + rng.standard_normal(N)
    y[3], b[8] = np.nan, np.nan
    a = transform.inverse(y)
    written(folder / "given.csv", a, b)
    written(folder / "by_hand.csv", transform.taken(a)[0], b)
    given = document("given.csv", "-k", 2, "--transform", f"a={request.param}", "-o", "given.em", cwd=folder)
    by_hand = document("by_hand.csv", "-k", 2, "-o", "by_hand.em", cwd=folder)
    return folder, transform, given, by_hand, a, b


def test_the_likelihood_has_the_slope_in_it(both):
    _, transform, given, by_hand, a, _ = both
    assert given["log_likelihood"] == pytest.approx(by_hand["log_likelihood"] + transform.taken(a)[1].sum(), abs=1e-3)
    assert given["n_parameters"] == by_hand["n_parameters"]
    assert given["weights"] == pytest.approx(by_hand["weights"], abs=1e-3)
    np.testing.assert_allclose(given["means"], by_hand["means"], atol=1e-2)


def test_rows_are_predicted_scored_drawn_and_filled_in_their_own_units(both):
    folder, transform, given, _, a, b = both
    scored = json.loads(em("score", "given.em", "given.csv", cwd=folder).out)
    assert scored["log_likelihood"] == pytest.approx(given["log_likelihood"], rel=1e-12)
    assert em("predict", "given.em", "given.csv", cwd=folder).out.count("\n") == N + 1
    filled = numbers(em("impute", "given.em", "given.csv", cwd=folder).out)
    there = ~np.isnan([a, b])
    np.testing.assert_array_equal(filled[there], np.array([a, b])[there])
    assert transform.holds(filled[0]).all()
    drawn = numbers(em("sample", "given.em", "-n", 10_000, "--seed", 1, cwd=folder).out)
    shares = np.array(given["weights"])
    means = np.array([[c["mean"]["a"] for c in given["components"]], [c["mean"]["b"] for c in given["components"]]])
    sds = np.array([c["sd"]["a"] for c in given["components"]])
    error = drawn.std(axis=1) / np.sqrt(drawn.shape[1])
    assert (np.abs(drawn.mean(axis=1) - means @ shares) < 5 * error).all()
    spread = np.sqrt(shares @ (sds**2 + (means[0] - means[0] @ shares) ** 2))
    assert drawn[0].std() == pytest.approx(spread, rel=0.05)


def test_the_density_of_the_column_integrates_to_one(both):
    folder, transform, *_ = both
    loaded = read_model(str(folder / "given.em")).with_gaps
    y = np.linspace(-12, 18, 60_001) if transform is not TRANSFORMS["sqrt"] else np.linspace(1e-9, 18, 60_001)
    x = transform.inverse(y)
    x, where = np.unique(x, return_index=True)
    density = np.exp(loaded.score(np.array([x, np.full_like(x, np.nan)])).log_density)
    slope = np.exp(transform.taken(x)[1])
    assert np.trapezoid(density / slope, y[where]) == pytest.approx(1, abs=1e-4)
    assert np.exp(loaded.score(np.array([[-5.0], [np.nan]])).log_density) == 0


def test_independent_logarithms_are_lognormal(tmp_path):
    rng = np.random.default_rng(3)
    z = rng.integers(0, 2, N)
    written(tmp_path / "d.csv", np.exp(2 * z + 0.5 * rng.standard_normal(N)), 6 * z + rng.standard_normal(N))
    logs = document("d.csv", "-k", 2, "--transform", "a=log", "--covariance", "diag", "-o", "logs.em", cwd=tmp_path)
    lognormal = document("d.csv", "-k", 2, "--type", "a=lognormal", "-o", "lognormal.em", cwd=tmp_path)
    assert logs["bic"] == pytest.approx(lognormal["bic"], abs=1e-3)
    for one, other in zip(logs["components"], lognormal["components"], strict=True):
        assert one["mean"] == pytest.approx(other["mean"], rel=1e-3)
        assert one["sd"] == pytest.approx(other["sd"], rel=1e-2)


def test_a_run_without_transformations_has_the_fingerprint_that_it_had():
    plain = RunConfig.model_validate({"data": "d.csv", "k": 2})
    other = RunConfig.model_validate({"data": {"path": "d.csv", "transforms": {"a": "log"}}, "k": 2})
    assert fingerprint(plain) == "b9a61a472fd53243a2456d3b2c2a38ade6a446fd3b59ba62566402699ab1c455"
    assert fingerprint(other) != fingerprint(plain)


REFUSED = {
    "a=log": (3, "d.csv, row 2 (line 3), column 'a': '0' has no log; every cell must be a number > 0. Use --transform"),
    "a=sqrt": (3, "'0' has no sqrt"),
    "b=logit": (3, "d.csv, row 1 (line 2), column 'b': '2' has no logit"),
    "a=logg": (2, "Did you mean 'log'?"),
    "z=log": (3, "column 'z' is not in d.csv"),
    "a": (2, "write --transform COLUMN=TRANSFORM"),
    "a=log1p --type a=gamma": (2, "column 'a' is given as positive"),
    "a=log1p --exclude a": (2, "column 'a' is not among the columns to fit"),
    "a=log1p --transform a=log": (2, "gives column 'a' two transforms"),
}


@pytest.mark.parametrize("option", REFUSED)
def test_what_cannot_be_transformed_is_refused_in_a_paragraph(option, tmp_path):
    (tmp_path / "d.csv").write_text("a,b\n1,2\n0,3\n4,5\n")
    status, words = REFUSED[option]
    said = em("fit", "d.csv", "-k", 1, "--transform", *option.split(), cwd=tmp_path, status=status).err
    assert words in " ".join(said.split()), said
