"""`em fit --match`: components are named and ordered as in an earlier model; names that are given stay."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from program import em

BASE = ("-q", "--effort", "low", "--force")


def rows_of(centres, n, seed, levels=("a", "b")):
    rng = np.random.default_rng(seed)
    parts = []
    for centre, share in centres.items():
        m = int(n * share)
        level = np.where(rng.random(m) < (0.9 if centre < 6 else 0.2), *levels)
        parts.append(pd.DataFrame({"x": np.round(rng.normal(centre, 1, m), 4), "level": level}))
    return pd.concat(parts).sample(frac=1, random_state=seed)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("match")
    rows_of({0: 0.5, 8: 0.3, 16: 0.2}, 240, 1).to_csv(folder / "then.csv", index=False)
    rows_of({0: 0.2, 8: 0.2, 16: 0.6}, 240, 2, ("z", "b")).to_csv(folder / "now.csv", index=False)
    rows_of({0: 0.3, 8: 0.7}, 240, 3).to_csv(folder / "two.csv", index=False)
    em("fit", "then.csv", "-k", "3", "--names", "low,middle,high", *BASE, "--out", "then.em", cwd=folder)
    return folder


def fitted(home, data, k, *options, status=0):
    em("fit", data, "-k", str(k), *BASE, *options, "--out", "now.em", cwd=home, status=status)
    return json.loads((home / "now.em/params.json").read_text())


def names(document):
    return [component["name"] for component in document["components"]]


def test_names_that_are_given_stand_in_the_order_of_the_weights(home):
    document = json.loads((home / "then.em/params.json").read_text())
    assert names(document) == ["low", "middle", "high"]
    assert [round(c["mean"]["x"] / 8) for c in document["components"]] == [0, 1, 2]


def test_components_stand_as_in_the_earlier_model(home):
    """Though the weights have changed, the levels have another order, and one of them is new."""
    document = fitted(home, "now.csv", 3, "--match", "then.em")
    assert names(document) == ["low", "middle", "high"]
    assert [round(c["mean"]["x"] / 8) for c in document["components"]] == [0, 1, 2]
    assert document["weights"][2] == pytest.approx(0.6, abs=0.02)
    for place, component in enumerate(document["components"], 1):
        was = component["matched"]
        assert was["component"] == place and was["name"] == component["name"] and was["distance"] < 2 < was["margin"]
    assert document["match"]["gone"] == [] and document["match"]["ambiguous"] == [] and document["match"]["margin"] > 2
    with (home / "now.em/matched.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["previous_name"] for row in rows] == ["low", "middle", "high"]
    assert float(rows[0]["distance"]) == document["components"][0]["matched"]["distance"]
    with (home / "now.em/responsibilities.csv").open(newline="") as lines:
        first = next(csv.DictReader(lines))
    x = pd.read_csv(home / "now.csv")["x"][0]
    assert int(first["component"]) == round(x / 8) + 1


def test_a_model_matched_with_itself_is_itself(home):
    document = fitted(home, "then.csv", 3, "--match", "then.em")
    assert names(document) == ["low", "middle", "high"]
    assert all(c["matched"]["distance"] < 1e-9 for c in document["components"])


def test_what_is_gone_and_what_is_new(home):
    document = fitted(home, "two.csv", 2, "--match", "then.em", "--strict", status=6)
    assert names(document) == ["low", "middle"] and document["match"]["gone"] == ["high"]
    assert "match_gone" in [one["code"] for one in document["warnings"]]
    em("fit", "two.csv", "-k", "2", *BASE, "--out", "two.em", cwd=home)
    document = fitted(home, "then.csv", 3, "--match", "two.em")
    assert names(document) == ["component 1", "component 2", "component 3"]
    assert [round(c["mean"]["x"] / 8) for c in document["components"]] == [1, 0, 2]  # as two.em has them
    assert document["components"][2]["matched"] is None


@pytest.mark.parametrize(
    ("options", "words", "status"),
    [
        (("--names", "a,b"), "--names gives 2 names, and there are 3 components", 2),
        (("--names", "a"), "--names gives 1 name, and there are 3 components", 2),
        (("--names", "a,b,a"), "different from each other", 2),
        (("--names", "a,b,c", "--match", "then.em"), "leave out --names", 2),
        (("--match", "no.em"), "no such model file or run folder", 3),
        (("--match", "then.em", "--columns", "x"), "of other columns ('level'", 3),
        (("--match", "then.em", "--labels", "level"), "names of their labels", 2),
    ],
)
def test_mistakes_are_told(options, words, status, home):
    assert words in em("fit", "now.csv", "-k", "3", "-q", "--force", *options, cwd=home, status=status).err
    assert "goes with em fit" in em("select", "now.csv", "--set", "match=then.em", cwd=home, status=2).err
