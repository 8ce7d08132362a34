"""Types, weights, labels, noise and groups of columns, from the command line to the files."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from program import SAMPLES, em

PENGUINS, FAITHFUL, IRIS = (SAMPLES / f"{name}.csv" for name in ("penguins", "faithful", "iris"))


def fitted(*arguments: object, cwd: Path) -> dict:
    return json.loads(em("fit", *arguments, "--json", "--restarts", 3, cwd=cwd).out)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_the_types_of_columns_and_their_families(tmp_path):
    found = fitted(PENGUINS, "-k", 2, "--missing", "drop", cwd=tmp_path)
    types = {column["name"]: column["type"] for column in found["columns"]}
    assert types["species"] == types["sex"] == "categorical"
    assert types["bill_length_mm"] == "numeric"
    assert {group["family"] for group in found["groups"]} == {"gaussian", "categorical"}
    sexes = [component["probabilities"]["sex"] for component in found["components"]]
    assert all(set(p) == {"female", "male"} and sum(p.values()) == pytest.approx(1) for p in sexes)


def test_groups_of_columns_have_families_and_structures_of_their_own(tmp_path):
    (tmp_path / "run.yaml").write_text(
        f"""
data: {{path: {IRIS}, exclude: species}}
k: 2
covariance: tied
groups:
- {{columns: [sepal_length, sepal_width], family: gaussian, covariance: diag}}
"""
    )
    found = fitted("-c", "run.yaml", cwd=tmp_path)
    assert [(len(g["columns"]), g["covariance_type"]) for g in found["groups"]] == [(2, "diag"), (2, "tied")]
    assert [np.shape(g["covariances"]) for g in found["groups"]] == [(2, 2), (2, 2)]
    (tmp_path / "m.json").write_text(json.dumps(found))
    scored = json.loads(em("score", "m.json", IRIS, cwd=tmp_path).out)
    assert scored["log_likelihood"] == pytest.approx(found["log_likelihood"], rel=1e-12)


@pytest.fixture(scope="module")
def weighted(tmp_path_factory):
    """Old Faithful with weights 0, 1 and 2, and the same with the rows left out or written twice."""
    folder = tmp_path_factory.mktemp("weights")
    header, *rows = FAITHFUL.read_text().split()
    weights = [i % 3 for i in range(len(rows))]
    pairs = list(zip(rows, weights, strict=True))
    (folder / "weighted.csv").write_text("\n".join([f"{header},w", *(f"{row},{w}" for row, w in pairs)]) + "\n")
    (folder / "repeated.csv").write_text("\n".join([header, *(row for row, w in pairs for _ in range(w))]) + "\n")
    return folder


def test_a_weight_of_two_is_the_row_twice_and_of_zero_none(weighted):
    ours = fitted("weighted.csv", "-k", 2, "--weights", "w", cwd=weighted)
    theirs = fitted("repeated.csv", "-k", 2, cwd=weighted)
    for name in ("log_likelihood", "bic", "aic", "icl", "n_for_bic"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-6), name
    (weighted / "m.json").write_text(json.dumps(ours))
    by_weight = json.loads(em("score", "m.json", "weighted.csv", "--weights", "w", cwd=weighted).out)
    by_row = json.loads(em("score", "m.json", "repeated.csv", cwd=weighted).out)
    for name in ("log_likelihood", "bic", "icl", "entropy"):
        assert by_weight[name] == pytest.approx(by_row[name], rel=1e-10), name


def test_rows_without_weight_are_scored_all_the_same(weighted):
    em("fit", "weighted.csv", "-k", 2, "--weights", "w", "--out", "w.em", cwd=weighted)
    rows = rows_of(weighted / "w.em" / "responsibilities.csv")
    assert [row["row"] for row in rows] == [str(i) for i in range(1, 273)]
    assert all(row["component"] in ("1", "2") for row in rows)
    assert json.loads((weighted / "w.em" / "params.json").read_text())["n_samples"] == sum(
        i % 3 > 0 for i in range(272)
    )


def test_sampling_weights_have_mean_one(weighted):
    found = fitted("weighted.csv", "-k", 2, "--weights", "w", "--weight-type", "sampling", cwd=weighted)
    assert found["n_for_bic"] == pytest.approx(found["n_samples"])
    assert found["weight_type"] == "sampling"


def test_weights_that_are_no_whole_numbers_are_not_taken_for_frequencies_in_silence(tmp_path):
    (tmp_path / "t.csv").write_text("x,w\n" + "".join(f"{i % 7 + i / 50},{1 + i % 2 / 4}\n" for i in range(60)))
    run = ("t.csv", "-k", 1, "--weights", "w")
    (told,) = [one["message"] for one in fitted(*run, cwd=tmp_path)["warnings"] if one["code"] == "fractional_weights"]
    assert told.startswith("30 of 60 weights in column 'w' are no whole numbers (such as 1.25)") and "67.5 rows" in told
    assert "fractional_weights" not in str(fitted(*run, "--weight-type", "sampling", cwd=tmp_path)["warnings"])
    (tmp_path / "t.csv").write_text("x,w\n" + "".join(f"{i % 7 + i / 50},{i % 3}\n" for i in range(60)))
    assert "fractional_weights" not in str(fitted(*run, cwd=tmp_path)["warnings"]), "whole numbers are frequencies"
    (tmp_path / "t.csv").write_text("x,w\n" + "".join(f"{i % 7 + i / 50},0.0{i % 3 + 1}\n" for i in range(60)))
    assert "parameters for" not in str(fitted(*run, cwd=tmp_path)["warnings"]), "there are 60 rows"


def test_labels_are_honoured_and_name_the_components(tmp_path):
    rows = rows_of(IRIS)
    text = ["sepal_length,sepal_width,petal_length,petal_width,kind"]
    for place, row in enumerate(rows):
        *numbers, species = row.values()
        text.append(",".join([*numbers, species if place % 10 == 0 else ""]))
    (tmp_path / "some.csv").write_text("\n".join(text) + "\n")
    em("fit", "some.csv", "--out", "some.em", "-k", 3, "--labels", "kind", "--restarts", 4, cwd=tmp_path)
    names = [c["name"] for c in json.loads((tmp_path / "some.em" / "params.json").read_text())["components"]]
    assert sorted(names) == ["setosa", "versicolor", "virginica"]
    for place, row in enumerate(rows_of(tmp_path / "some.em" / "responsibilities.csv")):
        if place % 10 == 0:
            assert names[int(row["component"]) - 1] == rows[place]["species"]
            assert float(row["uncertainty"]) == 0
    refused = em("fit", "some.csv", "-k", 2, "--labels", "kind", "--json", cwd=tmp_path, status=3)
    assert "the labels name 3 components (setosa, versicolor, virginica), more than k = 2" in refused.err


def test_noise_takes_what_belongs_to_no_component(tmp_path):
    rng = np.random.default_rng(0)
    cloud, noise = rng.standard_normal((200, 2)), rng.uniform(-30, 30, (40, 2))
    np.savetxt(tmp_path / "noisy.csv", np.concatenate([cloud, noise]), delimiter=",", header="a,b", comments="")
    em("fit", "noisy.csv", "--out", "noisy.em", "-k", 1, "--noise", "--restarts", 3, cwd=tmp_path)
    found = json.loads((tmp_path / "noisy.em" / "params.json").read_text())
    assert found["noise"] == pytest.approx(1 / 6, abs=0.03)
    assert found["weights"][0] + found["noise"] == pytest.approx(1)
    assert found["components"][0]["sd"]["a"] == pytest.approx(1, abs=0.15)
    rows = rows_of(tmp_path / "noisy.em" / "responsibilities.csv")
    assert sum(row["component"] == "0" for row in rows[200:]) > 35
    assert (
        em("predict", "noisy.em", "noisy.csv", cwd=tmp_path).out
        == (tmp_path / "noisy.em" / "responsibilities.csv").read_text()
    )
    refused = em("fit", PENGUINS, "-k", 2, "--noise", "--missing", "drop", "--json", cwd=tmp_path, status=2)
    without = ("--exclude", "species,island,sex")
    assert f"columns species, island, sex are not continuous. Use {' '.join(without)}, or" in refused.err
    em("fit", PENGUINS, "-k", 2, "--noise", "--missing", "drop", *without, cwd=tmp_path)


def test_a_labelled_row_is_no_noise_however_far_out(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{x},{y}," for x, y in rng.standard_normal((4000, 2))]
    far = [f"{x},{y}," for x, y in rng.uniform(-60, 60, (30, 2))]
    (tmp_path / "far.csv").write_text("\n".join(["a,b,kind", *rows, *far, "60,60,one"]) + "\n")
    em("fit", "far.csv", "--out", "far.em", "-k", 1, "--noise", "--labels", "kind", "--restarts", 2, cwd=tmp_path)
    last = rows_of(tmp_path / "far.em" / "responsibilities.csv")[-1]
    assert (last["component"], last["p1"]) == ("1", "1.0")


@pytest.mark.parametrize(("shares", "weights"), [("equal", [0.5, 0.5]), ("[0.7, 0.3]", [0.7, 0.3])])
def test_mixing_weights_can_be_fixed(tmp_path, shares, weights):
    found = fitted(FAITHFUL, "-k", 2, "--set", f"mixing_weights={shares}", cwd=tmp_path)
    assert found["weights"] == pytest.approx(weights)
    assert found["n_parameters"] == 10
    (tmp_path / "m.json").write_text(json.dumps(found))
    assert json.loads(em("score", "m.json", FAITHFUL, cwd=tmp_path).out)["bic"] == pytest.approx(found["bic"])


@pytest.mark.parametrize("header", ["s1,t1,s2,t2", "t1,s1,t2,s2", "s1,s2,t1,t2"])
def test_successes_go_with_their_trials_whatever_the_order_in_the_file(tmp_path, header):
    rng = np.random.default_rng(1)
    trials = rng.integers(5, 20, (2, 120))
    chance = np.where(np.arange(120) % 2, 0.2, 0.8)
    successes = rng.binomial(trials, chance)
    columns = {"s1": successes[0], "t1": trials[0], "s2": successes[1], "t2": trials[1]}
    rows = zip(*(columns[name].tolist() for name in header.split(",")), strict=True)
    (tmp_path / "p.csv").write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    types = ("--type", "s1=binomial:t1", "--type", "s2=binomial:t2")
    found = fitted("p.csv", "-k", 2, *types, cwd=tmp_path)
    assert found["feature_names_in"] == ["s1", "t1", "s2", "t2"]
    assert sorted(np.mean(found["probabilities"], axis=1)) == pytest.approx([0.2, 0.8], abs=0.05)


@pytest.mark.parametrize("gaps", [False, True])
def test_columns_that_add_nothing_are_named(tmp_path, gaps):
    rng = np.random.default_rng(7)
    a, b, c = rng.standard_normal((3, 150)) + np.repeat([0, 5], 75)
    near = np.round(a, 3)  # is told by a as far as its rounding can show
    cells = np.stack([a, b, 1.8 * a + 32, c, a + b, near], axis=1).astype(str)
    if gaps:
        cells[rng.random(cells.shape) < 0.05] = ""
    text = "\n".join(["a,b,fahrenheit,c,sum,near", *map(",".join, cells)])
    (tmp_path / "c.csv").write_text(text + "\n")
    found = fitted("c.csv", "-k", 2, "--covariance", "diag", cwd=tmp_path)
    (said,) = [warning["message"] for warning in found["warnings"] if warning["code"] == "copied_columns"]
    assert "left out, as other columns determine them: fahrenheit = 1.8 a + 32; sum = a + b; near ≈ a;" in said
    assert found["feature_names_in"] == ["a", "b", "c"]
    kept = fitted("c.csv", "-k", 2, "--covariance", "diag", "--type", "sum=numeric", cwd=tmp_path)
    assert kept["feature_names_in"] == ["a", "c", "sum"]  # b is told by a and the sum, which was asked for
    assert any("b = sum − a" in warning["message"] for warning in kept["warnings"])


def test_one_component_has_a_fit_and_a_copy_changes_nothing(tmp_path):
    a, b = np.random.default_rng(8).normal(50, 8, (2, 90)).round(1)
    for name, columns in (("once", (a, b)), ("twice", (a, b, a))):
        lines = [
            ",".join(f"c{j}" for j in range(len(columns))),
            *(",".join(map(str, row)) for row in zip(*columns, strict=True)),
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    for k in (1, 2):
        once, twice = (fitted(f"{name}.csv", "-k", k, cwd=tmp_path) for name in ("once", "twice"))
        assert twice["bic"] == once["bic"]
        assert twice["means"] == once["means"]


def test_means_can_be_fixed(tmp_path):
    free = fitted(FAITHFUL, "-k", 2, cwd=tmp_path)
    at_best = f"means={json.dumps(free['means'])}"
    same = fitted(FAITHFUL, "-k", 2, "--family", "gaussian", "--set", f"family.{at_best}", cwd=tmp_path)
    assert same["log_likelihood"] == pytest.approx(free["log_likelihood"], abs=0.01)
    assert same["n_parameters"] == free["n_parameters"] - 4
    away = "[[4, 75], [2.2, 57]]"
    moved = fitted(FAITHFUL, "-k", 2, "--family", "gaussian", "--set", f"family.means={away}", cwd=tmp_path)
    assert moved["means"] == [pytest.approx([4, 75]), pytest.approx([2.2, 57])]
    assert moved["log_likelihood"] < free["log_likelihood"] - 1
    (tmp_path / "m.json").write_text(json.dumps(moved))
    assert json.loads(em("score", "m.json", FAITHFUL, cwd=tmp_path).out)["bic"] == pytest.approx(moved["bic"])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--type", "waiting=tall"), 2, "unknown type 'tall'"),
        (("--type", "waiting=count:poisson"), 2, "Did you mean --type waiting=poisson?"),
        (("--type", "waiting=poison"), 2, "Did you mean 'poisson'?"),
        (("--family", "categorical", "--covariance", "tied"), 2, "--covariance does not apply"),
        (("--set", "mixing_weights=[0.5, 0.2, 0.3]"), 2, "mixing_weights has 3 numbers"),
        (("--noise", "--set", "mixing_weights=equal"), 2, "do not go with noise"),
        (("--set", "family.sharpness=3"), 2, "'sharpness' is an option of a family: name it with --family."),
        (("--family", "gaussian", "--set", "family.sharpness=3"), 2, "family 'gaussian' has no option 'sharpness'"),
        (("--family", "gaussian", "--set", "family.means=[[1, 2]]"), 2, "the means of 1 components are fixed"),
        (("--family", "gaussian", "--set", "family.means=[[1], [2]]"), 2, "a list of 2 numbers for each component"),
        (("--labels", "waiting", "--effort", "high"), 2, "--effort high does not apply"),
        (("--weights", "wait"), 3, "Did you mean 'waiting'?"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, arguments, status, words):
    assert words in em("fit", FAITHFUL, "-k", 2, *arguments, cwd=tmp_path, status=status).err


@pytest.mark.parametrize("option", ["--exclude", "--columns"])
def test_columns_may_be_named_one_after_the_other(tmp_path, option):
    """As refusals of several columns advise them; the last alone was heard."""
    rng = np.random.default_rng(3)
    lines = [",".join(f"{cell:.3f}" for cell in row) for row in rng.normal(size=(40, 4))]
    (tmp_path / "d.csv").write_text("\n".join(["a,b,c,d", *lines]) + "\n")
    fit = ("fit", "d.csv", "-k", "1", "--json")
    documents = [
        json.loads(em(*fit, *more, cwd=tmp_path).out) for more in ([option, "a", option, "c"], [option, "a,c"])
    ]
    assert documents[0] == documents[1]
    assert documents[0]["feature_names_in"] == (["b", "d"] if option == "--exclude" else ["a", "c"])
