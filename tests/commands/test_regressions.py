"""Mixtures of regressions on the command line: what is read, written, refused, and predicted."""

import json

import numpy as np
import pytest
from commands.regressions import are_drawn_about_their_lines, rows_of
from program import SAMPLES, em


@pytest.fixture(scope="module")
def plots(tmp_path_factory):
    """Two lines, of counts two rates, for two soils; a response and a regressor are missing."""
    folder, rng = tmp_path_factory.mktemp("plots"), np.random.default_rng(3)
    lines = ["rain,soil,same,twice,area,yield,pests,fallow,total"]
    for row in range(80):
        kind, soil, rain = row % 2, rng.integers(2), round(rng.uniform(1, 9), 3)
        value = (2 + 3 * rain if kind else 40 - 2 * rain) + 5 * soil + rng.normal(0, 0.7)
        hectares = rng.uniform(1, 4)
        pests = rng.poisson(hectares * np.exp(0.3 * rain if kind else 2.5 - 0.3 * rain))
        told = "" if row == 7 else f"{value:.3f}"
        cells = [f"{rain:.3f}", ["clay", "sand"][soil], "4", f"{2 * rain:.3f}", f"{np.log(hectares):.4f}"]
        lines.append(",".join([*cells, told, str(pests), str(rng.binomial(20, 0.2 + 0.6 * kind)), "20"]))
    (folder / "plots.csv").write_text("\n".join(lines) + "\n")
    em("fit", "plots.csv", "-k", "2", "--out", "plots.em", "--response", "yield", "--on", "rain,soil", "-q", cwd=folder)
    return folder


def test_a_fit_finds_the_lines_and_writes_their_coefficients(plots):
    document = json.loads((plots / "plots.em/params.json").read_text())
    assert document["family"] == "regression" and document["design"] == ["intercept", "rain", "soil=sand"]
    assert document["n_parameters"] == 1 + 2 * 4 and document["n_missing"] == {"yield": 1}
    assert document["n_for_bic"] == document["n_samples"] == 79
    found = np.array(document["coefficients"])[np.argsort(np.array(document["coefficients"])[:, 1])]
    assert np.allclose(found, [[40, -2, 5], [2, 3, 5]], atol=0.6)
    assert np.allclose(document["sigma"], 0.7, atol=0.15)
    table = rows_of((plots / "plots.em/coefficients.csv").read_text())
    assert [float(row["estimate"]) for row in table] == np.ravel(document["coefficients"]).tolist()
    assert all(0.05 < float(row["standard_error"]) < 1 for row in table if row["term"] == "soil=sand")
    assert [row["term"] for row in table] == document["design"] * 2
    assert list(document["components"][0]["mean"]) == ["yield"]
    shown = em("show", "plots.em", cwd=plots).out
    assert "soil=sand" in shown and "sigma" in shown and "Mixture of regressions" in shown


def test_predictions_need_no_response_and_use_one_that_is_there(plots):
    document = json.loads((plots / "plots.em/params.json").read_text())
    means = np.array(document["coefficients"]) @ [1, 5, 1]
    (plots / "new.csv").write_text("soil,rain\nsand,5\nloam,5\nsand,\n")
    unknown, loam, without = rows_of(em("predict", "plots.em", "new.csv", cwd=plots).out)
    assert [float(unknown[f"predicted{k}"]) for k in (1, 2)] == pytest.approx(means)
    assert float(unknown["predicted"]) == pytest.approx(np.dot(document["weights"], means))
    assert float(unknown["p1"]) == pytest.approx(document["weights"][0]) and float(unknown["log_density"]) < 1e-12
    assert loam["predicted"] == without["predicted"] == "" and without["p1"] == unknown["p1"]
    (plots / "known.csv").write_text(f"soil,rain,yield\nsand,5,{means[1]:.3f}\nsand,5,\n")
    known, empty = rows_of(em("predict", "plots.em", "known.csv", cwd=plots).out)
    assert known["component"] == "2" and float(known["predicted"]) == pytest.approx(means[1], abs=0.1)
    assert empty["predicted"] == unknown["predicted"]
    filled = rows_of(em("impute", "plots.em", "known.csv", cwd=plots).out)
    assert float(filled[1]["yield"]) == pytest.approx(float(unknown["predicted"]))


def test_scores_are_those_of_responses_given_regressors(plots):
    document = json.loads((plots / "plots.em/params.json").read_text())
    scored = json.loads(em("score", "plots.em", "plots.csv", cwd=plots).out)
    assert scored["log_likelihood"] == pytest.approx(document["log_likelihood"], rel=1e-12)
    told = [row for row in rows_of((plots / "plots.csv").read_text()) if row["yield"]]
    x = np.array([[1, float(row["rain"]), row["soil"] == "sand"] for row in told])
    away = np.array([float(row["yield"]) for row in told])[:, None] - x @ np.array(document["coefficients"]).T
    sigma = np.array(document["sigma"])
    density = np.exp(-0.5 * (away / sigma) ** 2) / sigma / np.sqrt(2 * np.pi) @ document["weights"]
    assert np.log(density).sum() == pytest.approx(document["log_likelihood"], rel=1e-10)


def test_responses_are_drawn_for_given_rows(plots):
    drawn = rows_of(em("sample", "plots.em", "--given", "plots.csv", "--seed", "1", "--labels", cwd=plots).out)
    read, document = (
        rows_of((plots / "plots.csv").read_text()),
        json.loads((plots / "plots.em/params.json").read_text()),
    )
    assert [float(row["rain"]) for row in drawn] == [float(row["rain"]) for row in read]
    x = np.array([[1, float(row["rain"]), row["soil"] == "sand"] for row in drawn])
    means = (x @ np.array(document["coefficients"]).T)[np.arange(80), [int(row["component"]) - 1 for row in drawn]]
    assert np.std([float(row["yield"]) for row in drawn] - means) == pytest.approx(0.7, abs=0.2)


def test_counts_with_an_offset_and_trials_of_a_column(plots):
    em("fit", "plots.csv", "-k", "2", "--response", "pests", "--on", "rain", "--offset", "area", "-q", "-o", "p.em",
       "--type", "pests=poisson", cwd=plots)  # fmt: skip
    found = json.loads((plots / "p.em/params.json").read_text())
    assert found["family_options"] | {"law": "poisson", "offset": "area"} == found["family_options"]
    assert np.allclose(sorted(found["coefficients"], key=lambda own: own[1]), [[2.5, -0.3], [0, 0.3]], atol=0.35)
    em("fit", "plots.csv", "-k", "2", "--response", "fallow", "--type", "fallow=binomial:total", "-q", "-o", "f.em",
       "--on", "rain", cwd=plots)  # fmt: skip
    document = json.loads((plots / "f.em/params.json").read_text())
    means = np.array(document["coefficients"]) @ [1, 5]
    assert np.allclose(np.sort(1 / (1 + np.exp(-means))), [0.2, 0.8], atol=0.08)
    (row,) = rows_of(em("predict", "f.em", "-", cwd=plots, stdin="rain,total\n5,10\n").out)
    expected = 10 / (1 + np.exp(-means))
    assert [float(row[f"predicted{k}"]) for k in (1, 2)] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("words", "coefficients", "field", "dispersion", "log_likelihood"),
    [
        (
            "penguins.csv --response body_mass_g --type body_mass_g=gamma --on flipper_length_mm,species",
            [6.40733247943, 0.00951435812006, -0.047582788196, 0.05619262002516],
            "shape",
            (120.25518955357, 9.18342548),
            -2514.04653449,
        ),
        (
            "earthquakes.csv --response count --type count=negative_binomial --on year",
            [10.918035325, -0.0040767947136],
            "size",
            (14.69015356, 3.5229369),
            -351.403001801,
        ),
    ],
)
def test_one_component_is_what_mass_fits(tmp_path, words, coefficients, field, dispersion, log_likelihood):
    """By glm.nb, and glm with gamma.shape, of MASS 7.3 (Venables & Ripley 2002)."""
    name, *options = words.split()
    document = json.loads(em("fit", str(SAMPLES / name), "-k", "1", *options, "--missing", "drop", "--json", "-q",
                             cwd=tmp_path).out)  # fmt: skip
    assert np.allclose(document["coefficients"], [coefficients], rtol=1e-5)
    errors = document["standard_errors"]["observed"]
    assert np.allclose([document[field][0], errors[field][0]], dispersion, rtol=1e-3)
    assert document["log_likelihood"] == pytest.approx(log_likelihood, abs=1e-6)


def test_quantities_and_dispersed_counts_are_predicted_and_drawn(plots):
    em("fit", "plots.csv", "-k", "2", "--response", "area", "--type", "area=gamma", "--on", "rain", "-q", "-o", "a.em",
       cwd=plots)  # fmt: skip
    document = json.loads((plots / "a.em/params.json").read_text())
    (row,) = rows_of(em("predict", "a.em", "-", cwd=plots, stdin="rain\n5\n").out)
    means = np.exp(np.array(document["coefficients"]) @ [1, 5])
    assert [float(row[f"predicted{k}"]) for k in (1, 2)] == pytest.approx(means)
    drawn = rows_of(em("sample", "a.em", "--given", "plots.csv", "--seed", "1", cwd=plots).out)
    assert min(float(row["area"]) for row in drawn) > 0 and "shape" in em("show", "a.em", cwd=plots).out
    refused = em("fit", "-", "-k", "1", "--response", "y", "--type", "y=gamma", "--on", "x", cwd=plots, status=3,
                 stdin="x,y\n1,2\n2,0\n3,1\n")  # fmt: skip
    assert "must be above 0" in refused.err and "row" in refused.err


def test_a_scale_of_the_regressor_and_the_same_sweep_again(plots):
    em(
        "select",
        "plots.csv",
        "--k-range",
        "1-3",
        "--response",
        "yield",
        "--on",
        "twice,soil",
        "-q",
        "-o",
        "s.em",
        cwd=plots,
    )
    document, twice = (json.loads((plots / f"{run}.em/params.json").read_text()) for run in ("plots", "s"))
    assert twice["n_components"] == 2
    assert twice["log_likelihood"] == pytest.approx(document["log_likelihood"], abs=1e-6)
    assert np.allclose(2 * np.array(twice["coefficients"])[:, 1], np.array(document["coefficients"])[:, 1], rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ("--on rain,twice", 3, ["'twice'", "'rain'", "leave one of them out"]),
        ("--on rain,same", 3, ["'same'", "4 in every row", "leave it out"]),
        ("--on rain,yield", 2, ["'yield' is the response"]),
        ("--on rain,rain", 2, ["--on names 'rain' twice"]),
        ("--on rian", 3, ["'rian'"]),
        ("--on soil^2", 2, ["'soil' holds levels"]),
        ("--on log(pests)", 3, ["column 'pests'", "no logarithm"]),
        ("--on rain^0", 2, ["a power is a whole number"]),
        ("--on rain --columns rain", 2, ["leave out --columns"]),
        ("--on rain --family gaussian", 2, ["--type y=poisson"]),
        ("--on rain --covariance full", 2, ["--covariance does not apply"]),
        ("--on rain --noise", 2, ["a noise component"]),
        ("--on rain --transform rain=log", 2, ["--on 'log(rain)'"]),
        ("--on rain --type yield=poisson", 3, ["column 'yield'"]),
        ("--on rain --type yield=binomial", 2, ["among how many trials"]),
        ("--on rain --type yield=beta", 2, ["a response can be"]),
        ("--on rain --type soil=categorical", 2, ["neither the response nor a regressor"]),
        ("--on rain --type rain=gamma", 2, ["'rain' is a regressor"]),
    ],
)
def test_mistakes_are_refused_in_a_sentence(plots, tmp_path, options, status, words):
    refused = em("fit", plots / "plots.csv", "-k", "2", "--response", "yield", *options.split(), "-o", "x.em",
                 cwd=tmp_path, status=status)  # fmt: skip
    assert all(word in refused.err for word in words), refused.err
    assert not any(tmp_path.iterdir())


def test_a_missing_regressor_is_refused_with_its_row_and_can_be_dropped(plots, tmp_path):
    text = "x,y\n1,2\n,3\n2,4\n3,7\n4,8\n5,9\n6,13\n"
    refused = em("fit", "-", "-k", "1", "--response", "y", "--on", "x", "-q", cwd=tmp_path, stdin=text, status=3)
    assert "row 2, column 'x'" in refused.err and "--missing drop" in refused.err
    kept = em("fit", "-", "-k", "1", "--response", "y", "--on", "x", "-q", "--missing", "drop", "--json", cwd=tmp_path,
              stdin=text)  # fmt: skip
    x, y = np.array([1.0, 2, 3, 4, 5, 6]), np.array([2.0, 4, 7, 8, 9, 13])
    slope, intercept = np.polyfit(x, y, 1)
    assert json.loads(kept.out)["coefficients"][0] == pytest.approx([intercept, slope])
    for options in (["--on", "x"], ["--family", "regression"]):
        alone = em("fit", "-", "-k", "1", *options, cwd=tmp_path, stdin=text, status=2)
        assert "--response" in alone.err


def test_text_where_numbers_are_needed_is_refused_with_what_can_be_done(tmp_path):
    text = "x,y,kind,m\n" + "".join(f"{i},{i % 4},{'ab'[i % 2]},{'few' if i == 2 else 9}\n" for i in range(12))

    def refused(*options):
        return em("fit", "-", "-k", "1", "--on", "x", *options, cwd=tmp_path, stdin=text, status=3).err

    assert "text with 2 levels. Give it as --type kind=binary." in refused("--response", "kind")
    for options in (["--type", "y=binomial:m"], ["--offset", "m"]):
        assert "line 4 holds 'few' (the only such value). Use --na few.\n" in refused("--response", "y", *options)


def test_what_has_no_sense_is_refused(plots):
    assert "em score --rows" in em("outliers", "plots.em", cwd=plots, status=2).err
    assert "--given" in em("sample", "plots.em", "-n", "5", cwd=plots, status=2).err


def test_rows_are_drawn_about_the_lines_of_their_components(plots):
    pytest.importorskip("matplotlib")
    are_drawn_about_their_lines(plots, "plots", "rain")


def test_powers_of_a_year_have_the_standard_errors_of_least_squares(tmp_path):
    rng = np.random.default_rng(4)
    year = np.arange(1900, 1980)
    y = 3 + 0.2 * (year - 1940) + 0.01 * (year - 1940) ** 2 + rng.normal(size=80)
    lines = [f"{a},{b:.4f}" for a, b in zip(year, y, strict=True)]
    (tmp_path / "years.csv").write_text("\n".join(["year,y", *lines]) + "\n")
    options = ("-k", "1", "--response", "y", "--on", "year,year^2", "--type", "y=numeric", "--json", "-q")
    document = json.loads(em("fit", "years.csv", *options, cwd=tmp_path).out)
    z = np.linalg.qr(np.stack([np.ones(80), year - 1940.0, (year - 1940.0) ** 2]).T)[1]
    about_1940 = document["sigma"][0] ** 2 * np.linalg.inv(z) @ np.linalg.inv(z).T
    back = np.array([[1, -1940, 1940**2], [0, 1, -2 * 1940], [0, 0, 1]], float)
    wanted = np.sqrt(np.diagonal(back @ about_1940 @ back.T))
    assert np.allclose(document["standard_errors"]["observed"]["coefficients"][0], wanted, rtol=1e-3)


def test_coefficients_that_run_away_are_named(tmp_path):
    rng = np.random.default_rng(2)
    x, second = rng.uniform(-3, 3, 120), rng.integers(2, size=120)
    parted = np.where(second, 10 * (x > 0.3), rng.binomial(10, 1 / (1 + np.exp(0.8 * x))))
    plain = rng.binomial(10, 1 / (1 + np.exp(np.where(second, -2 * x - 1, 0.8 * x))))
    lines = [f"{a:.3f},{b},{c}" for a, b, c in zip(x, parted, plain, strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["x,parted,plain", *lines]) + "\n")
    said = {}
    for name in ("parted", "plain"):
        options = ("--response", name, "--type", f"{name}=binomial:10", "--on", "x", "--json", "-q")
        document = json.loads(em("fit", "x.csv", "-k", "2", *options, cwd=tmp_path).out)
        said[name] = [warning["message"] for warning in document["warnings"]]
    assert any("run away" in text and text.startswith("component ") for text in said["parted"])
    assert not any("run away" in text for text in said["plain"])
