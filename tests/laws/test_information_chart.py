"""The chart of distributions that know their Fisher information, with several parameters of a column."""

import numpy as np

from em_cli.families.distributions.charts import InformationChart

K, D = 2, 3
WEIGHT = np.array([40.0, 7.0])
ROOT = np.random.default_rng(1).standard_normal((2, 2, K, D))
INFORMATION = np.einsum("ijkd,ljkd->ilkd", ROOT, ROOT)
INFORMATION[:, :, 0, 0] = 0.0  # a cell that tells nothing


class Plane:
    """Two parameters that are their own coordinates."""

    def steps(self, base, values):
        return tuple(b - a for a, b in zip(base, values, strict=True))

    def moved(self, base, steps):
        return tuple(a + b for a, b in zip(base, steps, strict=True))

    def score(self, weight, sums, values):
        return tuple(sums)

    def information(self, values):
        return [list(line) for line in INFORMATION]


def test_lengths_are_those_of_the_information():
    rng = np.random.default_rng(2)
    base = tuple(rng.standard_normal((2, K, D)))
    chart = InformationChart(Plane(), base, WEIGHT)
    moved = tuple(rng.standard_normal((2, K, D)))
    u, steps = chart.coordinates(moved), np.stack(Plane().steps(base, moved))
    whole = np.einsum("k,ikd,ijkd,jkd->", WEIGHT, steps, INFORMATION, steps)
    assert np.isclose(u @ u, whole)
    back = chart.values(u)
    for mine, its, stays in zip(back, moved, base, strict=True):
        mine, its = np.array(mine), np.array(its)
        its[0, 0] = stays[0, 0]
        assert np.allclose(mine, its)


def test_the_gradient_obeys_the_chain_rule():
    rng = np.random.default_rng(3)
    base, score = tuple(rng.standard_normal((2, K, D))), rng.standard_normal((2, K, D))
    score[:, 0, 0] = 0.0
    chart = InformationChart(Plane(), base, WEIGHT)
    u = rng.standard_normal(2 * K * D)
    steps = np.stack(Plane().steps(base, chart.values(u)))
    assert np.isclose(chart.gradient(WEIGHT[:, None], score, base) @ u, (score * steps).sum())
