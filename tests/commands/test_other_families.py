"""Whether other families would do better: said after the fit, with a number that is got at least by following it."""

import json
import shlex
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from program import em
from support import Case

from em_cli.algorithms.em import EM
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.models.alternatives import Change, alternatives
from em_cli.models.groups import Group
from em_cli.runs import other_families
from em_cli.search.search import Plan
from em_cli.sources.schema import Column

ASKED = ("--other-families", "--format", "none")


def skewed(folder, n=300, *, counts=False):
    """Two groups whose amounts are lognormal, and whose visits are geometric; the name of the file."""
    rng = np.random.default_rng(8)
    z = rng.random(n) < 0.4
    spend, age = np.exp(rng.normal(np.where(z, 5.2, 3.0), 0.6)).round(2), rng.normal(np.where(z, 50, 30), 5).round(1)
    visits = np.where(z, rng.geometric(0.05, n), rng.geometric(0.3, n)) - 1
    columns = {"total spend": spend, "age": age} | ({"visits": visits} if counts else {})
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    (folder / "shop.csv").write_text("\n".join(lines) + "\n")
    return "shop.csv"


@pytest.mark.parametrize(
    ("rows", "wanted", "changes", "searches"), [(500, None, 4, 3), (15_000, None, 3, 1), (15_000, True, 4, 3)]
)
def test_what_nobody_asked_for_is_bounded(rows, wanted, changes, searches):
    """Many rows of many features: fewer changes one after the other, and the promise is sought from fewer starts."""
    plan = Plan(EM(), (), None, Stopping(1e-3, 500))
    settings = SimpleNamespace(config=SimpleNamespace(search=SimpleNamespace(other_families=wanted)))
    survey = SimpleNamespace(block=SimpleNamespace(n_rows=rows))
    refits = other_families.Refits(settings, None, survey, None, plan, lambda: False)
    model = Case("gaussian", ("real",) * 12, ("real",), True, lambda kinds: Gaussian(), None, None).model(np.eye(12), 3)
    assert other_families._rounds(refits, model) == changes
    assert len(other_families._plans(refits, model)) == searches
    asked = replace(refits, asked=True)
    assert other_families._rounds(asked, model) == 4


def params_of(run):
    return json.loads((run / "params.json").read_text())


def said_of(params):
    found = [warning["message"] for warning in params["warnings"] if warning["code"] == "other_family"]
    return found[0] if found else ""


def followed(said):
    """What is to be lowered, and the options to do it with."""
    gain, _, options = said.partition(" lowers BIC by ")[2].partition(" (k = ")
    return float(gain.removeprefix("at least ").replace(",", "")), shlex.split(options.partition("): ")[2])


@pytest.mark.parametrize(("n", "told"), [(30, True), (20, False)])
def test_two_parameters_for_each_row_are_not_compared_unasked(n, told, tmp_path):
    """Two groups of five columns have 41."""
    x, said = np.exp(np.random.default_rng(8).normal(2, 1, (n, 5))).round(2), []
    np.savetxt(tmp_path / "few.csv", x, delimiter=",", header="a,b,c,d,e", comments="")
    for options in (ASKED, ASKED[1:]):
        more = ("--covariance", "full", *options, "-o", "one.em", "--force")
        em("fit", "few.csv", "-k", 2, *more, cwd=tmp_path, env={"EM_OTHER_FAMILIES": ""})
        said.append(said_of(params_of(tmp_path / "one.em")))
    assert said[0] and bool(said[1]) == told


@pytest.mark.parametrize("counts", [False, True])
def test_the_number_is_got_at_least_by_following(counts, tmp_path):
    file = skewed(tmp_path, counts=counts)
    em("fit", file, "-k", 2, *ASKED, "-o", "one.em", cwd=tmp_path)
    one = params_of(tmp_path / "one.em")
    said = said_of(one)
    assert "total spend" in said and ("visits as negative_binomial" in said) == counts
    gain, options = followed(said)
    assert gain > 50
    em("fit", file, "-k", 2, *ASKED, *options, "-o", "two.em", cwd=tmp_path)
    two = params_of(tmp_path / "two.em")
    assert gain <= one["bic"] - two["bic"] <= gain + 0.2, "where a short search finds what a long one does"
    assert not said_of(two), "once followed, there is no more to be said"


def test_no_refit_is_made_twice(tmp_path, monkeypatch):
    """A single change is known from when it was looked for."""
    made, refitted = [], other_families._refitted

    def counted(refits, before, wanted):
        made.extend((before, changes) for changes in wanted)
        return refitted(refits, before, wanted)

    monkeypatch.setattr(other_families, "_refitted", counted)
    em("fit", skewed(tmp_path), "-k", 2, "--columns", "total spend", *ASKED, "-o", "x.em", cwd=tmp_path)
    assert "lowers BIC by at least" in said_of(params_of(tmp_path / "x.em"))
    assert len(made) > 1 and len(set(made)) == len(made)


def test_a_sweep_looks_at_fewer_components(tmp_path):
    """A mixture of normal distributions makes up for the wrong family by more of them."""
    file = skewed(tmp_path)
    asked = ("select", file, "-k", "1-5", *ASKED, "--effort", "low", "--format", "human", "--responsibilities", "r.csv")
    shown = em(*asked, "-o", "s.em", cwd=tmp_path).out
    chosen = params_of(tmp_path / "s.em")
    assert chosen["n_components"] > 2 and "(k = 2)" in said_of(chosen)
    gain, options = followed(said_of(chosen))
    shown = shown.replace("\\\n", "")  # as a shell reads it
    suggested = shlex.split(shown.partition("Try:  em ")[2].partition("\n")[0])
    again = [*asked, "--force", *options, "--out", "s-2.em"]
    assert suggested == again, "the whole command, which nobody has to put together"
    em(*suggested, cwd=tmp_path)
    better = params_of(tmp_path / "s-2.em")
    assert better["n_components"] == 2 and chosen["bic"] - better["bic"] >= gain


def test_a_sweep_compares_what_columns_are_taken_for(tmp_path):
    """In one table, each with the BIC that a sweep of its own has; what is read back is that of the choice."""
    import csv

    file, more = skewed(tmp_path, 200), ("-k", "2", "--effort", "low", "--format", "none")
    em("select", file, *more, "--type", "total spend=numeric|lognormal|log", "-o", "all.em", cwd=tmp_path)
    with (tmp_path / "all.em" / "selection.csv").open() as lines:
        rows = {(row["family"], row["k"]): float(row["bic"]) for row in csv.DictReader(lines)}
    assert len(rows) == 3
    for options, way in (
        (["--type", "total spend=lognormal"], "total spend=lognormal"),
        (["--transform", "total spend=log"], "total spend=log"),
        ([], "total spend=numeric"),
    ):
        em("fit", file, "-k", 2, *more[2:], *options, "-o", "one.em", "--force", cwd=tmp_path)
        assert params_of(tmp_path / "one.em")["bic"] == pytest.approx(rows[way, "2"], abs=0.01)
    chosen = params_of(tmp_path / "all.em")
    assert chosen["bic"] == pytest.approx(min(rows.values()))
    assert chosen["columns"][0]["type"] == "positive" or chosen["columns"][0]["transform"] == "log"
    told = em("predict", "all.em", file, cwd=tmp_path).out
    assert len(told.splitlines()) == 201
    screen = em("select", file, *more[:-1], "human", "--type", "total spend=numeric|lognormal", "--force", cwd=tmp_path)
    assert (
        "[2] total spend=lognormal" in screen.out and "Chosen by BIC (lower is better): total spend=log" in screen.out
    )
    em("report", "all.em", cwd=tmp_path)


def test_a_sweep_of_families_is_looked_at_too(tmp_path):
    """The options of one family are none of the other."""
    options = ("--family", "gaussian,student_t", "--set", "family.dof=common", "-k", 2, "--effort", "low")
    em("select", skewed(tmp_path, 200), *options, *ASKED, "-o", "s.em", cwd=tmp_path)
    assert "total spend" in said_of(params_of(tmp_path / "s.em"))


def test_a_search_finds_families(tmp_path):
    file, more = skewed(tmp_path, 200, counts=True), ("-k", "2", "--effort", "low", "--format", "none")
    em("select", file, *more, "--family", "search", "-o", "found.em", cwd=tmp_path)
    found = params_of(tmp_path / "found.em")
    types = {column["name"]: column for column in found["columns"]}
    assert found["n_components"] == 2 and types["visits"]["type"] == "count"
    assert types["total spend"]["type"] == "positive" or types["total spend"].get("transform") == "log"


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("fit", ["--type", "age=numeric|gamma"], "fit takes one family for a column"),
        ("fit", ["--family", "search"], "which is for em select"),
        ("select", ["--family", "search,gaussian"], "it stands alone"),
        ("select", ["--type", "age=numeric|categorical"], "none that others can be compared with"),
        ("select", ["--type", "age=numeric|gama"], "Did you mean 'gamma'"),
        ("select", ["--type", "age=numeric|poisson"], "cannot be taken as poisson"),
        ("select", ["--type", "nobody=numeric|gamma"], "column 'nobody' is not in"),
        ("select", ["--family", "search", "--noise"], "name families instead"),
    ],
)
def test_mistakes_of_comparing(command, options, said, tmp_path):
    status = 3 if "nobody" in options[-1] or "poisson" in options[-1] else 2
    k = ("-k", 2) if command == "fit" else ("-k", "1-2")
    assert said in em(command, skewed(tmp_path), *k, *options, cwd=tmp_path, status=status).err


def test_nothing_is_said_of_the_right_family(tmp_path):
    rng = np.random.default_rng(3)
    z = rng.random(200) < 0.5
    rows = np.stack([rng.normal(40, 4, 200) + 30 * z, rng.normal(90, 8, 200)]).round(2)
    (tmp_path / "n.csv").write_text("a,b\n" + "\n".join(f"{a},{b}" for a, b in rows.T) + "\n")
    em("fit", "n.csv", "-k", 2, *ASKED, "--out", "n.em", cwd=tmp_path)
    assert not said_of(params_of(tmp_path / "n.em"))


def test_months_are_advised_no_family():
    """Of few whole numbers, each in many rows, it is asked whether they are codes."""
    rng = np.random.default_rng(4)
    month, days = (np.minimum(rng.geometric(0.3, 300), most).astype(float) for most in (12, 40))
    said = [alternatives(Column("x", "numeric"), Group("gaussian", (0,)), values) for values in (month, days)]
    assert not said[0] and "negative_binomial" in [change.family for change in said[1]]


@pytest.mark.parametrize(("name", "highest"), [("hour", 23), ("WindDir", 360), ("month", 12), ("wind_direction", 355)])
def test_what_goes_round_is_advised_no_family(name, highest):
    """Whole numbers near zero may be counts, but not where the highest is next to the lowest."""
    rng = np.random.default_rng(6)
    x = np.append(rng.geometric(3 / highest, 80).clip(1, highest), highest).astype(float)
    asked = [alternatives(Column(own, "numeric"), Group("gaussian", (0,)), x) for own in (name, "size")]
    assert not asked[0] and "negative_binomial" in [change.family for change in asked[1]]


def test_advice_on_columns_of_long_names_is_whole():
    name = "time elapsed between the estimated onset and the diagnosis (in months)"
    assert shlex.split(Change(name, transform="log").option) == ["--transform", f"{name}=log"]


def test_covariances_that_are_too_many_are_no_matter_of_families(tmp_path):
    """A column that stands apart saves covariances, whatever its family: that is not said to be its merit."""
    x = np.random.default_rng(5).normal(50, 4, (8, 120)).round(2)
    (tmp_path / "w.csv").write_text(
        ",".join("abcdefgh") + "\n" + "\n".join(",".join(map(str, row)) for row in x.T) + "\n"
    )
    em("fit", "w.csv", "-k", 1, *ASKED, "--effort", "low", "-o", "w.em", cwd=tmp_path)
    assert not said_of(params_of(tmp_path / "w.em"))


def test_it_can_be_done_without_and_is_where_rows_are_many(tmp_path, monkeypatch):
    from em_cli.runs import other_families

    file = skewed(tmp_path)
    em("fit", file, "-k", 2, "--out", "shop.em", "--no-other-families", "--format", "none", cwd=tmp_path)
    assert not params_of(tmp_path / "shop.em")["warnings"]
    monkeypatch.setattr(other_families, "SAMPLE_ROWS", 299)
    em(
        "fit",
        file,
        "-k",
        2,
        "--out",
        "shop.em",
        "--format",
        "none",
        "--force",
        env={"EM_OTHER_FAMILIES": ""},
        cwd=tmp_path,
    )
    (warning,) = params_of(tmp_path / "shop.em")["warnings"]
    assert warning["code"] == "families_untried" and "total spend" in warning["message"]


@pytest.mark.parametrize(
    "options",
    [
        ("--set", "family.means=[[30, 31], [150, 50]]", "--family", "gaussian"),
        ("--prior", "weak"),
        ("--noise",),
        ("--family", "ppca", "-k", 1),
        ("--covariance", "diag"),
        ("--weights", "age"),
    ],
    ids=lambda options: options[0].lstrip("-"),
)
def test_it_goes_with_other_options(options, tmp_path):
    """What is advised can be followed beside them, or nothing is."""
    file, more = skewed(tmp_path), (*(() if "--set" in options else ("--effort", "low")), *ASKED, *options)
    k = () if "-k" in options else ("-k", 2)
    em("fit", file, *k, *more, "-o", "one.em", cwd=tmp_path)
    said = said_of(params_of(tmp_path / "one.em"))
    assert bool(said) == (options[0] in ("--covariance", "--weights"))
    if said:
        gain, follow = followed(said)
        em("fit", file, *k, *more, *follow, "-o", "two.em", cwd=tmp_path)
        bics = [params_of(tmp_path / name)["bic"] for name in ("one.em", "two.em")]
        assert gain <= bics[0] - bics[1] <= gain + 0.2


def test_families_that_do_not_go_with_the_algorithm_are_not_suggested(tmp_path):
    """Nor do they end the run: one that they were tried for has its fit."""
    file = skewed(tmp_path, counts=True)
    em("fit", file, "-k", 2, *ASKED, "--algorithm", "minibatch", "--restarts", 2, "-o", "one.em", cwd=tmp_path)
    said = said_of(params_of(tmp_path / "one.em"))
    assert "negative_binomial" not in said and "total spend as lognormal" in said
