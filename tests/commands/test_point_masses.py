"""Amounts of which many are one value: taken for what they are, from the file to the outputs."""

import csv
import io
import json

import numpy as np
import pytest
from program import em


def table(columns: dict[str, np.ndarray]) -> str:
    lines = [",".join(columns), *(",".join(map(repr, row)) for row in np.stack([*columns.values()], axis=1).tolist())]
    return "\n".join(lines) + "\n"


def claims(seed: int, n: int, at: float = 0.0) -> dict[str, np.ndarray]:
    """Two groups, one of which claims seldom and little; the other column is normal."""
    rng = np.random.default_rng(seed)
    often = np.arange(n) % 3 == 0
    amount = np.where(rng.random(n) < np.where(often, 0.1, 0.9), at, rng.lognormal(np.where(often, 6.0, 4.0), 0.5))
    return {"amount": amount.round(2), "age": rng.normal(np.where(often, 60.0, 40.0), 5.0).round(2)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run on claims, and its document."""
    folder = tmp_path_factory.mktemp("claims")
    (folder / "claims.csv").write_text(table(claims(1, 300)))
    em("fit", "claims.csv", "-k", 2, "--restarts", 4, "--out", "run", cwd=folder)
    return folder


def test_a_column_with_a_point_mass_has_a_sound_fit_by_default(folder):
    found = json.loads((folder / "run" / "params.json").read_text())
    amount, age = found["groups"]
    assert amount["family"].startswith("zero_inflated_") and amount["family_options"] == {"value": 0.0}
    assert (age["family"], found["prior"]) == ("gaussian", "none")
    assert np.allclose(np.ravel(amount["value_probabilities"]), [0.9, 0.1], atol=0.05)
    assert [warning["code"] for warning in found["warnings"]] == ["point_mass"]
    zeros = [component["at_value"]["amount"] for component in found["components"]]
    assert [zero["value"] for zero in zeros] == [0.0, 0.0]


def test_predicted_scored_and_shown(folder):
    rows = list(csv.DictReader(io.StringIO(em("predict", "run", "claims.csv", cwd=folder).out)))
    total = sum(float(row["log_density"]) for row in rows)
    scored = json.loads(em("score", "run", "claims.csv", cwd=folder).out)
    fitted = json.loads((folder / "run" / "params.json").read_text())
    assert total == pytest.approx(scored["log_likelihood"]) == pytest.approx(fitted["log_likelihood"], rel=1e-12)
    shown = em("show", "run", cwd=folder).out
    assert "amount = 0" in shown and "0.9" in shown


def test_rows_drawn_from_the_model_have_the_point_mass_and_fill_gaps(folder):
    drawn = em("sample", "run", "-n", 2000, cwd=folder).out
    amounts = np.array([float(row["amount"]) for row in csv.DictReader(io.StringIO(drawn))])
    zeros = np.mean(claims(1, 300)["amount"] == 0)
    assert np.mean(amounts == 0) == pytest.approx(zeros, abs=0.05)
    assert (amounts >= 0).all()
    gaps = "amount,age\n,60.5\n0.0,\n55.5,41.0\n"
    filled = em("impute", "run", "-", stdin=gaps, cwd=folder).out.split()
    assert filled[3] == "55.5,41.0" and float(filled[1].split(",")[0]) > 100


def test_pictures_are_drawn(folder):
    em("plot", "run", "--kind", "density,scatter,profile", "--format", "svg", cwd=folder)
    assert "% at 0" in (folder / "run" / "plots" / "density.svg").read_text()


@pytest.mark.parametrize("at", [-999.0, 120.0])
def test_the_point_mass_is_where_it_is(tmp_path, at):
    (tmp_path / "claims.csv").write_text(table(claims(2, 150, at)))
    found = json.loads(em("fit", "claims.csv", "-k", 2, "--restarts", 2, "--json", cwd=tmp_path).out)
    (amount,) = [group for group in found["groups"] if group["columns"] == ["amount"]]
    assert amount["family_options"] == {"value": at}


def test_a_type_or_a_family_overrules(tmp_path):
    (tmp_path / "claims.csv").write_text(table(claims(3, 150)))
    numeric = json.loads(em("fit", "claims.csv", "-k", 1, "--json", "--type", "amount=numeric", cwd=tmp_path).out)
    assert (numeric["family"], numeric["warnings"]) == ("gaussian", [])
    lognormal = "amount=zero_inflated_lognormal:0"
    named = json.loads(em("fit", "claims.csv", "-k", 1, "--json", "--type", lognormal, cwd=tmp_path).out)
    positive = np.log(claims(3, 150)["amount"][claims(3, 150)["amount"] > 0])
    (amount,) = [group for group in named["groups"] if group["columns"] == ["amount"]]
    assert np.allclose([amount["log_means"][0][0], amount["log_sds"][0][0]], [positive.mean(), positive.std()])


def test_a_point_mass_needs_a_value_that_is_repeated(tmp_path):
    (tmp_path / "data.csv").write_text(table({"a": np.arange(30) + 0.5}))
    said = em("fit", "data.csv", "-k", 1, "--type", "a=zero_inflated_gamma", cwd=tmp_path, status=3).err
    assert "no value stands out" in said


def test_dummies_and_answers_do_not_collapse(tmp_path):
    rng = np.random.default_rng(4)
    group = np.arange(90) % 2
    answers = {f"q{j}": np.clip(rng.poisson(1 + group) + 1, 1, 5) for j in range(3)}
    (tmp_path / "likert.csv").write_text(table(answers | {"x": rng.normal(3.0 * group)}))
    found = json.loads(em("fit", "likert.csv", "-k", 2, "--restarts", 4, "--json", cwd=tmp_path).out)
    assert [column["type"] for column in found["columns"]] == ["categorical"] * 3 + ["numeric"]
    assert found["columns"][0]["levels"] == list("12345")
    assert (found["prior"], [warning["code"] for warning in found["warnings"]]) == ("none", ["few_levels"])
