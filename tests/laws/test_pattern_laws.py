"""Rows grouped by their missing cells: what is found does not depend on how the groups are gone through."""

from dataclasses import replace

import numpy as np
import pytest
from cases.gaussian import normal_of_all, scipy_gaussian
from support import bound_model, component_log_density, responsibilities, rows, start, with_gaps

from em_cli.engine import equal_rows
from em_cli.engine.arrays import map_arrays, stack
from em_cli.engine.column_summary import summarize
from em_cli.engine.equal_rows import Copies, hashes, multiplicity
from em_cli.engine.passes import one_pass
from em_cli.engine.patterns import codes, decoded, grouped
from em_cli.engine.plan import Stack
from em_cli.engine.row_sums import features_of
from em_cli.engine.rows import Here, Source
from em_cli.families.gaussian import patterns
from em_cli.families.gaussian.options import Gaussian
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

each_separation = pytest.mark.parametrize("separation", [2.5, 1e5])
each_structure = pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
K = 3


def gappy(d: int, n: int, separation: float = 2.5):
    x, labels = rows(("real",) * d, 31, n, separation)
    return with_gaps(x, 0.3, 31), labels


class Scene:
    """Parameters for rows with gaps, and what a pass finds there."""

    def __init__(self, covariance: str, d: int, n: int, separation: float) -> None:
        self.x, labels = gappy(d, n, separation)
        self.model = bound_model(Gaussian(covariance), InMemory(self.x), K)
        r = responsibilities(31, labels, K, 0.1 if separation < 10 else 0.0)
        self.at = stack([start(self.model, self.x, r)])

    def found(self, source: Source):
        batch = one_pass([Stack(self.model, self.at)], source, Serial())[0]
        return batch.log_likelihood, batch.statistics.components


@pytest.mark.parametrize("d", [1, 3, 52, 53, 120])
def test_codes_tell_the_patterns(d):
    missing = np.random.default_rng(d).random((d, 300)) < 0.3
    x = np.where(missing, np.nan, 0.0)
    groups = grouped(codes(x))
    order = np.arange(300) if groups.order is None else groups.order
    for pattern, some in zip(decoded(groups.codes, d), groups.slices, strict=True):
        assert (missing[:, order[some]] == pattern[:, None]).all()
    assert len(groups.slices) == len(np.unique(missing, axis=1).T)


@each_separation
def test_more_columns_than_a_code_has_digits(separation):
    x, labels = gappy(60, 100, separation)
    model = bound_model(Gaussian("full"), InMemory(x), K)
    at = start(model, x, responsibilities(31, labels, K, 0.3 if separation < 10 else 0.0))
    expected = scipy_gaussian(model.family, model.to_document(at), x)
    assert np.allclose(component_log_density(model.family, at.components, x), expected, rtol=1e-7)


@each_structure
@each_separation
def test_the_order_of_the_rows_does_not_matter(covariance, separation):
    scene = Scene(covariance, 4, 5000, separation)
    source = InMemory(scene.x).in_pattern_order()
    assert isinstance(source, InMemory)
    assert np.array_equal(source.x, scene.x[:, np.lexsort(codes(scene.x)[::-1])], equal_nan=True)
    assert source.in_pattern_order() is source
    marked = InMemory(scene.x, scene.x[0] ** 2, np.arange(5000), 700).in_pattern_order()
    assert isinstance(marked, InMemory) and marked.block_rows == 700
    assert np.array_equal(scene.x[:, marked.labels], source.x, equal_nan=True)
    assert np.array_equal(marked.weights, source.x[0] ** 2, equal_nan=True)
    for mine, its in zip(scene.found(InMemory(scene.x)), scene.found(source), strict=True):
        assert np.allclose(mine, its, rtol=1e-9, atol=1e-9 * np.abs(mine).max())


@pytest.mark.parametrize("covariance", ["full", "tied"])
@each_separation
def test_few_patterns_at_a_time_change_nothing(monkeypatch, covariance, separation):
    scene = Scene(covariance, 5, 3000, separation)
    whole = scene.found(InMemory(scene.x))
    monkeypatch.setattr(patterns, "AT_ONCE", 1)
    for mine, its in zip(scene.found(InMemory(scene.x)), whole, strict=True):
        assert np.allclose(mine, its, rtol=1e-10, atol=1e-10 * np.abs(its).max())


@each_separation
def test_patterns_in_any_order_are_gone_through_once(monkeypatch, separation):
    """Beside columns of another family, rows stand in the order of the gaps of all columns."""
    scene, at_once = Scene("full", 5, 400, separation), 7
    monkeypatch.setattr(patterns, "AT_ONCE", at_once * K * 36)
    whole, gaps = scene.found(InMemory(scene.x)), scene.model.family.gaps
    known = gaps.known[::3] + gaps.known[1::3] + gaps.known[2::3]
    shuffled = replace(gaps, known=known, places={key: place for place, key in enumerate(known)})
    made = list[object]()
    monkeypatch.setattr(patterns, "_made", lambda *asked: made.append(asked) or patterns.marginals(*asked))
    family = replace(scene.model.family, gaps=shuffled)
    scene.model = replace(scene.model, family=family)
    assert len(known) > 3 * at_once
    for mine, its in zip(scene.found(InMemory(scene.x)), whole, strict=True):
        assert np.allclose(mine, its, rtol=1e-10, atol=1e-10 * np.abs(its).max())
    assert len(made) <= 3 * -(-len(known) // at_once)  # for densities, for sums, and for those of concentrated ones


@each_separation
def test_what_is_missing_in_all_components_is_filled_in_by_one(separation):
    scene = Scene("full", 4, 300, separation)
    family = scene.model.family
    features, masses = features_of(family, scene.x), np.random.default_rng(2).random((1, K, 300))
    one = family.reweighting.reference(map_arrays(lambda array: array[:, :1], scene.at.components))
    for frame in (None, one):
        together = family.statistics(features, masses, frame)
        for k in range(K):
            alone = family.statistics(features, masses[:, k : k + 1], frame)[:, 0]
            assert np.allclose(together[:, k], alone, rtol=1e-10, atol=1e-10 * np.abs(alone).max())


@pytest.mark.parametrize("weighted", [False, True])
def test_columns_are_summarised_by_the_likeliest_normal_distribution(weighted):
    x, _ = gappy(3, 200)
    x[1] *= 1e3
    weights = np.random.default_rng(1).uniform(0.5, 2, 200) if weighted else None
    columns = summarize(InMemory(x, weights, block_rows=64))
    mean, covariance = normal_of_all(x, np.ones(200) if weights is None else weights)
    scale = np.sqrt(np.diagonal(covariance))
    assert np.allclose(columns.centre / scale, mean / scale, atol=1e-4)
    assert np.allclose(columns.covariance / np.outer(scale, scale), covariance / np.outer(scale, scale), atol=1e-4)
    assert (np.linalg.eigvalsh(columns.covariance) > 0).all()


@pytest.mark.parametrize(("at_once", "kept"), [(1 << 22, 99), (20, 99), (20, 3), (1 << 22, 3)])
def test_equal_rows_are_counted_in_rounds_and_the_most_frequent_remembered(monkeypatch, at_once, kept):
    monkeypatch.setattr(equal_rows, "AT_ONCE", at_once)
    monkeypatch.setattr(equal_rows, "MOST_KEPT", kept)
    x = np.repeat(np.arange(20.0), np.arange(20) // 3 + 1)[None]
    found = Copies.among([Here(hashes(part).view(np.float64)) for part in np.array_split(x, 5, axis=1)])
    assert found.more == x.size - 20
    counts = found.of(np.arange(20.0)[None])
    if kept == 99:
        assert counts.tolist() == [row // 3 + 1 for row in range(20)]
    else:
        assert counts[18:].tolist() == [7, 7] and np.isin(6, counts) and (counts > 1).sum() == 3


def test_a_missing_cell_is_a_value_of_its_own():
    x = np.array([[1.0, 1.0, np.nan, np.nan, 1.0], [2.0, np.nan, np.nan, np.nan, 2.0]])
    source = InMemory(x)
    assert multiplicity(source).tolist() == [2, 1, 2, 2, 2]
