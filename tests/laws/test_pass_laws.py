"""What one pass over the data finds, however the work is cut."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CLIMBING_CASES
from support import Case, bound_model, responsibilities, rows, start

from em_cli.engine.arrays import map_arrays, stack, take
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.column_summary import summarize
from em_cli.engine.expectation import Batch
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack, tile_rows
from em_cli.engine.side_by_side import maximize_all
from em_cli.families.covariances import COVARIANCES
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents.independent import Independent
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory
from em_cli.testing import pass_laws
from em_cli.testing.pass_laws import K, bits

each_case = pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)
each_separation = pytest.mark.parametrize("separation", pass_laws.SEPARATIONS)


@each_case
@each_separation
@pytest.mark.parametrize("weighted", [False, True])
def test_blocks_of_whole_quanta_change_no_bit(case: Case, separation, weighted):
    pass_laws.blocks_of_whole_quanta_change_no_bit(case, separation, weighted)


@each_case
@each_separation
@pytest.mark.parametrize("weighted", [False, True])
def test_a_pass_finds_the_sums_over_rows(case: Case, separation, weighted):
    pass_laws.a_pass_finds_the_sums_over_rows(case, separation, weighted)


@each_case
@each_separation
def test_m_steps_of_several_models_together_are_those_of_each(case: Case, separation):
    pass_laws.m_steps_of_several_models_together_are_those_of_each(case, separation)


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_tight_and_wide_candidates_keep_their_bits_together(covariance):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((3, 4000)) + 6 * rng.integers(3, size=4000)
    model = bound_model(Gaussian(covariance), InMemory(x), K)
    labels = rng.integers(3, size=4000)
    wide = [start(model, x, responsibilities(seed, labels, K, 0.5)) for seed in range(3)]
    document = model.to_document(wide[0])
    thin = model.from_document(document | {"covariances": (1e-8 * np.array(document["covariances"])).tolist()})
    together = one_pass([Stack(model, stack([wide[0], thin, wide[1], thin, wide[2]]))], InMemory(x), Serial())[0]
    for place, at in ((0, wide[0]), (1, thin), (3, thin), (4, wide[2])):
        alone = one_pass([Stack(model, stack([at]))], InMemory(x), Serial())[0]
        mine = Batch(at, together.log_likelihood[[place]], take(together.statistics, slice(place, place + 1)))
        assert bits(mine) == bits(alone)
    assert np.isfinite(together.log_likelihood).all()


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_what_tied_components_share_costs_no_digits(offset):
    """In a mixture of far and narrow clusters the part that cancels is a thousand times the rest."""
    rng = np.random.default_rng(4)
    labels = rng.integers(4, size=20_000)
    x = rng.standard_normal((4, 20_000)) + 40 * rng.standard_normal((4, 4))[:, labels] + offset
    model = bound_model(Gaussian("tied"), InMemory(x), 4)
    at = start(model, x, responsibilities(4, labels, 4, 0.0))
    assert not at.components.concentrated.any()
    found = one_pass([Stack(model, stack([at]))], InMemory(x), Serial())[0].log_likelihood[0]
    near = replace(at, components=replace(at.components, concentrated=np.ones(4, bool)))
    exact = one_pass([Stack(model, stack([near]))], InMemory(x), Serial())[0].log_likelihood[0]
    assert found == pytest.approx(exact, rel=1e-12)


def test_tiles_divide_a_quantum():
    for n_features in (2, 3, 6, 21, 66, 101, 1326, 5000):
        rows = tile_rows(n_features)
        assert 0 < rows <= SUM_ROWS
        assert n_features * rows <= 1 << 18 or rows <= 32


@each_separation
def test_m_steps_of_all_covariance_structures_together_are_those_of_each(separation):
    """Components of every structure and of several K, one behind the other; some are concentrated."""
    x, labels = rows(("real",) * 3, 8, 300, separation)
    source = InMemory(x)
    columns = summarize(source)
    families = [Gaussian(name).bind(columns) for name in COVARIANCES]
    independent = Independent()
    models = [Model(family, independent, k) for family in families for k in (1, 3, 2)]
    stacks = []
    for model in models:
        k = model.n_components
        points = [start(model, x, responsibilities(seed, labels % k, k, 0.3)) for seed in range(k)]
        stacks.append(Stack(model, stack(points)))
    batches = one_pass(stacks, source, Serial())
    asked = [(one.model, batch.statistics, batch.parameters) for one, batch in zip(stacks, batches, strict=True)]
    for (model, *found), (together, empty) in zip(asked, maximize_all(asked), strict=True):
        alone, lost = model.at_maximum(*found)
        assert (empty == lost).all()
        same: list[bool] = []
        map_arrays(lambda a, b, same=same: same.append(a.tobytes() == b.tobytes()), together, alone)
        assert all(same), model.family
