"""Local coordinates: what every family's chart obeys."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CASES
from support import Case, responsibilities, start

from em_cli.engine.arrays import stack, take
from em_cli.engine.expectation import Expectation
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_separation = pytest.mark.parametrize("separation", [2.5, 1e5])
K = 3


class Charted:
    """A model with a chart about the M-step from some responsibilities."""

    def __init__(self, case: Case, separation: float, prior: float = 0.0):
        x, labels = case.rows(21, 300, separation)
        self.source, self.model = InMemory(x), replace(case.model(x, K), prior=prior)
        self.base = start(self.model, x, responsibilities(21, labels, K, 0.3 if separation < 10 else 0.0))
        self.found = self.at(self.base)
        self.chart = self.model.chart(self.base, self.found.weight)
        self.origin = self.chart.coordinates(self.base)

    def at(self, parameters) -> Expectation:
        return Expectation(one_pass([Stack(self.model, stack([parameters]))], self.source, Serial())[0], 0)

    def step(self, seed: int, length: float):
        direction = np.random.default_rng(seed).standard_normal(len(self.origin))
        return length * direction / np.linalg.norm(direction)


@each_case
@each_separation
def test_the_base_point_is_the_origin_and_coordinates_come_back(case: Case, separation):
    charted = Charted(case, separation)
    assert np.allclose(charted.origin, 0, atol=1e-8)
    u = charted.step(1, 2.0)
    back = charted.chart.coordinates(charted.chart.parameters(u))
    k = charted.model.n_components
    level = (u[:k] - back[:k]) * charted.chart.latent.root  # a common shift of all log-weights is nothing
    assert np.allclose(level / charted.chart.latent.root**2, level[0] / charted.chart.latent.root[0] ** 2, atol=1e-9)
    free = (np.abs(back) > 0)[k:]  # a probability of zero stays where it is
    assert np.allclose(back[k:][free], u[k:][free], atol=1e-6)
    assert free.all() or separation > 10


@each_case
@each_separation
@pytest.mark.parametrize(("away", "prior"), [(0.0, 0.0), (3.0, 0.0), (3.0, 5.0)])
def test_the_gradient_is_that_of_the_log_likelihood(case: Case, separation, away, prior):
    """And of the log-prior, if there is one."""
    charted = Charted(case, separation, prior)
    u = charted.step(2, away)
    gradient = charted.chart.gradient(charted.at(charted.chart.parameters(u)))
    for seed in range(5):
        h = charted.step(seed, 1e-3)
        above, below = (charted.at(charted.chart.parameters(u + side * h)).log_likelihood for side in (1, -1))
        assert (above - below) / 2 == pytest.approx(gradient @ h, rel=1e-3, abs=1e-8 * abs(above))


@pytest.mark.parametrize("case", [case for case in CASES if not case.expanded], ids=lambda case: case.name)
@each_separation
def test_an_em_step_is_a_step_along_the_gradient(case: Case, separation):
    """To first order, for the complete-data information is the identity (Dempster, Laird & Rubin 1977)."""
    charted = Charted(case, separation)
    for _ in range(40):  # near a place where the step is small
        parameters, _ = charted.model.maximize([charted.at(charted.base)])
        charted.base = take(parameters, 0)
    found = charted.at(charted.base)
    chart = charted.model.chart(charted.base, found.weight)
    moved = chart.coordinates(take(charted.model.maximize([found])[0], 0))
    gradient = chart.gradient(found)
    longer = 0.1 + 1.2 * case.gaps  # what a column with missing cells tells is less than its chart believes
    longer += 0.0 if case.normalised else 0.5  # as is what a row with a small total tells
    assert np.linalg.norm(moved - gradient) <= longer * np.linalg.norm(gradient) + 1e-6
