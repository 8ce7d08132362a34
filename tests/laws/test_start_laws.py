"""What every start obeys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import rows

from em_cli.engine.columns import unit_columns
from em_cli.families.distributions.categorical import Categorical
from em_cli.families.gaussian.options import Gaussian
from em_cli.families.product import Product
from em_cli.starts import STARTS

each_start = pytest.mark.parametrize("name", STARTS)


def data(which: str) -> np.ndarray:
    x, _ = rows(("real", "real", "real"), 1, 60)
    rng = np.random.default_rng(2)
    return {
        "continuous": x,
        "rounded": np.round(x),
        "half tied": np.concatenate([x[:, :30], np.repeat(x[:, :1], 30, axis=1)], axis=1),
        "two values": rng.integers(0, 2, (1, 60)).astype(float),
        "a constant column": np.concatenate([x, np.full((1, 60), 7.0)]),
        "a column twice": np.concatenate([x, x[:1]]),
        "one column": x[:1],
        "fewer rows than columns": rng.standard_normal((9, 7)),
        "all rows equal": np.ones((2, 60)),
        "off centre": x + 1e3,
    }[which]


KINDS = (
    "continuous",
    "rounded",
    "half tied",
    "two values",
    "a constant column",
    "a column twice",
    "one column",
    "fewer rows than columns",
    "all rows equal",
    "off centre",
)


@each_start
@pytest.mark.parametrize("kind", KINDS)
@given(k=st.integers(1, 6), seed=st.integers(0, 999))
def test_labels_are_a_partition_and_follow_from_the_seed(name, kind, k, seed):
    x = data(kind)
    start = STARTS.load(name)()
    labels = start.labels(x, k, (seed, k, 0))
    assert labels.shape == (x.shape[1],)
    assert np.issubdtype(labels.dtype, np.integer)
    assert labels.min() >= 0 and labels.max() < k
    assert (labels == start.labels(x.copy(), k, (seed, k, 0))).all()


@each_start
def test_different_seeds_give_different_partitions(name):
    x, _ = rows(("real", "real", "real"), 3, 200, separation=1.0)
    made = {STARTS.load(name)().labels(x, 4, (0, 4, number)).tobytes() for number in range(8)}
    assert len(made) > 1


@each_start
def test_starts_do_not_change_the_rows(name):
    x = data("continuous")
    before = x.tobytes()
    STARTS.load(name)().labels(x, 3, (0,))
    assert x.tobytes() == before


@pytest.mark.parametrize("name", ["kmeans", "kmeans++", "hierarchical", "sphered", "projection"])
def test_well_separated_groups_are_found(name):
    x, labels = rows(("real", "real"), 5, 150, separation=30.0)
    found = [STARTS.load(name)().labels(x, 3, (0, 3, number)) for number in range(6)]
    pairs = labels[:, None] == labels
    assert any(((mine[:, None] == mine) == pairs).all() for mine in found)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["kmeans", "sphered", "projection"])
def test_where_rows_are_many_lloyds_iteration_on_some_of_them_finds_the_groups_of_all(name, weighted):
    x, labels = rows(("real", "real"), 7, 3000, separation=30.0)
    weights = np.random.default_rng(2).integers(0, 3, 3000).astype(float) if weighted else None
    start = STARTS.load(name)(rows=100)
    found = [start.labels(x, 3, (0, 3, number), weights) for number in range(6)]
    assert min(len({*zip(mine.tolist(), labels.tolist(), strict=True)}) for mine in found) == 3


@pytest.mark.parametrize("name", ["kmeans", "sphered"])
def test_rows_that_are_no_more_than_are_drawn_are_all_looked_at(name):
    x, _ = rows(("real", "real", "real"), 3, 200, separation=1.0)
    drawn, most = (STARTS.load(name)(rows=n).labels(x, 4, (0, 4, 1)) for n in (200, 10**6))
    few = STARTS.load(name)(rows=20).labels(x, 4, (0, 4, 1))
    assert (drawn == most).all() and (few != most).any()


@pytest.mark.parametrize("name", ["kmeans", "random"])
def test_a_category_of_many_levels_outweighs_no_column_in_every_second_start(name):
    """Two groups in a column of numbers, beside forty levels that tell nothing."""
    rng, groups = np.random.default_rng(1), np.arange(200) % 2
    columns = unit_columns(2)
    family = Product((Gaussian("full"), Categorical((40,))), (np.array([0]), np.array([1]))).bind(columns)
    number = rng.standard_normal(200) + 5.0 * groups
    x = family.embedding(np.stack([(number - number.mean()) / number.std(), rng.integers(0, 40, 200)]))
    agree = [np.mean(STARTS.load(name)().labels(x, 2, (0, 2, number)) == groups) for number in range(24)]
    found = np.maximum(agree, 1 - np.array(agree))
    assert found[1::2].mean() > found[::2].mean() + 0.1
