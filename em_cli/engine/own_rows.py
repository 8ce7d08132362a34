"""E-steps of candidates that stand on rows of their own each, such as drawn ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, map_arrays, take
from em_cli.engine.assignment import SOFT
from em_cli.engine.base_measure import base_measure
from em_cli.engine.cache import KEPT_FLOATS
from em_cli.engine.expectation import Batch, ModelStatistics
from em_cli.engine.kept_features import features_of
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import JOINT_FLOATS, Stack, tile_rows
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source

Members = list[tuple[Source, slice]]  # which candidates stand on a source


def pass_each(asked: Stack, sources: Sequence[Source], runner: Runner, by_density: bool) -> Batch:
    """The E-steps of the candidates of a stack, each on its source; those of one source stand together.

    Small sources are gone through in one go where log-densities are all that the latent structure needs (`by_density`).
    """
    members = _members(sources)
    if by_density and asked.assignment is SOFT and _small(asked.model, [source for source, _ in members]):
        theta = _natural(asked)
        if theta is not None:
            return _batch([_at_once(asked, theta, some) for some in _in_parts(asked.model, members)])
    found = []
    for source, some in members:
        found += one_pass(
            [Stack(asked.model, take(asked.parameters, some), asked.assignment, plain=asked.plain)], source, runner
        )
    return _batch(found)


def _members(sources: Sequence[Source]) -> Members:
    found: Members = []
    first = 0
    for _, same in groupby(sources, key=id):
        count = len(list(same))
        found.append((sources[first], slice(first, first + count)))
        first += count
    return found


def _small(model: Model, sources: Sequence[Source]) -> bool:
    """Whether features are kept of each, and each is a single tile of as many rows, without case weights and labels."""
    f, n = model.family.n_features(), sources[0].n_rows
    if n > tile_rows(f) or f * n > KEPT_FLOATS or n * f * model.n_components > exponential_family.PRODUCT:
        return False
    return all(len(source) == 1 and source.n_rows == n and _plain(source[0]) for source in sources)


def _plain(block: Block) -> bool:
    return block.weights is None and block.labels is None


def _natural(asked: Stack) -> Array | None:
    """(R, K, F) the natural parameters, log-prior included; None if some may not be evaluated by them."""
    by_products = asked.model.family.exponential
    if by_products is None:
        return None
    theta, apart = by_products.natural(asked.parameters.components)
    if apart.any():
        return None
    theta = theta.copy()
    theta[..., 0] += asked.model.latent.log_prior(asked.parameters.latent)
    return theta


def _in_parts(model: Model, members: Members) -> Iterator[Members]:
    """So many at once as have log-densities for a core's own cache."""
    most = max(1, JOINT_FLOATS // (model.n_components * members[0][0].n_rows))
    part: Members = []
    for source, some in members:
        if part and some.stop - part[0][1].start > most:
            yield part
            part = []
        part.append((source, some))
    yield part


def _at_once(asked: Stack, theta: Array, members: Members) -> Batch:
    model, whole = asked.model, slice(members[0][1].start, members[-1][1].stop)
    parameters = take(asked.parameters, whole)
    own = [(_features(model, source), slice(s.start - whole.start, s.stop - whole.start)) for source, s in members]
    n = members[0][0].n_rows
    joint = np.empty((whole.stop - whole.start, model.n_components, n))
    for features, some in own:
        exponential_family.log_density(features, theta[whole][some], None, joint[some])
    rows = Block(0, np.empty((0, n)))
    posterior = model.latent.posterior(joint, parameters.latent, rows, None, asked.assignment)
    log_likelihood = model.latent.total(posterior.log_likelihood, rows, None)
    sums = np.concatenate([exponential_family.statistics(features, joint[some]) for features, some in own])
    if asked.constants is None:
        constants = np.concatenate([np.full(s.stop - s.start, base_measure(model.family, own)) for own, s in members])
    else:
        constants = asked.constants[whole]
    statistics = ModelStatistics(sums, posterior.statistics)
    return Batch(parameters, log_likelihood + constants + model.log_prior(parameters), statistics)


def _features(model: Model, source: Source) -> Array:
    """(F, n), kept where a pass looks for them."""
    return features_of(model.family, source.cache.features(model.family), model.family.n_features(), source[0])


def _batch(parts: Sequence[Batch]) -> Batch:
    """One behind the other."""
    if len(parts) == 1:
        return parts[0]
    trees = [(part.parameters, part.log_likelihood, part.statistics, part.own_objective) for part in parts]
    return Batch(*map_arrays(lambda *arrays: np.concatenate(arrays), trees[0], *trees[1:]))
