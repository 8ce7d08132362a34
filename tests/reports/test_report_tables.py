"""Bars, cells, quantiles and lines: what they show is what the run says."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from shown import figure, fitted, picture, run, swept

from em_cli.engine.family import Ellipsoids
from em_cli.reports import discriminant, frequencies, page_tables
from em_cli.reports.criterion import chosen, missed, series
from em_cli.reports.finished_run import Rows, sample
from em_cli.reports.frequencies import table
from em_cli.reports.html import split_table
from em_cli.reports.levels import lines
from em_cli.reports.profile import standardised
from em_cli.reports.qq import distances, quantiles
from em_cli.reports.responsibilities import bars
from em_cli.reports.separation import information, most_separating
from em_cli.reports.trace import best_of, climbs_of_model
from em_cli.reports.uncertainty import ENDS, shares


def read(folder, name):
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["faithful", "penguins", "noisy", "known", "wind", "robust", "factors"])
def test_rows_are_those_that_were_fitted_with_their_responsibilities(name):
    seen, written = run(name), read(fitted(name), "responsibilities.csv")
    used = [written[number - 1] for number in seen.shown.numbers]
    columns = [*(f"p{k + 1}" for k in range(seen.k)), *seen.extra]
    wanted = np.array([[float(row[column]) for row in used] for column in columns])
    np.testing.assert_allclose(seen.shown.responsibilities, wanted, atol=1e-12)
    assert seen.shown.n == seen.document["n_samples"]
    np.testing.assert_allclose(seen.shown.mass.sum(), seen.document["sum_weights"], rtol=1e-12)


def test_stacked_bars_sum_to_one():
    heights = bars(run("iris"))
    np.testing.assert_allclose(heights.sum(axis=0), 1)
    with figure("iris", "responsibilities") as made:
        steps = [patch.get_data() for patch in made.axes[0].patches]
        for k, step in enumerate(steps):
            np.testing.assert_allclose(step.values - step.baseline, heights[k], atol=1e-12)
        np.testing.assert_allclose(steps[-1].values, 1)


def test_bars_of_uncertainty_count_the_rows():
    found, rows = shares(run("iris")), read(fitted("iris"), "responsibilities.csv")
    counts, _ = np.histogram([float(row["uncertainty"]) for row in rows], ENDS)
    np.testing.assert_allclose(found.sum(axis=0), counts / len(rows))
    np.testing.assert_allclose(found.sum(axis=1), np.bincount([int(row["component"]) - 1 for row in rows]) / len(rows))


def test_sizes_are_the_weights():
    with figure("penguins", "sizes") as made:
        widths = [patch.get_width() for patch in made.axes[0].patches]
    np.testing.assert_allclose(widths, run("penguins").document["weights"])


@pytest.mark.parametrize("name", ["penguins", "wind", "games"])
def test_frequencies_are_shares(name):
    for place in run(name).places(("count", "binary", "categorical"))[:1]:
        found = table(run(name), place)
        assert found.observed.sum() == pytest.approx(1)
        assert 0.97 < found.fitted.sum() < 1 + 1e-9


def test_fitted_counts_are_probabilities():
    seen = run("wind")
    place = seen.schema.names.index("gusts$_per_day$")
    own = next(g for g in seen.document["groups"] if g["family"] == "negative_binomial")
    found = table(seen, place)
    starts = [int(label.split("–")[0]) for label in found.labels]
    ends = [int(label.split("–")[-1]) for label in found.labels]
    for k in range(3):
        size, mean = own["sizes"][k][0], own["means"][k][0]
        law = stats.nbinom(size, size / (size + mean))
        wanted = [law.cdf(b) - law.cdf(a - 1) for a, b in zip(starts, ends, strict=True)]
        np.testing.assert_allclose(found.fitted[k], seen.weights[k] * np.array(wanted), rtol=1e-6, atol=1e-10)


def test_counts_that_are_far_apart(monkeypatch):
    """The same sums, whether the values are computed one by one or by those that stand for others."""
    seen = run("wind")
    place = seen.schema.names.index("gusts$_per_day$")
    wanted = table(seen, place)
    monkeypatch.setattr(frequencies, "LONGEST", 10)
    found = table(seen, place)
    assert found.labels == wanted.labels
    np.testing.assert_allclose(found.fitted, wanted.fitted, rtol=1e-12)
    monkeypatch.setattr(frequencies, "FINE", 2)
    values, each = frequencies._values(seen, place, 0, 500)
    assert len(values) < 100 and each.sum() == 500


def test_successes_are_expected_given_their_trials():
    seen = run("games")
    wins, games = seen.shown.x
    found, p = table(seen, 0), np.array(seen.document["probabilities"])[:, 0]
    for k in range(2):
        wanted = [stats.binom.pmf(int(label), games, p[k]).mean() for label in found.labels]
        np.testing.assert_allclose(found.fitted[k], seen.weights[k] * np.array(wanted), rtol=1e-9, atol=1e-14)
    assert seen.column(1).name not in picture("games", "frequencies").caption
    assert found.observed[found.labels.index("3")] == pytest.approx((wins == 3).mean())


def test_cells_of_the_heat_map_are_the_probabilities():
    seen = run("penguins")
    wanted = [component["probabilities"] for component in seen.document["components"]]
    for line in lines(seen, seen.places(("categorical",))):
        np.testing.assert_allclose(line.probabilities, [own[line.column][line.level] for own in wanted], atol=1e-12)
    with figure("penguins", "levels") as made:
        mesh = made.axes[0].collections[0].get_array()
        assert mesh.shape == (8, 3)
        np.testing.assert_allclose(mesh[:3].sum(axis=0), 1)


def test_profiles_are_standardised_means():
    seen = run("iris")
    means, sds = standardised(seen, range(4))
    weights = seen.weights
    np.testing.assert_allclose(weights @ means, 0, atol=1e-12)
    np.testing.assert_allclose(weights @ (means**2 + sds**2), 1)
    x = seen.shown.x
    np.testing.assert_allclose(
        means * x.std(axis=1) + x.mean(axis=1), [list(c["mean"].values()) for c in seen.document["components"]]
    )


def test_distances_of_normal_components_stand_against_chi_square():
    seen = run("iris")
    (group,) = seen.elliptic
    squared, size = distances(seen, group, 1)
    inverse = np.linalg.inv(seen.document["covariances"][1])
    away = seen.shown.x - np.array(seen.document["means"][1])[:, None]
    np.testing.assert_allclose(squared, np.einsum("in,ij,jn->n", away, inverse, away), rtol=1e-8)
    assert (size == 4).all()
    own = np.sort(squared[seen.shown.component == 1])
    found = quantiles(seen, group, 1)
    ranks = (np.arange(len(own)) + 0.5) / len(own)
    np.testing.assert_allclose(found.observed, np.sqrt(own), rtol=1e-8)
    np.testing.assert_allclose(found.expected, np.sqrt(stats.chi2.ppf(ranks, 4)), rtol=2e-3)
    assert (found.lower < found.expected).all() and (found.expected < found.upper).all()


def test_distances_of_t_components_stand_against_f():
    seen = run("robust")
    (group,) = seen.elliptic
    found = quantiles(seen, group, 1)
    n = len(found.expected)
    ranks = (np.arange(n) + 0.5) / n
    dof = seen.document["dof"][1]
    np.testing.assert_allclose(found.expected, np.sqrt(4 * stats.f.ppf(ranks, 4, dof)), rtol=5e-3)


def test_distances_with_missing_cells_stand_where_as_unlikely_ones_do():
    """All rows of one component lack a cell: as many of them are beyond as of those with all cells."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 400))
    x[2, ::2] = np.nan
    rows = Rows(x, None, np.ones((1, 400)), np.zeros(400), np.arange(400), 400)
    seen = run("iris")
    alone = type(seen)(**{name: getattr(seen, name) for name in seen.__slots__} | {"rows": rows})
    group = Ellipsoids((0, 1, 2), np.zeros((1, 3)), np.eye(3)[None], None)
    squared, size = distances(alone, group, 0)
    np.testing.assert_allclose(squared, np.nansum(x**2, axis=0))
    assert set(size.tolist()) == {2, 3}
    found = quantiles(alone, group, 0)
    assert np.corrcoef(found.expected, found.observed)[0, 1] > 0.995
    assert ((found.observed < found.lower) | (found.observed > found.upper)).mean() < 0.1


def test_discriminants_are_those_of_labelled_rows():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    seen = run("known")
    found = discriminant.projection(seen.shown, range(3), 3)
    theirs = LinearDiscriminantAnalysis(solver="eigen").fit(seen.shown.x.T, seen.shown.component)
    ours = found.coefficients / seen.shown.x.std(axis=1)[:, None]
    for direction in range(2):
        a, b = ours[:, direction], theirs.scalings_[:, direction]
        assert abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b) == pytest.approx(1, abs=1e-6)


def test_two_components_are_seen_from_two_directions():
    found = discriminant.projection(run("robust").shown, range(4), 2)
    a, b = found.matrices
    weights = run("robust").shown.mass.sum(axis=1)
    np.testing.assert_allclose((weights[0] * a + weights[1] * b) / weights.sum(), np.eye(2), atol=1e-9)
    assert abs(found.means[0, 0] - found.means[1, 0]) > abs(found.means[0, 1] - found.means[1, 1])


def test_the_columns_that_tell_most_are_chosen():
    seen = run("iris")
    single = [information(seen, [place]) for place in range(4)]
    assert most_separating(seen, range(4), 1) == [int(np.argmax(single))]
    pair = most_separating(seen, range(4), 2)
    assert information(seen, pair) == max(information(seen, [pair[0], other]) for other in range(4) if other != pair[0])
    names = [seen.column(place).name for place in sorted(pair)]
    assert picture("iris", "scatter").caption.startswith(f"{names[1]} against {names[0]}")
    assert "These 2 of 4 columns" in picture("iris", "scatter").caption
    entropy = -(seen.weights * np.log(seen.weights)).sum()
    assert 0 < single[1] < information(seen, [0, 1, 2, 3]) < entropy


def test_climbs_end_below_the_best_on_top():
    seen = run("iris")
    climbs = climbs_of_model(seen)
    best = best_of(climbs)
    assert best.values[-1] == pytest.approx(seen.document["log_likelihood"], abs=1e-6)
    assert len(climbs) == len(read(fitted("iris"), "restarts.csv"))
    with figure("iris", "trace") as made:
        axes = made.axes[0]
        drawn = sum(len(found.get_segments()) for found in axes.collections)
        assert drawn == len(climbs) - 1
        heavy = max(axes.lines, key=lambda line: line.get_linewidth())
        np.testing.assert_allclose(heavy.get_ydata(), np.maximum(best.values[-1] - best.values, 1e-3))
        low, high = axes.get_ylim()
        assert low > high, "the best is on top"
        marked = sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() in "^vX")
    jumps = [
        row
        for row in read(fitted("iris"), "restarts.csv")
        if any(w in row["start"] for w in ("split", "merge", "cross"))
    ]
    assert marked == len(jumps)


def test_the_criterion_is_that_of_the_table():
    seen, rows = run("swept"), read(swept(), "selection.csv")
    found = series(seen)
    assert set(found) == {"VVV (full)", "EEE (tied)"}
    with figure("swept", "criterion") as made:
        axes = made.axes[0]
        drawn = {line.get_label(): line for line in axes.lines if len(line.get_xdata()) > 1}
        for label, models in found.items():
            covariance = label.split("(")[1].rstrip(")")
            wanted = [float(row["bic"]) for row in rows if row["covariance"] == covariance and row["bic"]]
            np.testing.assert_allclose(drawn[label].get_ydata(), wanted)
            bands = [band.get_paths()[0].vertices for band in axes.collections]
            lowest = min(model["bic"] - missed(model) for model in models)
            assert any(np.isclose(vertices[:, 1].min(), lowest) for vertices in bands)
        (ring,) = [line for line in axes.lines if line.get_markersize() > 10]
        best = min(float(row["bic"]) for row in rows if row["bic"])
        assert ring.get_ydata()[0] == pytest.approx(best) == chosen(seen)["bic"]


def test_models_that_were_searched_lightly_say_so():
    seen = run("swept")
    light = tuple(row | {"depth": "light" if row["k"] == 4 else "deep"} for row in seen.selection)
    said = page_tables.selection(replace(seen, selection=light))
    assert said.count("searched lightly") == sum(row["k"] == 4 for row in light) + 1 and page_tables.LIGHTLY in said


def test_a_sample_is_the_same_each_time():
    kept = sample(100_000)
    assert len(kept) == len(set(kept)) == 20_000
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(kept, sample(100_000))
    np.testing.assert_array_equal(sample(7), np.arange(7))


@pytest.mark.parametrize("n", [0, 1, 4, 5, 8, 9])
def test_a_table_too_wide_for_paper_comes_in_parts_that_hold_all_of_it(n):
    headings = ["column", "type", *(f"c{j}" for j in range(n))]
    rows = [[f"r{i}", "number", *(f"{i}.{j}" for j in range(n))] for i in range(3)]
    tables = split_table("All", headings, rows, fixed=2, most=4).split("</table>")[:-1]
    cells = [[re.findall(r"<t[hd][^>]*>([^<]*)", line) for line in table.split("<tr>")[1:]] for table in tables]
    for place, whole in enumerate([headings, *rows]):
        assert all(lines[place][:2] == whole[:2] and len(lines[place]) <= 6 for lines in cells)
        assert [cell for lines in cells for cell in lines[place][2:]] == whole[2:]
