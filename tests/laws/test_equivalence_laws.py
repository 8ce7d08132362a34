"""Pairs of ways that must come to the same."""

import numpy as np
import pytest
from cases import CASES
from hypothesis import given, settings
from hypothesis import strategies as st
from support import (
    Case,
    bound_model,
    climb,
    component_log_density,
    flattened,
    responsibilities,
    scipy_log_density,
    start,
)

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.stopping import Stopping
from em_cli.families.product import Product
from em_cli.sources.in_memory import InMemory

Case = type("Case", (Case,), {"__module__": "support"})  # hypothesis draws by signatures: the draws that were known
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def alike(one, other, tolerance=1e-10):
    for name, numbers in one.items():
        mine, its = flattened(numbers), flattened(other[name])
        if name == "loadings":  # up to a rotation
            mine, its = (values @ np.swapaxes(values, 1, 2) for values in map(np.array, (numbers, other[name])))
        assert np.allclose(its, mine, rtol=tolerance, atol=tolerance * np.abs(mine).max()), name


@each_case
@given(seed=st.integers(0, 999), weighted=st.booleans(), offset=st.sampled_from([0.0, 2.0**20]))
def test_one_component_is_the_closed_form(case: Case, seed, weighted, offset):
    x, _ = case.rows(seed, 90)
    x[[kind == "real" for kind in case.kinds]] += offset
    weights = np.random.default_rng(seed).uniform(0.5, 2, 90) if weighted else None
    model = case.model(x, 1, weights)
    stopping, name = (Stopping(1e-9, 20), "em") if case.exact else (Stopping(1e-9, 5000), "lbfgs")
    begin = start(model, x, np.ones((1, 90)), weights)
    result = climb(model, InMemory(x, weights), begin, stopping, ALGORITHMS.load(name)())
    expected = case.closed_form(model.family, x, np.ones(90) if weights is None else weights)
    alike(
        {"weights": [1.0]} | expected,
        model.to_document(result.parameters),
        (1e-8 if offset else 1e-11) if case.exact else 1e-2,
    )
    by_row = scipy_log_density(case, model, {"weights": np.ones(1)} | expected, x)
    assert result.log_likelihood == pytest.approx(
        (by_row if weights is None else weights * by_row).sum(), rel=1e-10 if case.exact else 1e-5
    )
    assert len(result.trace) <= 4 or not case.exact


@each_case
@given(seed=st.integers(0, 999), block_rows=st.sampled_from([17, 1000]), separation=st.sampled_from([3.0, 1e5]))
@settings(max_examples=5)
def test_a_weight_of_two_is_the_row_twice(case: Case, seed, block_rows, separation):
    x, labels = case.rows(seed, 100, separation)
    copies = np.random.default_rng(seed).integers(1, 4, 100)
    twice, weights = np.repeat(x, copies, axis=1), copies.astype(float)
    k = 3
    repeated, weighted = case.model(twice, k), case.model(x, k, weights)
    r = responsibilities(seed, labels, k, 0.4 if separation < 10 else 0.0)
    one = climb(
        repeated,
        InMemory(twice, block_rows=block_rows),
        start(repeated, twice, np.repeat(r, copies, axis=1)),
        Stopping(0, 12),
    )
    other = climb(
        weighted, InMemory(x, weights, block_rows=block_rows), start(weighted, x, r, weights), Stopping(0, 12)
    )
    settled = case.exact or separation < 10  # an M-step that is but a step does not forget the first at once
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-10 if settled else 1e-5)
    if separation < 10:  # else the way there is through components with few digits left
        assert np.allclose(one.trace, other.trace, rtol=1e-10)
        assert np.allclose(one.weight, other.weight, rtol=1e-8)
        alike(repeated.to_document(one.parameters), weighted.to_document(other.parameters), 1e-8)


@pytest.mark.parametrize("case", [c for c in CASES if not c.name.startswith("product")], ids=lambda case: case.name)
def test_the_product_of_one_family_is_that_family(case: Case):
    x, labels = case.rows(4, 200)
    d, k = len(x), 3
    alone = case.model(x, k)
    only = Product((case.build(case.kinds),), (np.arange(d),))
    wrapped = bound_model(only, InMemory(x), k)
    r = responsibilities(4, labels, k, 0.6)
    one, other = (climb(m, InMemory(x), start(m, x, r), Stopping(0, 20)) for m in (alone, wrapped))
    assert np.allclose(one.trace, other.trace, rtol=1e-12)
    (group,) = wrapped.family.to_document(other.parameters.components)["groups"]
    alike(alone.family.to_document(one.parameters.components), group)
    assert alone.n_parameters == wrapped.n_parameters
    assert np.allclose(
        component_log_density(alone.family, one.parameters.components, x),
        component_log_density(wrapped.family, other.parameters.components, x),
        rtol=1e-9,
    )
    for mine, its in zip(
        alone.family.moments(one.parameters.components),
        wrapped.family.moments(other.parameters.components),
        strict=True,
    ):
        assert np.allclose(mine, its, rtol=1e-9)
    assert (alone.family.embedding(x) == wrapped.family.embedding(x)).all()
