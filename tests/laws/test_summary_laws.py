"""What is said of the columns is a sum over rows: however these are cut, and wherever they lie."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields
from math import fsum

import numpy as np
import pytest
from support import with_gaps

from em_cli.engine.arrays import map_arrays
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.column_moments import Moments
from em_cli.engine.column_summary import summarize
from em_cli.engine.columns import WIDE, unit_columns
from em_cli.engine.distinct import MOST, Distinct
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory

SOME_QUANTA = 3 * SUM_ROWS + 100
SCALES = np.array([1.0, 1e3, 1e-3])[:, None]


def values(n: int, seed: int = 0):
    return np.random.default_rng(seed).normal(size=(3, n)) * SCALES


@pytest.mark.parametrize("gaps", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
def test_blocks_of_whole_quanta_change_no_bit(gaps, weighted):
    x = with_gaps(values(SOME_QUANTA), gaps, 1) if gaps else values(SOME_QUANTA)
    weights = np.random.default_rng(2).uniform(0.5, 2, SOME_QUANTA) if weighted else None
    one, *others = (summarize(InMemory(x, weights, block_rows=blocks * SUM_ROWS)) for blocks in (1, 2, 100))
    for other in others:
        for name in ["covariance", *(field.name for field in fields(one) if field.name != "joint")]:
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ordered", [False, True], ids=["any order", "ascending"])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_no_digit_is_lost_to_where_the_rows_lie_or_how_they_come(offset, ordered, weighted):
    """Against sums without rounding; the cells are multiples of 2⁻²⁰, so that the offset rounds none."""
    x = np.round(values(SOME_QUANTA) / SCALES * 2**20) / 2**20 + offset
    if ordered:
        x.sort(axis=1)
    w = np.random.default_rng(3).integers(1, 5, SOME_QUANTA).astype(float) if weighted else np.ones(SOME_QUANTA)
    columns = summarize(InMemory(x, w if weighted else None))
    near = x - offset
    mean = np.array([fsum(w * row) for row in near]) / w.sum()
    centred = near - mean[:, None]
    covariance = np.array([[fsum(w * a * b) for b in centred] for a in centred]) / w.sum()
    assert np.allclose(columns.mean - offset, mean, rtol=0, atol=1e-14 + np.spacing(offset))
    assert np.allclose(columns.sd**2, np.diagonal(covariance), rtol=1e-13)
    assert np.allclose(columns.covariance, covariance, rtol=0, atol=1e-13)


def test_moments_add_in_any_order():
    parts = [Moments.of(values(n, n) + n, None, None) for n in (10, 1000, 1, 300)]
    one, other = sum(parts[1:], parts[0]), sum(parts[-2::-1], parts[-1])
    assert np.allclose(one.mean, other.mean, rtol=1e-14)
    assert np.allclose(one.sd, other.sd, rtol=1e-14)
    assert np.allclose(one.covariance, other.covariance, rtol=1e-13)


@pytest.mark.parametrize("n_values", [1, 7, 5000, MOST, MOST + 1])
def test_distinct_values_are_counted_exactly_while_they_are_few(n_values):
    cells = np.random.default_rng(4).permutation(np.repeat(np.arange(n_values), 2)) * 0.25
    found = sum((Distinct((part,)) for part in np.array_split(cells, 9)), Distinct((cells[:0],)))
    assert (found.settled.marks is None) == (n_values <= MOST)
    assert found.gap == (0.25 if n_values > 1 else 0.0)
    assert found.about == pytest.approx(n_values, rel=0 if found.settled.marks is None else 0.02)
    assert MOST / 2 < found.at_least <= n_values or found.at_least == n_values


def test_minus_zero_is_no_value_of_its_own():
    assert (Distinct((np.array([0.0]),)) + Distinct((np.array([-0.0, 1.0]),))).at_least == 2


def test_a_column_of_rounded_values_shows_its_resolution_among_any_number():
    rng = np.random.default_rng(5)
    grid = np.round(rng.uniform(0, 2000, 8 * MOST), 2)  # 200,000 values, of which few are twice in a quantum
    columns = summarize(InMemory(np.stack([grid, rng.normal(size=len(grid))])))
    assert columns.resolution[0] == pytest.approx(0.01)
    assert columns.resolution[1] == pytest.approx(1e-6, rel=0.01)


def test_the_covariance_of_many_columns_is_found_when_it_is_asked_for():
    """Of all, of some, and of none where cells are missing: those are taken as independent."""
    x = np.random.default_rng(0).standard_normal((WIDE + 1, 3 * WIDE))
    wide, some = summarize(InMemory(x)), np.array([3, WIDE, 7])
    assert np.array_equal(wide.select(some).covariance, summarize(InMemory(x[some])).covariance)
    assert np.allclose(wide.covariance, np.cov(x, bias=True), rtol=0, atol=1e-12)
    assert np.allclose(wide.joint.variances, np.diagonal(wide.covariance), rtol=1e-12)
    x[5, 0] = np.nan
    assert np.array_equal(summarize(InMemory(x)).select(some).covariance, np.diag(summarize(InMemory(x)).sd[some] ** 2))


@pytest.mark.parametrize("gaps", [0.0, 0.1])
@pytest.mark.parametrize("covariance", ["diag", "spherical"])
def test_independent_columns_cost_nothing_by_pairs(covariance, gaps):
    """5,000 of them have 200 MB of pairs."""
    d, rng = 5_000, np.random.default_rng(1)
    x = rng.standard_normal((d, 20))
    rows = InMemory(with_gaps(x, gaps, 2) if gaps else x)
    tracemalloc.start()
    columns = summarize(rows)
    family = Gaussian(covariance).bind(columns)
    features = np.empty((family.n_features(), 20))
    family.features(rows[0].x, features)
    parameters = family.maximize(family.statistics(features, np.full((1, 2, 20), 0.5), None), None)
    one = map_arrays(lambda array: array[0], parameters)
    document = family.to_document(one)
    again = Gaussian(covariance).bind(unit_columns(d, columns.gaps)).from_document(document, 2)
    family.embedding(rows[0].x), family.degenerate(one, np.full(2, 20.0))
    family.penalty.penalty_statistics(parameters, plain=True)
    drawn = family.sample(one, np.zeros(3, np.intp), rng)
    family.elliptic.ellipsoids(one), family.completing.complete(rows[0].x, one, np.full((2, 20), 0.5))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert drawn.shape == (d, 3) and np.allclose(again.means, family.moments(one)[0])
    assert peak < 60e6
