"""What every family of component distributions obeys; a law that is broken raises `AssertionError`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, stack, take
from em_cli.engine.documents import field
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.sources.in_memory import InMemory
from em_cli.testing.case import (
    Case,
    climb,
    component_log_density,
    features,
    flattened,
    responsibilities,
    start,
    stepped,
    unit_model,
)
from em_cli.testing.random_rows import axis, real, rows

Situation = tuple[float, float]  # how far groups are apart, in standard deviations; softness of responsibilities
SITUATIONS: tuple[Situation, ...] = ((4.0, 0.0), (4.0, 0.3), (4.0, 1.0), (1e5, 0.0))
SEPARATIONS = (4.0, 1e5)  # the second has components evaluated about their means
NUDGES = (1e-3, 1e-2, 0.3)
K = 3


def statistics_add_over_any_split_in_any_order_and_scale(
    case: Case, seed: int, cuts: Collection[int], shuffled: Callable[[list[slice]], None], separation: float
) -> None:
    x, labels = case.rows(seed, 120, separation)
    family, r = case.model(x, K).family, responsibilities(seed, labels, K)
    frame = start(case.model(x, K), x, responsibilities(seed, labels, K, 0.0)).components
    for at in (None, stack([frame])):
        whole = family.statistics(features(family, x), r[None], at)
        bounds = [0, *sorted(cuts), 120]
        pieces = [slice(a, b) for a, b in itertools.pairwise(bounds)]
        shuffled(pieces)
        parts = [
            family.statistics(features(family, x[:, piece]), np.ascontiguousarray(r[None, :, piece]), at)
            for piece in pieces
        ]
        scale = np.abs(whole).max(axis=(0, 1)) + 1e-300
        assert np.abs((np.sum(parts, axis=0) - whole) / scale).max() < 1e-11
        assert np.abs((family.statistics(features(family, x), 0.5 * r[None], at) - 0.5 * whole) / scale).max() < 1e-13
        assert np.allclose(whole[0, :, 0], r.sum(axis=1), rtol=1e-13)


def density_is_that_of_an_independent_program(case: Case, seed: int, situation: Situation) -> None:
    separation, softness = situation
    x, labels = case.rows(seed, 60, separation)
    model = case.model(x, K)
    parameters = start(model, x, responsibilities(seed, labels, K, softness))
    expected = case.log_density(model.family, model.to_document(parameters), x)
    actual = component_log_density(model.family, parameters.components, x)
    assert np.allclose(actual, expected, rtol=1e-8, atol=1e-7)


def expected_log_likelihood(model: Model, at: Parameters, x: Array, r: Array) -> float:
    own = component_log_density(model.family, at.components, x)
    return float((r * (own + model.latent.log_prior(at.latent)[:, None])).sum())


def density_sums_to_one(case: Case) -> None:
    x, labels = rows(case.narrow, 3, 300)
    model = replace(case, kinds=case.narrow).model(x, K)
    parameters = start(model, x, responsibilities(3, labels, K, 0.3))
    mean, sd = model.family.moments(parameters.components)
    far = [(mean - 12 * sd).min(axis=0), (mean + np.where(real(case.narrow), 12, 25) * sd).max(axis=0)]
    axes, masses = zip(*[axis(*one) for one in zip(case.narrow, *far, strict=True)], strict=True)
    cell = np.prod([places.ravel() for places in np.meshgrid(*masses, indexing="ij")], axis=0)
    grid = np.stack([places.ravel() for places in np.meshgrid(*axes, indexing="ij")])
    mass = np.exp(component_log_density(model.family, parameters.components, grid)) @ cell
    assert np.allclose(mass, 1, rtol=1e-9)


def m_step_beats_nearby_parameters(case: Case, seed: int, situation: Situation, nudge: float) -> None:
    separation, softness = situation
    x, labels = case.rows(seed, 80, separation)
    model, r = case.model(x, K), responsibilities(seed, labels, K, softness)
    nudged = r * np.exp(nudge * np.random.default_rng(seed).standard_normal(r.shape))
    highest = expected_log_likelihood(model, start(model, x, r), x, r)
    assert highest >= expected_log_likelihood(model, start(model, x, nudged), x, r) - 1e-10 * abs(highest)


def m_steps_never_lower_the_expected_log_likelihood(case: Case, seed: int, situation: Situation) -> None:
    separation, softness = situation
    x, labels = case.rows(seed, 80, separation)
    model, r = case.model(x, K), responsibilities(seed, labels, K, softness)
    at, expected = start(model, x, r), []
    for _ in range(30):
        at = stepped(model, x, r, at)
        expected.append(expected_log_likelihood(model, at, x, r))
    assert np.diff(expected).min() >= -1e-10 * abs(expected[-1])


def m_step_does_not_depend_on_the_frame_of_the_statistics(case: Case, seed: int, situation: Situation) -> None:
    """Sums about zero lose digits of concentrated components; the next M-step, about their means, has them all."""
    separation, softness = situation
    x, labels = case.rows(seed, 80, separation)
    model, r = case.model(x, K), responsibilities(seed, labels, K, softness)
    family, phi = model.family, features(model.family, x)
    at: Any = None
    seen: list[Array] = []
    for _ in range(3):
        at = family.maximize(family.statistics(phi, r[None], at), at)
        seen.append(component_log_density(family, take(at, 0), x))
    assert np.allclose(seen[0], seen[1], rtol=1e-9 if separation == 4 else 0.05, atol=1e-9 if separation == 4 else 0.1)
    assert np.allclose(seen[1], seen[2], rtol=1e-9, atol=1e-9)


def permuting_components_permutes_everything(case: Case, seed: int, order: Sequence[int]) -> None:
    x, labels = case.rows(seed, 60)
    model, r = case.model(x, K), responsibilities(seed, labels, K)
    one, other = start(model, x, r), start(model, x, r[order])
    by_component = component_log_density(model.family, one.components, x)
    permuted = component_log_density(model.family, other.components, x)
    assert np.allclose(permuted, by_component[order], rtol=1e-11, atol=1e-11)
    assert np.allclose(other.latent.weights, one.latent.weights[order], rtol=1e-13)
    for mine, its in zip(model.family.moments(one.components), model.family.moments(other.components), strict=True):
        assert np.allclose(its, mine[order], rtol=1e-11)


def free_parameters_are_the_rank_of_the_parametrisation(case: Case, k: int) -> None:
    """Responsibilities reach every parameter through the M-step; the densities of many rows tell them apart."""
    x, labels = case.rows(5, 150, 2.0, max(k, 2))
    model = unit_model(case, k)
    r = responsibilities(5, labels % k, k, 0.5)
    rng = np.random.default_rng(6)
    step, directions = 1e-4, rng.uniform(-1, 1, (model.n_parameters + 12, *r.shape))
    family, phi = model.family, features(model.family, x)

    def log_density(r: Array) -> Array:
        """(R, n) of the mixtures that responsibilities (R, K, n) lead to, but for the base measure."""
        at = family.maximize(family.statistics(phi, r, None), None)
        for _ in range(0 if case.exact else 2):
            at = family.maximize(family.statistics(phi, r, at), at)
        own, mass = np.empty_like(r), r.sum(axis=2)
        family.log_density(phi, at, np.log(mass / mass.sum(axis=1, keepdims=True)), own)
        total: Array = np.logaddexp.reduce(own, axis=1)
        return total

    jacobian = log_density(r * (1 + step * directions)) - log_density(r * (1 - step * directions))
    jacobian /= np.linalg.norm(jacobian, axis=1, keepdims=True)
    singular = np.linalg.svd(jacobian, compute_uv=False)
    p = model.n_parameters
    assert singular[p - 1] > 1e-5 * singular[0], "more parameters are counted than the density has"
    assert singular[p] < 1e-2 * singular[p - 1], "fewer parameters are counted than the density has"


def documents_hold_the_parameters_to_the_bit(case: Case, seed: int, k: int) -> None:
    x, labels = case.rows(seed, 60, k=k)
    model = unit_model(case, k)
    parameters = start(model, x, responsibilities(seed, labels, k))
    document = model.to_document(parameters)
    again = model.from_document(json.loads(json.dumps(document)))
    assert model.to_document(again) == document
    assert set(document) - {"weights", "groups"} <= set(model.quantities), "it is not said what they are"
    for declared in case.build(case.kinds).parameters:
        assert {len(x) % len(row) for row in field(document, declared.name)} == {0}, (
            "a number is of a column, or of a few"
        )
    for mine, its in ((parameters, again), (parameters.components, again.components)):
        assert repr(mine) == repr(its)
    one, other = (component_log_density(model.family, p.components, x) for p in (parameters, again))
    assert one.tobytes() == other.tobytes()


def documents_hold_the_parameters_in_the_users_units(case: Case, seed: int, k: int, separation: float) -> None:
    x, labels = case.rows(seed, 60, separation, k=k)
    model = case.model(x, k)
    document = model.to_document(start(model, x, responsibilities(seed, labels, k)))
    again = model.to_document(model.from_document(json.loads(json.dumps(document))))
    for name, numbers in document.items():
        scale = np.abs(flattened(numbers)).max(initial=1e-300)
        assert np.allclose(flattened(again[name]), flattened(numbers), rtol=1e-12, atol=1e-13 * scale), name


def sample_then_fit_recovers(case: Case) -> None:
    x, labels = case.rows(8, 600, 6.0)
    model = case.model(x, K)
    truth = start(model, x, responsibilities(8, labels, K, 0.0))
    rng = np.random.default_rng(9)
    drawn = model.latent.sample(truth.latent, 6000, rng)
    sampled = np.ascontiguousarray(model.family.sample(truth.components, drawn, rng))
    fresh = case.model(sampled, K)
    found = climb(fresh, InMemory(sampled), start(fresh, sampled, responsibilities(10, drawn, K, 0.3))).parameters
    assert np.allclose(found.latent.weights, truth.latent.weights, atol=0.03)
    mean, sd = model.family.moments(truth.components)
    got_mean, got_sd = fresh.family.moments(found.components)
    assert (np.abs(got_mean - mean) <= 0.12 * sd).all()
    assert np.allclose(got_sd, sd, rtol=0.1)


def components_are_degenerate_below_what_the_family_resolves_and_not_above(case: Case) -> None:
    """Rows of groups as narrow as may be are not held for artefacts; those of narrower ones are."""
    narrowest = case.build(case.kinds).narrowest
    for x, labels, too_narrow in (
        (*case.rows(12, 300, 1e5), False),
        *([(*case.unresolved(12, 300, 100 / narrowest), True)] if narrowest else []),
    ):
        model = case.model(x, K)
        at = start(model, x, responsibilities(12, labels, K, 0.0))
        found = model.family.degenerate(at.components, np.bincount(labels, minlength=K).astype(np.float64))
        held = [bool(degeneracy and degeneracy.at_resolution) for degeneracy in found]
        assert held == [too_narrow] * K, f"components are {'not ' if too_narrow else ''}held for degenerate"
