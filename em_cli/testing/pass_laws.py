"""What one pass over the rows finds, and the M-steps after it, however the work is cut and stacked."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array, Integers, map_arrays, stack, take
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.documents import field
from em_cli.engine.expectation import Batch
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.scoring import score_rows, score_source
from em_cli.engine.side_by_side import maximize_all
from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads
from em_cli.sources.in_memory import InMemory
from em_cli.testing.case import Case, features, responsibilities, start

SEPARATIONS = (2.5, 1e5)
K = 3


def bits(batch: Batch) -> tuple[bytes, ...]:
    statistics = np.ascontiguousarray(batch.statistics.components)
    return batch.log_likelihood.tobytes(), statistics.tobytes()


def _weights(seed: int, n: int, weighted: bool) -> Array | None:
    return np.random.default_rng(seed).uniform(0.5, 2, n) if weighted else None


def blocks_of_whole_quanta_change_no_bit(case: Case, separation: float, weighted: bool) -> None:
    """And threads do not: two candidates on so many rows are worth waking them. Nor do features that are kept."""
    n = 2 * SUM_ROWS + 777
    x, labels = case.rows(1, n, separation)
    weights = _weights(1, n, weighted)
    model = case.model(x, K, weights)
    at = stack([start(model, x, responsibilities(seed, labels, K, 0.4)) for seed in (1, 2)])
    seen, scored = set(), set()
    for blocks, runner in ((1, Serial()), (1, Threads(2)), (2, Threads(2)), (3, Serial())):
        source = InMemory(x, weights, block_rows=blocks * SUM_ROWS)
        seen |= {bits(one_pass([Stack(model, at)], source, runner)[0]) for _ in range(2 if blocks == 1 else 1)}
        scored.add(repr(score_source(model, take(at, 0), source, runner)))
    assert len(seen) == 1
    assert len(scored) == 1


def a_pass_finds_the_sums_over_rows(case: Case, separation: float, weighted: bool) -> None:
    """In the statistics of components that share a covariance, the second moments need be right in sum only."""
    n = 3000
    x, labels = case.rows(2, n, separation)
    weights = _weights(2, n, weighted)
    model = case.model(x, K, weights)
    w = np.ones(n) if weights is None else weights
    at = start(model, x, responsibilities(2, labels, K, 0.4 if separation < 10 else 0.0))
    found = one_pass([Stack(model, stack([at]))], InMemory(x, weights), Serial())[0]
    document = model.to_document(at)
    joint = case.log_density(model.family, document, x) + np.log(field(document, "weights"))[:, None]
    expected = (w * np.logaddexp.reduce(joint, axis=0)).sum()
    assert np.isclose(found.log_likelihood[0], expected, rtol=1e-12 if separation < 10 else 1e-9, atol=0)
    r = score_rows(model, at, x).responsibilities * w
    stacked = stack([at.components])
    sums = model.family.statistics(features(model.family, x), r[None], stacked)[0]
    scale = np.abs(sums).max(axis=0) + 1e-300
    assert np.abs((found.statistics.components[0] - sums).sum(axis=0) / scale).max() < 1e-9
    if not model.family.coupled:
        assert np.abs((found.statistics.components[0] - sums) / scale).max() < 1e-9
    one, other = (model.family.maximize(s, stacked) for s in (found.statistics.components, sums[None]))
    for mine, its in zip(model.family.moments(take(one, 0)), model.family.moments(take(other, 0)), strict=True):
        assert np.allclose(mine, its, rtol=1e-9)


def m_steps_of_several_models_together_are_those_of_each(case: Case, separation: float) -> None:
    """Whatever the models' sizes are, with a prior and without."""
    x, labels = case.rows(5, 400, separation)
    source, family = InMemory(x), case.model(x, 1).family
    sizes, priors = (1, 3, 2, 3, 2, 3), (0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    models = [Model(family, case.model(x, k).latent, k, prior=p) for k, p in zip(sizes, priors, strict=True)]
    models.append(case.model(x, 2))
    points = [[start(m, x, _start(labels, m.n_components, seed)) for seed in range(3)] for m in models]
    batches = one_pass([Stack(m, stack(own)) for m, own in zip(models, points, strict=True)], source, Serial())
    asked = [
        (model, take(batch.statistics, slice(0, n)), take(batch.parameters, slice(0, n)))
        for model, batch, n in zip(models, batches, (3, 1, 2, 3, 2, 3, 3), strict=True)
    ]
    for (model, statistics, at), (together, empty) in zip(asked, maximize_all(asked), strict=True):
        alone, lost = model.at_maximum(statistics, at)
        assert (empty == lost).all()
        same: list[bool] = []
        map_arrays(lambda a, b, same=same: same.append(a.tobytes() == b.tobytes()), together, alone)
        assert all(same)


def _start(labels: Integers, k: int, seed: int) -> Array:
    return responsibilities(seed, labels % k, k, 0.3)
