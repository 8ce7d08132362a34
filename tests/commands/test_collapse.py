"""Where components collapse: what is fitted all the same, what is said of it, and what is never compared."""

import csv
import io
import json
import shlex
from unittest.mock import Mock

import numpy as np
import pytest
from program import em

from em_cli.outputs.selection import Selection
from em_cli.runs.at_fault import of_columns
from em_cli.runs.warnings import warn_of_choice
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read


def table(columns: dict[str, np.ndarray]) -> str:
    lines = [",".join(columns), *(",".join(map(repr, row)) for row in np.stack([*columns.values()], axis=1).tolist())]
    return "\n".join(lines) + "\n"


def noise(n: int, d: int, seed: int = 1) -> str:
    x = np.random.default_rng(seed).normal(size=(d, n)).round(4)
    return table({f"f{j}": own for j, own in enumerate(x)})


def tied(n: int = 200) -> str:
    """Diameters, most of which are zero."""
    rng = np.random.default_rng(3)
    small = np.arange(n) % 3 > 0
    return table({"size": np.where(small, 0.0, rng.integers(20, 90, n)), "wind": rng.normal(40, 9, n).round(2)})


def codes(document: dict) -> list[str]:
    return [warning["code"] for warning in document["warnings"]]


def said(document: dict, code: str) -> str:
    return next(warning["message"] for warning in document["warnings"] if warning["code"] == code)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep over pure noise on few rows: only one component has a sound fit."""
    folder = tmp_path_factory.mktemp("noise")
    (folder / "noise.csv").write_text(noise(14, 6))
    full = ("--covariance", "full", "--effort", "low")
    sweep = ("select", "noise.csv", "-k", "1-3", *full, "--strict", "--out", "run")
    human = em(*sweep, "--format", "human", cwd=folder, status=6).out
    return folder, human


def test_where_one_k_has_a_sound_fit_there_is_no_choice(swept):
    folder, human = swept
    document = json.loads((folder / "run" / "params.json").read_text())
    assert (document["n_components"], document["prior"]) == (1, "none")
    assert "no_choice" in codes(document) and "edge_of_range" not in codes(document)
    why = said(document, "no_choice")
    assert (
        "k = 1 alone has a sound fit, k = 2, 3 none (a component rests on no more than 7 " in why
        and "--prior weak compares them" in why
    )
    assert "Nothing to choose from: VVV (full), k = 1 is the only one with a sound fit." in human


def test_fits_with_a_prior_of_last_resort_are_in_the_table_without_a_criterion(swept):
    folder, _ = swept
    rows = list(csv.DictReader(io.StringIO((folder / "run" / "selection.csv").read_text())))
    assert [row["prior"] for row in rows] == ["none", "weak", "weak"]
    assert [row["bic"] != "" for row in rows] == [row["delta"] != "" for row in rows] == [True, False, False]
    assert all(row["log_likelihood"] and row["n_parameters"] for row in rows)
    assert all(row["note"].startswith("not ranked, under a weak prior") for row in rows[1:])


def test_a_fit_falls_back_on_the_same_prior(swept):
    folder, _ = swept
    full = ("--covariance", "full")
    alone = json.loads(em("fit", "noise.csv", "-k", 2, *full, "--effort", "low", "--json", cwd=folder).out)
    rows = list(csv.DictReader(io.StringIO((folder / "run" / "selection.csv").read_text())))
    assert alone["prior"] == "weak" and "weak_prior" in codes(alone) and "few_rows" not in codes(alone)
    assert alone["log_likelihood"] == pytest.approx(float(rows[1]["log_likelihood"]), abs=15)


def test_the_advice_to_compare_all_under_a_prior_works(swept):
    folder, _ = swept
    prior = ("--prior", "weak", "--effort", "low")
    sweep = ("select", "noise.csv", "-k", "1-3", *prior, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(em(*sweep, cwd=folder).out)))
    assert all(row["bic"] and row["delta"] and row["prior"] == "weak" for row in rows)


@pytest.mark.parametrize("rows", ["copies", "few"])
def test_one_component_always_has_a_fit(tmp_path, rows):
    """Of columns that are copies, asked for by name, or of fewer rows than columns."""
    a = np.random.default_rng(2).normal(size=40).round(3)
    (tmp_path / "x.csv").write_text(table({"a": a, "b": a}) if rows == "copies" else noise(8, 12))
    more = ("--columns", "a,b") if rows == "copies" else ()
    document = json.loads(em("fit", "x.csv", "-k", 1, *more, "--json", cwd=tmp_path).out)
    assert document["prior"] == ("none" if rows == "copies" else "weak")
    assert "few_rows" not in codes(document) and np.isfinite(document["log_likelihood"])


def test_copies_asked_for_change_no_group(tmp_path):
    """A copy is no narrower in a component than in all data: that is no collapse."""
    rng = np.random.default_rng(4)
    a = (rng.normal(size=90) + 6.0 * (np.arange(90) % 3 == 0)).round(3)
    (tmp_path / "x.csv").write_text(table({"a": a, "b": a}))
    both, alone = (
        json.loads(em("fit", "x.csv", "-k", 2, "--columns", own, "--out", own, "--json", cwd=tmp_path).out)
        for own in ("a,b", "a")
    )
    assert both["prior"] == "none"
    assert both["weights"] == pytest.approx(alone["weights"], abs=0.02)


def test_the_column_and_the_value_at_fault_are_named(tmp_path):
    (tmp_path / "tied.csv").write_text(tied())
    document = json.loads(em("fit", "tied.csv", "-k", 2, "--family", "gaussian", "--json", cwd=tmp_path).out)
    assert "collapsed (its variance is at the resolution of the data: size is 0 in 66% of the rows)" in said(
        document, "weak_prior"
    )
    assert document["search"]["reached"] > 0


def test_where_all_are_under_a_prior_they_are_compared(tmp_path):
    """Fewer rows than columns: not even one component has a covariance."""
    (tmp_path / "x.csv").write_text(noise(8, 12))
    sweep = ("select", "x.csv", "-k", "1-2", "--covariance", "full", "--effort", "low", "--json")
    found = json.loads(em(*sweep, cwd=tmp_path).out)
    assert [row["bic"] is not None for row in found["selection"]] == [True, True]
    assert "weak_prior" in codes(found) and "no_choice" not in codes(found)
    assert "--covariance diag has fewer parameters" in said(found, "weak_prior")


@pytest.mark.parametrize(
    ("prior", "ks", "doubtful"),
    [
        ("weak", (1, 2, 5), True),
        ("none", (1, 2, 5), True),
        ("weak", (1, 2, 4, 5, 6), False),
        ("none", (4, 5, 6), False),
    ],
)
def test_a_choice_beside_numbers_of_components_without_a_fit_is_doubtful(prior, ks, doubtful):
    """Of one to seven components these have a sound fit, and five are chosen."""
    rows = [{"k": k, "model": "VVV", "prior": prior, "bic": 1.0 if k in ks else None, "note": ""} for k in range(1, 8)]
    rows[4]["note"] = "chosen"
    unranked = tuple((row, "it collapsed") for row in rows if row["bic"] is None)
    record = Mock()
    warn_of_choice(Selection("bic", tuple(rows), None, "", unranked=unranked), None, record)
    warned = [(call.args[1], call.kwargs.get("doubtful", True)) for call in record.warn.call_args_list]
    unknown = "Whether k = 5 is better than k = 4 or 6 is not known."
    assert [unknown in message for message, _ in warned] == ([doubtful] if doubtful or prior == "weak" else [])
    assert all(own is doubtful for _, own in warned)


def wordy(n: int = 40, columns: int = 60) -> str:
    """Categories of half as many levels as there are rows."""
    rng = np.random.default_rng(5)
    lines = [",".join(["x", *(f"t{j}" for j in range(columns))])]
    lines += [",".join([str(i % 7 + i / 9), *(f"w{w}" for w in rng.integers(0, 22, columns))]) for i in range(n)]
    return "\n".join(lines) + "\n"


def gappy(n: int = 40, columns: int = 30) -> str:
    """Numbers of which few are seen, such as stations that were read now and then."""
    rng = np.random.default_rng(8)
    x = rng.standard_normal((n, columns))
    seen = rng.random((n, columns)) < 0.15
    lines = [",".join(f"{v:.4f}" if s else "" for v, s in zip(*row, strict=True)) for row in zip(x, seen, strict=True)]
    return "\n".join([",".join(f"s{j}" for j in range(columns)), *lines]) + "\n"


@pytest.mark.parametrize("data", [noise(10, 60), wordy(), gappy()], ids=["covariances", "levels", "gaps"])
def test_what_cannot_be_is_said_before_the_search_and_the_advice_works(tmp_path, data):
    (tmp_path / "x.csv").write_text(data)
    err = em("fit", "x.csv", "-k", 3, "--covariance", "full", cwd=tmp_path, status=3).err
    assert "k = 3 would have " in err and "more than these can tell" in err
    advice = err.partition(" Try ")[2]
    way = shlex.split(advice.partition("(")[2].partition(")")[0]) or ["--covariance", "diag"]
    assert " ".join(way) in advice
    em("fit", "x.csv", "-k", 3, "--effort", "low", *way, cwd=tmp_path)


def grouped(n: int, k: int, d: int, together: float) -> tuple[str, list[int]]:
    """Groups that differ in their means, of columns that share so much of their deviations; and which is whose."""
    rng = np.random.default_rng(6)
    truth = np.arange(n) % k
    x = rng.normal(size=(d, n)) + 1.2 * (np.arange(d)[:, None] % k == truth) * 3
    x += together * rng.normal(size=(d, 2)) @ rng.normal(size=(2, n))
    return table({f"f{j}": own.round(3) for j, own in enumerate(x)}), truth.tolist()


@pytest.mark.parametrize(
    ("n", "k", "d", "together", "structure"),
    [
        (60, 3, 9, 1, "full"),
        (59, 3, 9, 1, "tied"),
        (22, 3, 9, 1, "diag"),
        (22, 3, 4, 1, "full"),
        (30, 1, 9, 0, "full"),
        (45, 2, 12, 0, "diag"),
    ],
)
def test_where_rows_are_few_for_full_covariances_a_simpler_structure_is_taken(tmp_path, n, k, d, together, structure):
    """Full matrices of so few rows followed single ones."""
    text, truth = grouped(n, k, d, together)
    (tmp_path / "x.csv").write_text(text if together else noise(n, d))
    document = json.loads(em("fit", "x.csv", "-k", k, "--json", "--out", "run", cwd=tmp_path).out)
    few = structure != "full"
    assert (document["covariance_type"], "simpler_covariance" in codes(document)) == (structure, few)
    asked = json.loads(em("fit", "x.csv", "-k", k, "--json", "--covariance", structure, cwd=tmp_path).out)
    assert document["log_likelihood"] == asked["log_likelihood"] and "simpler_covariance" not in codes(asked)
    if few:
        assert f"(--covariance {structure})" in said(document, "simpler_covariance")
    if structure == "tied":
        labels = [line.split(",")[1] for line in (tmp_path / "run" / "responsibilities.csv").read_text().splitlines()]
        assert len(set(zip(labels[1:], truth, strict=True))) == k


def test_where_rows_are_few_a_sweep_compares_simpler_structures_too(tmp_path):
    (tmp_path / "x.csv").write_text(grouped(59, 3, 14, 1)[0])
    sweep = em("select", "x.csv", "-k", "1-4", "--effort", "low", "--out", "run", "--format", "csv", cwd=tmp_path)
    rows = list(csv.DictReader(io.StringIO(sweep.out)))
    assert {row["covariance"] for row in rows} == {"full", "tied", "diag"} and "full,tied,diag" in sweep.err
    chosen = json.loads((tmp_path / "run" / "params.json").read_text())
    assert (chosen["n_components"], chosen["covariance_type"]) == (3, "tied")


def test_few_rows_are_said_of_what_is_promised_of_other_families_too(tmp_path):
    rng = np.random.default_rng(7)
    side = np.arange(50) % 2
    x = rng.normal(3, 0.5, (8, 50)) + 2 * side
    x[:2] = np.exp(1.2 * rng.normal(size=(2, 50)) + 1.5 * side)
    (tmp_path / "x.csv").write_text(table({f"f{j}": own.round(3) for j, own in enumerate(x)}))
    before = json.loads(em("fit", "x.csv", "-k", 3, "--json", "--other-families", cwd=tmp_path).out)
    advice = said(before, "other_family").partition(": ")[2]
    assert advice.endswith(f" --covariance {before['covariance_type']}") and before["covariance_type"] != "full"
    after = json.loads(em("fit", "x.csv", "-k", 3, "--json", *shlex.split(advice), cwd=tmp_path).out)
    assert after["bic"] < before["bic"]


@pytest.mark.parametrize(
    ("n_items", "k", "fewer"),
    [(2, 3, "only -k 1 has"), (1, 2, "only -k 1 has"), (4, 4, "-k 3 has"), (4, 2, ""), (2, 1, "")],
)
def test_more_parameters_than_the_combinations_of_levels_have_shares_is_said(tmp_path, n_items, k, fewer):
    items = (np.random.default_rng(5).random((n_items, 300)) < 0.4).astype(int)
    items[0] |= items[-1] & (np.arange(300) % 3 > 0)
    (tmp_path / "d.csv").write_text(table({f"q{j}": own for j, own in enumerate(items)}))
    document = json.loads(em("fit", "d.csv", "-k", str(k), "--effort", "low", cwd=tmp_path).out)
    assert ("not_identified" in codes(document)) == bool(fewer)
    if fewer:
        assert fewer in said(document, "not_identified")
        em("fit", "d.csv", "-k", str(k), "--effort", "low", "--strict", "--force", cwd=tmp_path, status=6)


def test_columns_that_others_nearly_tell_are_named(tmp_path):
    a, b, d, rest = np.random.default_rng(8).normal(size=(4, 200))
    (tmp_path / "x.csv").write_text(table({"a": a, "b": b, "c": a + b + rest / 500, "d": d}))
    data = read([str(tmp_path / "x.csv")], ReadOptions())
    at_fault = of_columns(data, (1, 2))
    assert at_fault.words.endswith("tell all but 0.01% of the variance of b, c") and at_fault.remedy == "--exclude b"
    assert of_columns(data, (3,)).words == "along d"
