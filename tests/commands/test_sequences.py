"""Hidden Markov models on the command line: what is read, written, refused, and said of rows to come."""

import csv
import json
from io import StringIO
from statistics import NormalDist

import numpy as np
import pytest
from program import em

from em_cli.reports.residuals import Residuals, found_in
from em_cli.runs.read_back import read_run
from em_cli.search.starting_values import windows, with_neighbours


def rows_of(text):
    return list(csv.DictReader(StringIO(text)))


def chain(rng, n, stay=0.9):
    states = np.zeros(n, int)
    for t in range(1, n):
        states[t] = states[t - 1] if rng.random() < stay else 1 - states[t - 1]
    return states


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """Visits of patients, out of order; some are missing, some have lost cells."""
    folder, rng = tmp_path_factory.mktemp("visits"), np.random.default_rng(5)
    lines = []
    for patient, n in (("a", 40), ("b", 1), ("c", 25), ("d", 60)):
        states = chain(rng, n)
        for day in range(n):
            if day and rng.random() < 0.1:
                continue
            value = "" if rng.random() < 0.05 else f"{rng.normal(3 * states[day], 1):.3f}"
            mood = ["low", "high"][int(rng.random() < 0.2 + 0.6 * states[day])]
            lines.append(f"{patient},{np.datetime64('2024-01-01') + np.timedelta64(day, 'D')},{value},{mood}")
    order = rng.permutation(len(lines))
    (folder / "visits.csv").write_text("\n".join(["patient,day,value,mood", *(lines[i] for i in order)]) + "\n")
    em("fit", "visits.csv", "-o", "visits.em", "-k", "2", "--latent", "markov", "--sequence", "patient",
       "--order", "day", "--step", "1d", "-q", cwd=folder)  # fmt: skip
    return folder


def test_a_fit_writes_states_of_every_row_where_it_stands_in_the_file(visits):
    document = json.loads((visits / "visits.em/params.json").read_text())
    read = rows_of((visits / "visits.csv").read_text())
    written = rows_of((visits / "visits.em/responsibilities.csv").read_text())
    assert [row["row"] for row in written] == [str(n + 1) for n in range(len(read))]
    assert document["n_sequences"] == 4 and document["n_steps"] == 126 > document["n_samples"] == len(read)
    assert document["n_parameters"] == 2 + 1 + 2 * 2 + 2 and document["n_for_bic"] == len(read)
    assert np.allclose(np.sum(document["transmat"], axis=1), 1) and np.sum(document["startprob"]) == pytest.approx(1)
    assert np.allclose(np.array(document["stationary"]) @ document["transmat"], document["stationary"])
    heights = sum(float(row["log_density"]) for row in written)
    assert heights == pytest.approx(document["log_likelihood"], rel=1e-10)
    values = [float(r["value"]) for r, w in zip(read, written, strict=True) if r["value"] and w["state_viterbi"] == "1"]
    others = [float(r["value"]) for r, w in zip(read, written, strict=True) if r["value"] and w["state_viterbi"] == "2"]
    assert abs(np.mean(values) - np.mean(others)) > 2
    steps = rows_of((visits / "visits.em/transitions.csv").read_text())
    assert sum(float(row["expected_count"]) for row in steps) == pytest.approx(122)
    for row in steps:
        assert float(row["probability"]) == document["transmat"][int(row["from"]) - 1][int(row["to"]) - 1]


def test_new_rows_are_scored_as_the_fitted_ones_were(visits):
    written = (visits / "visits.em/responsibilities.csv").read_text()
    assert em("predict", "visits.em", "visits.csv", cwd=visits).out == written
    document = json.loads((visits / "visits.em/params.json").read_text())
    scored = json.loads(em("score", "visits.em", "visits.csv", cwd=visits).out)
    for name in ("log_likelihood", "bic", "n_parameters"):
        assert scored[name] == pytest.approx(document[name], rel=1e-12)
    rows = rows_of(em("score", "visits.em", "-", "--rows", cwd=visits, stdin=(visits / "visits.csv").read_text()).out)
    assert [row["log_density"] for row in rows] == [row["log_density"] for row in rows_of(written)]
    complete = em("impute", "visits.em", "visits.csv", cwd=visits).out
    assert ",," not in complete and len(rows_of(complete)) == len(rows)
    assert em("fit", "--verify", "visits.em", "-q", cwd=visits, env={"EM_OTHER_FAMILIES": ""}).status == 0


def test_filtered_states_know_nothing_of_the_future_and_forecasts_follow(visits):
    lines = (visits / "visits.csv").read_text().splitlines()
    header, mine = lines[0], sorted(line for line in lines if line.startswith("d,"))
    command = ["predict", "visits.em", "-", "--decode", "filter"]
    whole = rows_of(em(*command, "--horizon", "3", cwd=visits, stdin="\n".join([header, *mine])).out)
    part = rows_of(em(*command, cwd=visits, stdin="\n".join([header, *mine[:20]])).out)
    assert not {"component", "p1", "state_viterbi"} & whole[0].keys()
    for one, other in zip(part, whole[:20], strict=True):
        assert float(one["filtered1"]) == pytest.approx(float(other["filtered1"]), rel=1e-9)
    ahead = whole[len(mine) :]
    assert [(row["step"], row["patient"], row["row"]) for row in ahead] == [(str(h), "d", "") for h in (1, 2, 3)]
    law = np.array(json.loads((visits / "visits.em/params.json").read_text())["transmat"])
    last = np.array([float(whole[len(mine) - 1][f"filtered{k}"]) for k in (1, 2)])
    for row in ahead:
        last = last @ law
        assert np.allclose([float(row["filtered1"]), float(row["filtered2"])], last)
        assert float(row["sd_value"]) > 0 and row["mean_value"]


def test_pseudo_residuals_of_drawn_rows_are_standard_normal(visits):
    drawn = em("sample", "visits.em", "-n", "500", "--sequences", "2", cwd=visits).out
    document = json.loads((visits / "visits.em/params.json").read_text())
    lines = [f"{line},day" if not n else f"{line},{(n - 1) % 500}" for n, line in enumerate(drawn.splitlines())]
    rows = rows_of(em("score", "visits.em", "-", "--residuals", "--step", "1", cwd=visits, stdin="\n".join(lines)).out)
    assert list(rows[0]) == ["row", "residual_value", "residual_mood"]
    for name in ("mood", "value"):
        found = np.array([float(row[f"residual_{name}"]) for row in rows])
        assert abs(found.mean()) < 0.12 and abs(found.std() - 1) < 0.08
        assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.1
    first = float(rows_of(drawn)[0]["value"])
    normal = [NormalDist(m[0], c[0][0] ** 0.5) for m, c in normals(document)]
    below = sum(p * one.cdf(first) for p, one in zip(document["startprob"], normal, strict=True))
    assert found[0] == pytest.approx(NormalDist().inv_cdf(below), abs=1e-5)


def test_the_picture_of_pseudo_residuals_shows_those_that_are_told(visits):
    """Of the very rows: sequences with gaps in time and missing cells, out of order in the file."""
    told = rows_of(em("score", "visits.em", "visits.csv", "--residuals", cwd=visits).out)
    run = read_run(str(visits / "visits.em"))
    shown = found_in(run, Residuals().columns(run))
    for place, name in enumerate(("value", "mood")):
        own = sorted(float(row[f"residual_{name}"]) for row in told if row[f"residual_{name}"])
        # a level's place is drawn by the order of the rows: its cells are other ones in time
        assert len(shown[place]) == len(own)
        if name == "value":
            assert np.allclose(shown[place], own, atol=1e-9)
    made = em("plot", "visits.em", "--kind", "residuals", "--out", "residuals", cwd=visits)
    assert made.status == 0 and "normal" in made.out
    em("fit", "visits.csv", "-k", "2", "--columns", "value", "-o", "apart.em", "-q", cwd=visits)
    assert "do not follow each other" in em("plot", "apart.em", "--kind", "residuals", cwd=visits, status=2).err


def normals(document):
    """Means and covariances of the Gaussian group."""
    (own,) = [group for group in document["groups"] if "means" in group]
    return zip(own["means"], own["covariances"], strict=True)


def test_drawn_sequences_follow_the_chain(visits):
    rows = rows_of(em("sample", "visits.em", "-n", "400", "--sequences", "3", "--labels", cwd=visits).out)
    assert list(rows[0]) == ["patient", "value", "mood", "component"] and len(rows) == 1200
    states = np.array([int(row["component"]) - 1 for row in rows]).reshape(3, 400)
    law = json.loads((visits / "visits.em/params.json").read_text())["transmat"]
    stays = (states[:, 1:] == states[:, :-1])[states[:, :-1] == 0].mean()
    assert stays == pytest.approx(law[0][0], abs=0.06)


def test_the_summary_and_pictures_know_of_states(visits):
    shown = em("show", "visits.em", cwd=visits).out
    assert "hidden Markov model, " in shown and "4 sequences, 126 steps" in shown and "lasts" in shown
    em("plot", "visits.em", "--kind", "sizes", "--out", "drawn", cwd=visits)


LEFT_RIGHT = "latent.transitions=left-right"


@pytest.mark.parametrize(
    ("rows", "options", "status", "said"),
    [
        ("a,1,2 b,1,3 a,2,4", "--sequence s", 3, ["row 3", "'a'", "comes back", "--order"]),
        ("a,1,2 a,2,3 a,1,4", "--order t", 3, ["rows 1 and 3", "same time", "--sequence"]),
        (
            "a,1,2 a,2,3 b,1,5 a,1,4",
            "--sequence s --order t",
            3,
            ["rows 1 and 4", "of one sequence, by column 's': leave"],
        ),
        ("a,1,2 a,2.5,3 a,3,4", "--order t --step 1", 3, ["row 2", "'2.5'", "whole number of steps"]),
        ("a,1,2 a,x,3 a,3,4", "--order t", 3, ["row 2", "'x'", "no time"]),
        ("a,2024-01-01,2 a,,3 a,2024-01-03,4", "--order t", 3, ["row 2", "empty"]),
        ("a,1,2 a,2,3 a,3,4", "--order t --step 1d", 2, ["numbers", "--step 1"]),
        ("a,1,2 a,2,3 a,3,4", "--order t --step fortnight", 2, ["'fortnight'", "1d"]),
        ("a,1,2 a,2,3 a,99999999,4", "--order t --step 1", 3, ["99,999,999 steps", "larger --step"]),
        ("a,1,2 ,2,3 a,3,4", "--sequence s", 3, ["row 2", "empty"]),
        ("a,1,2 a,2,3 a,3,4", "--step 1", 2, ["--order"]),
        ("a,1,2 a,2,3 a,3,4", "--exclude s --weights t", 3, ["row 2", "whole sequences"]),
        ("a,1,2 b,2,3 c,3,4", "--sequence s", 3, ["each of 3 sequences has one row", "not 's'"]),
        ("a,1,2 a,2,3 a,3,4", "--sequence s --missing drop", 2, ["gaps", "--missing drop"]),
        ("a,1,2 a,2,3 a,3,4", "--sequence s --set latent.transitions=[[1]]", 2, ["1 state", "-k"]),
        ("a,1,2 a,2,3 a,3,4", "--sequence s --set latent.transitions=[[1,1],[0,1]]", 2, ["row 1 is 2"]),
        ("a,1,2 a,2,3 a,3,4", "--sequence s --set latent.initial=[1,1]", 2, ["sum to one"]),
        ("a,1,2 a,2,3 a,3,4", f"--sequence s --set {LEFT_RIGHT} --set latent.initial=stationary", 2, ["left to right"]),
        ("a,1,2 a,2,3 a,3,4", "--sequence s --noise", 2, ["contradict"]),
    ],
)
def test_what_is_no_sequence_is_refused_with_row_and_remedy(tmp_path, rows, options, status, said):
    (tmp_path / "x.csv").write_text("s,t,v\n" + "\n".join(rows.split()) + "\n")
    command = ["fit", "x.csv", "-k", "2", "--latent", "markov", *options.split()]
    last = em(*command, cwd=tmp_path, status=status).err.strip().splitlines()[-1]
    assert all(words in last for words in said), last
    assert not list(tmp_path.glob("x*.em"))


def test_options_of_sequences_are_refused_where_rows_are_independent(visits, tmp_path):
    (tmp_path / "x.csv").write_text("s,v\na,1\na,2\nb,3\n")
    assert "--latent markov" in em("fit", "x.csv", "-k", "1", "--sequence", "s", cwd=tmp_path, status=2).err
    em("fit", "x.csv", "--out", "x.em", "-k", "1", "--columns", "v", "-q", cwd=tmp_path)
    for options in (["--decode", "filter"], ["--horizon", "2"]):
        assert "do not" in em("predict", "x.em", "x.csv", *options, cwd=tmp_path, status=2).err
    assert "independent" in em("sample", "x.em", "-n", "3", "--sequences", "2", cwd=tmp_path, status=2).err
    command = ["predict", "visits.em", "visits.csv", "--decode", "viterbi"]
    assert "path" in em(*command, "--horizon", "1", cwd=visits, status=2).err


def test_fixed_transitions_and_weights_of_sequences(tmp_path):
    rng, lines, twice = np.random.default_rng(1), ["s,w,v"], ["s,v"]
    for sequence, weight in (("a", 1), ("b", 2)):
        values = [f"{v:.2f}" for v in rng.normal(5 * np.sort(chain(rng, 50)))]
        lines += [f"{sequence},{weight},{value}" for value in values]
        twice += [f"{sequence}{number},{value}" for number in range(weight) for value in values]
    (tmp_path / "x.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "twice.csv").write_text("\n".join(twice) + "\n")
    common = ["-k", "2", "--latent", "markov", "--sequence", "s", "--json", "-q"]

    def fitted(file, *options):
        return json.loads(em("fit", file, *common, *options, cwd=tmp_path).out)

    one, other = fitted("x.csv", "--weights", "w", "--set", LEFT_RIGHT), fitted("twice.csv", "--set", LEFT_RIGHT)
    assert one["log_likelihood"] == pytest.approx(other["log_likelihood"], abs=1e-3)
    assert one["startprob"] == [1, 0] and one["transmat"][1] == [0, 1] and one["n_parameters"] == 1 + 4
    fixed = fitted("twice.csv", "--set", "latent.transitions=[[0.9, null], [0, null]]")
    assert np.allclose(fixed["transmat"], [[0.9, 0.1], [0, 1]]) and fixed["n_parameters"] == 1 + 4


def test_a_chain_may_have_more_states_than_rows_differ(tmp_path):
    """Twice b, and then a for a while: after the first b comes the second, which the second does not know."""
    cells = "bb" + "bb".join("a" * n for n in (3, 4, 6, 3, 5, 4, 3, 6, 5, 4, 3, 5))
    (tmp_path / "x.csv").write_text("\n".join(["v", *cells]) + "\n")
    command = ("fit", "x.csv", "--effort", "low", "--json", "-q", "-k")
    two, three = (json.loads(em(*command, k, "--latent", "markov", cwd=tmp_path).out) for k in ("2", "3"))
    assert three["log_likelihood"] > two["log_likelihood"] + 8
    assert "2 distinct rows" in em(*command, "3", cwd=tmp_path, status=3).err


def test_rows_are_seen_among_their_neighbours_and_no_others():
    x, edges = np.array([[1.0, 2.0, 6.0, -4.0, 0.0]]), np.array([0, 3, 5])
    assert np.array_equal(with_neighbours(x, edges), [[0, 1, 5, -5, -1], [0, 0, 1, 0, -5], [1, 5, 0, -1, 0]])
    means, away = windows(x, edges, 1)
    assert np.allclose(means, [0.5, 2, 3, -3, -3]) and np.allclose(away[3:], [2, 2])


def test_a_run_goes_on_to_the_same_bytes_whatever_the_threads(visits):
    command = ["fit", "visits.csv", "-k", "2", "--latent", "markov", "--sequence", "patient", "--order", "day"]
    one, two = (em(*command, "--threads", n, "--json", "-q", cwd=visits).out for n in ("1", "2"))
    assert one == two


def test_chains_and_mixtures_stand_in_one_table(tmp_path):
    rng = np.random.default_rng(3)
    lines = ["v", *(f"{v:.3f}" for v in rng.normal(2.5 * chain(rng, 150)))]
    (tmp_path / "x.csv").write_text("\n".join([*lines[:60], "", *lines[60:]]) + "\n")
    command = ["select", "x.csv", "-k", "1,2", "--latent", "independent,markov", "--effort", "low", "-q"]
    table = rows_of(em(*command, "--out", "x.em", "--format", "csv", cwd=tmp_path).out)
    heights = {(row["model"], row["k"]): float(row["log_likelihood"]) for row in table}
    assert heights["V independent", "1"] == pytest.approx(heights["V markov", "1"], rel=1e-9)
    assert heights["V markov", "2"] > heights["V independent", "2"] + 20
    assert [row["model"] for row in table if row["note"].startswith("chosen")] == ["V markov"]
    assert json.loads((tmp_path / "x.em/params.json").read_text())["latent"] == "markov"
    said = em("fit", "x.csv", "-k", "2", "--latent", "independent,markov", "--force", cwd=tmp_path, status=2).err
    assert "em select compares them" in said
    said = em("select", "x.csv", "--latent", "independent,makov", "--force", cwd=tmp_path, status=2).err
    assert "Did you mean 'markov'" in said


def test_states_that_no_sequence_leaves_have_no_duration(tmp_path):
    """And a step away from there one; what is not at both has no error and no interval."""
    rng = np.random.default_rng(1)
    lines = [f"{s},{t},{rng.normal(4 * (s % 2)):.3f}" for s in range(12) for t in range(4)]
    (tmp_path / "kept.csv").write_text("\n".join(["s,t,x", *lines]) + "\n")
    chain = ("--latent", "markov", "--sequence", "s", "--order", "t", "-k", "2", "--se", "observed", "-q", "--force")
    em("fit", "kept.csv", *chain, "--restarts", "1", "-o", "kept.em", cwd=tmp_path)
    params = tmp_path / "kept.em/params.json"
    (tmp_path / "start.json").write_text(json.dumps(json.loads(params.read_text()) | {"transmat": [[1, 0], [0, 1]]}))
    em("fit", "kept.csv", *chain, "--start", "start.json", "--algorithm", "em", "-o", "kept.em", cwd=tmp_path)
    document = json.loads(params.read_text())
    assert document["mean_duration"] == [None, None] and document["stationary"] is None
    assert np.ravel(document["standard_errors"]["observed"]["means"]).min() > 0
    em("bootstrap", "kept.em", "-B", "30", "--searched", "0", "-q", cwd=tmp_path)
    told = {row["parameter"]: row["verdict"] for row in rows_of((tmp_path / "kept.em/intervals.csv").read_text())}
    assert told["means[1][1]"] == "ok" and "mean_duration[1]" not in told
