"""Local coordinates: what every family's chart obeys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from em_cli.engine.arrays import Array, map_arrays, stack, take
from em_cli.engine.column_summary import summarize
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.latent import Latent
from em_cli.engine.model import Model, ModelChart
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.rows import Block
from em_cli.latents.independent import Independent, WeightsChart
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory
from em_cli.testing.case import Case, responsibilities, start

SEPARATIONS = (2.5, 1e5)
STACKED = ((2.5, 0.0), (2.5, 5.0), (1e5, 0.0))  # separation, strength of the prior
PRIORS = ((0.0, 0.0), (3.0, 0.0), (3.0, 5.0))  # distance from the base point, strength of the prior
K = 3
INDEPENDENT = Independent()


def charted(model: Model, at: Parameters, found: Expectation) -> ModelChart:
    chart = model.chart(at, found.weight)
    assert chart is not None, "the family has a chart"
    return chart


class Charted:
    """A model with a chart about the M-step from some responsibilities."""

    def __init__(self, case: Case, separation: float, prior: float = 0.0) -> None:
        x, labels = case.rows(21, 300, separation)
        self.source, self.model = InMemory(x), replace(case.model(x, K), prior=prior)
        self.base = start(self.model, x, responsibilities(21, labels, K, 0.3 if separation < 10 else 0.0))
        self.found = self.at(self.base)
        self.chart = charted(self.model, self.base, self.found)
        self.origin = self.chart.coordinates(self.base)

    def at(self, parameters: Parameters) -> Expectation:
        return Expectation(one_pass([Stack(self.model, stack([parameters]))], self.source, Serial())[0], 0)

    def step(self, seed: int, length: float) -> Array:
        direction = np.random.default_rng(seed).standard_normal(len(self.origin))
        return np.asarray(length * direction / np.linalg.norm(direction))


def the_base_point_is_the_origin_and_coordinates_come_back(case: Case, separation: float) -> None:
    about = Charted(case, separation)
    assert np.allclose(about.origin, 0, atol=1e-8)
    u = about.step(1, 2.0)
    back = about.chart.coordinates(about.chart.parameters(u))
    k = about.model.n_components
    assert isinstance(about.chart.latent, WeightsChart)
    root = about.chart.latent.root
    level = (u[:k] - back[:k]) * root  # a common shift of all log-weights is nothing
    assert np.allclose(level / root**2, level[0] / root[0] ** 2, atol=1e-9)
    free = (np.abs(back) > 0)[k:]  # a probability of zero stays where it is
    assert np.allclose(back[k:][free], u[k:][free], atol=1e-6)
    assert free.all() or separation > 10


def the_gradient_is_that_of_the_log_likelihood(case: Case, separation: float, away: float, prior: float) -> None:
    """And of the log-prior, if there is one."""
    about = Charted(case, separation, prior)
    u = about.step(2, away)
    gradient = about.chart.gradient(about.at(about.chart.parameters(u)))
    for seed in range(5):
        h = about.step(seed, 1e-3)
        above, below = (about.at(about.chart.parameters(u + side * h)).log_likelihood for side in (1, -1))
        rise, expected = (above - below) / 2, float(gradient @ h)
        assert abs(rise - expected) <= max(1e-3 * abs(expected), 1e-8 * abs(above))


def an_em_step_is_a_step_along_the_gradient(case: Case, separation: float) -> None:
    """To first order, for the complete-data information is the identity (Dempster, Laird & Rubin 1977)."""
    about = Charted(case, separation)
    for _ in range(40):  # near a place where the step is small
        parameters, _ = about.model.maximize([about.at(about.base)])
        about.base = take(parameters, 0)
    found = about.at(about.base)
    chart = charted(about.model, about.base, found)
    moved = chart.coordinates(take(about.model.maximize([found])[0], 0))
    gradient = chart.gradient(found)
    longer = 0.1 + 1.2 * case.gaps  # what a column with missing cells tells is less than its chart believes
    longer += 0.0 if case.normalised else 0.5  # as is what a row with a small total tells
    assert np.linalg.norm(moved - gradient) <= longer * np.linalg.norm(gradient) + 1e-6


def candidates_of_a_stack_have_the_bits_that_they_have_alone(
    case: Case, separation: float, prior: float, latent: Latent = INDEPENDENT
) -> None:
    """About base points of their own, and about one that they have in common."""
    x, labels = case.rows(21, 200, separation)
    source = InMemory(x, groups=np.arange(0, 201, 20) if latent.needs_groups else None)
    model = replace(case.model(x, K), prior=prior)
    model = replace(model, latent=latent.bind(model.family, summarize(source)))
    softness = 0.3 if separation < 10 else 0.0
    block = Block(0, x, groups=source.groups)
    bases = stack([model.start(block, responsibilities(seed, labels, K, softness)) for seed in range(3)])
    weight = one_pass([Stack(model, bases)], source, Serial())[0].statistics.weight
    about = [model.chart(take(bases, r), weight[r]) for r in range(3)]
    together = model.chart(bases, weight)
    alone = [chart for chart in about if chart is not None]
    if together is None:
        assert not alone, "there are charts of several candidates where there is one of each"
        return
    _as_alone(source, bases, together, alone)
    _as_alone(source, bases, alone[0], [alone[0]] * 3)


def what_is_far_out_of_a_latent_structure_is_what_documents_hold(case: Case, latent: Latent, far: float = 1e3) -> None:
    """A weight may go to nothing on the way to the maximum."""
    x, labels = case.rows(21, 200, 2.5)
    source = InMemory(x, groups=np.arange(0, 201, 20) if latent.needs_groups else None)
    model = case.model(x, K)
    model = replace(model, latent=latent.bind(model.family, summarize(source)))
    base = model.start(Block(0, x, groups=source.groups), responsibilities(0, labels, K, 0.3))
    (batch,) = one_pass([Stack(model, stack([base]))], source, Serial())
    chart = charted(model, base, Expectation(batch, 0))
    for u in chart.coordinates(base) + far * np.eye(len(chart.coordinates(base)))[: chart.latent.size]:
        for side in (u, -u):
            model.from_document(model.to_document(chart.parameters(side)))


def _as_alone(source: InMemory, bases: Parameters, together: ModelChart, alone: list[ModelChart]) -> None:
    """The chart of a stack, beside those of each candidate."""
    size = len(alone[0].coordinates(take(bases, 0)))
    u = 0.5 * np.random.default_rng(3).standard_normal((len(alone), size))
    moved = together.parameters(u)
    (batch,) = one_pass([Stack(together.model, moved)], source, Serial())
    coordinates, gradients = together.coordinates(moved), together.gradients(batch)
    for r, chart in enumerate(alone):
        own = chart.parameters(u[r])
        map_arrays(_same, take(moved, r), own)
        _same(coordinates[r], chart.coordinates(own))
        _same(gradients[r], chart.gradient(Expectation(batch, r)))


def _same(some: Array, others: Array) -> Array:
    assert some.shape == others.shape and np.array_equal(some, others), "to the last bit"
    return some
