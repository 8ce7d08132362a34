"""Mixtures of regressions on the command line: what is read, written, refused, and predicted."""

import csv
import json
from io import StringIO

import numpy as np
import pytest
from program import SAMPLES, em

from em_cli.reports.picture import pictures_of
from em_cli.reports.regression_lines import lines
from em_cli.runs.read_back import read_run


def rows_of(text):
    return list(csv.DictReader(StringIO(text)))


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


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    """Heights of children of two kinds at four ages, in any order; one has weight 2, one a missing height."""
    folder, rng = tmp_path_factory.mktemp("children"), np.random.default_rng(8)
    lines = []
    for child in range(24):
        slope = (1.0, 2.0)[child % 3 == 0]
        for age in (8, 10, 12, 14):
            height = "" if (child, age) == (5, 12) else f"{10 + slope * age + rng.normal(0, 2):.2f}"
            lines.append(f"c{child},{age},{height},{1 + (child == 1)},{child % 2}")
    order = rng.permutation(len(lines))
    (folder / "growth.csv").write_text("\n".join(["child,age,height,times,boy", *(lines[i] for i in order)]) + "\n")
    em(
        "fit",
        "growth.csv",
        "-k",
        "2",
        "--out",
        "growth.em",
        "--response",
        "height",
        "--on",
        "age",
        "--group",
        "child",
        "-q",
        cwd=folder,
    )
    return folder


def test_rows_of_a_group_share_their_component(children):
    document = json.loads((children / "growth.em/params.json").read_text())
    assert document["latent"] == "grouped" and document["n_groups"] == document["n_for_bic"] == 24
    assert document["n_samples"] == 96 and document["n_parameters"] == 7
    assert document["bic"] == pytest.approx(-2 * document["log_likelihood"] + 7 * np.log(24))
    assert np.allclose(np.sort(np.array(document["coefficients"])[:, 1]), [1, 2], atol=0.25)
    written = rows_of((children / "growth.em/responsibilities.csv").read_text())
    read = rows_of((children / "growth.csv").read_text())
    of_child = {}
    for row, found in zip(read, written, strict=True):
        of_child.setdefault(row["child"], set()).add((found["component"], found["p1"]))
    assert len(of_child) == 24 and all(len(found) == 1 for found in of_child.values())
    steep = {child for child, found in of_child.items() if {component for component, _ in found} == {"2"}}
    assert len(steep & {f"c{n}" for n in range(0, 24, 3)}) >= 7 and len(steep) <= 9
    heights = sum(float(row["log_density"]) for row in written)
    assert heights == pytest.approx(document["log_likelihood"], rel=1e-10)
    again = rows_of(em("predict", "growth.em", "growth.csv", cwd=children).out)
    assert [row["p2"] for row in again] == [row["p2"] for row in written]
    scored = json.loads(em("score", "growth.em", "growth.csv", cwd=children).out)
    assert scored["log_likelihood"] == pytest.approx(document["log_likelihood"], rel=1e-10)
    assert scored["bic"] == pytest.approx(document["bic"], rel=1e-10)
    assert "--group child" in em("fit", "growth.csv", "-k", "2", "--response", "height", "--on", "age", "--group",
                                 "child", "--format", "human", "-o", "h.em", cwd=children).out  # fmt: skip


def test_a_group_of_weight_two_is_there_twice(children, tmp_path):
    options = ("-k", "2", "--response", "height", "--on", "age", "--group", "child", "--json", "-q")
    weighted = json.loads(em("fit", "growth.csv", *options, "--weights", "times", cwd=children).out)
    text = (children / "growth.csv").read_text()
    more = "".join(f"again{line}\n" for line in text.splitlines()[1:] if line.startswith("c1,"))
    twice = json.loads(em("fit", "-", *options, cwd=tmp_path, stdin=text + more).out)
    assert weighted["log_likelihood"] == pytest.approx(twice["log_likelihood"], abs=1e-6)
    assert weighted["n_for_bic"] == twice["n_for_bic"] == 25


def test_groups_go_with_any_family(children):
    found = json.loads(em("fit", "growth.csv", "-k", "2", "--columns", "height,boy", "--group", "child", "--json", "-q",
                          cwd=children).out)  # fmt: skip
    assert found["family"] == "product" and found["n_for_bic"] == 24
    dropped = json.loads(em("fit", "growth.csv", "-k", "2", "--columns", "height", "--group", "child", "--json", "-q",
                            "--missing", "drop", cwd=children).out)  # fmt: skip
    assert dropped["n_samples"] == 95 and dropped["n_groups"] == 24


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ("--group child --latent markov", 2, ["--latent markov does not know"]),
        ("--latent grouped", 2, ["--group"]),
        ("--group child --sequence boy", 2, ["--sequence is about rows that follow each other"]),
        ("--group child --noise", 2, ["noise"]),
        ("--group chlid", 3, ["'chlid'"]),
        ("--group child --weights age", 3, ["the weight is", "in its group", "whole groups have weights"]),
        ("--group child --labels times --exclude boy", 3, ["different labels"]),
    ],
)
def test_mistakes_about_groups_are_refused(children, tmp_path, options, status, words):
    text = (children / "growth.csv").read_text()
    if "--labels" in options:
        text = text.replace("c2,8,", "c2,8,", 1).replace(",1,0\n", ",2,0\n", 1)
    refused = em("fit", "-", "-k", "2", *options.split(), cwd=tmp_path, stdin=text, status=status)
    assert all(word in refused.err for word in words), refused.err


def test_groups_are_refused_where_a_model_has_none(children, plots):
    refused = em("predict", "plots.em", "plots.csv", "--group", "soil", cwd=plots, status=2)
    assert "--group" in refused.err
    for more in (["--decode", "filter"], ["--horizon", "2"]):
        assert "follow each other" in em("predict", "growth.em", "growth.csv", *more, cwd=children, status=2).err


def test_rows_are_drawn_about_the_lines_of_their_components(plots, children):
    pytest.importorskip("matplotlib")
    for folder, name in ((plots, "plots"), (children, "growth")):
        run = read_run(str(folder / f"{name}.em"))
        written = rows_of((folder / f"{name}.em/responsibilities.csv").read_text())
        shown = np.array([float(written[number - 1]["p1"]) for number in run.shown.numbers])
        assert np.allclose(run.shown.responsibilities[0], shown)
        place = run.schema.names.index("rain" if name == "plots" else "age")
        x, means, _ = lines(run, place)
        slopes = np.array(run.document["coefficients"])[:, 1]
        assert np.allclose((means[:, -1] - means[:, 0]) / (x[-1] - x[0]), slopes)
    (only,) = pictures_of(run, ["regression"])
    assert "height against age" in only.caption
    dropped = ("--missing", "drop", "-q", "-o", "dropped.em", "--plots")
    em(
        "fit",
        "growth.csv",
        "-k",
        "2",
        "--response",
        "height",
        "--on",
        "age",
        "--group",
        "child",
        *dropped,
        cwd=children,
    )
    before = (children / "dropped.em/plots/regression.png").read_bytes()
    em("plot", "dropped.em", "--kind", "regression", "--force", cwd=children)
    assert (children / "dropped.em/plots/regression.png").read_bytes() == before
    labelled = em("predict", "dropped.em", "growth.csv", "--missing", "drop", cwd=children).out
    written = (children / "dropped.em/responsibilities.csv").read_text()
    assert [row["p1"] for row in rows_of(labelled)] == [row["p1"] for row in rows_of(written)]


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
