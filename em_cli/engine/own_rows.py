"""E-steps of candidates that stand on rows of their own each, such as drawn ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, map_arrays, take
from em_cli.engine.assignment import SOFT
from em_cli.engine.base_measure import base_measure
from em_cli.engine.cache import KEPT_FLOATS, Cache, scratch
from em_cli.engine.expectation import Batch, ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.kept_features import features_of
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import JOINT_FLOATS, Stack, tile_rows
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source

Members = list[tuple[Source, slice]]  # which candidates stand on a source
SmallMembers = list[tuple["_Rows", slice]]


class OwnRows:
    """What passes need to know of each of the sources, as long as searches run on them."""

    def __init__(self, runner: Runner, by_density: bool) -> None:
        self.runner, self.by_density = runner, by_density
        self._known = Cache[Cache[_Rows]]()  # by family and source

    def pass_each(self, asked: Stack, sources: Sequence[Source]) -> Batch:
        """The E-steps of the candidates of a stack, each on its source; those of one source stand together.

        Small sources are gone through in one go where log-densities are all that the latent structure needs
        (`by_density`).
        """
        members = _members(sources)
        if self.by_density and asked.assignment is SOFT and (small := self._small(asked.model, members)):
            theta = _natural(asked)
            if theta is not None:
                return _batch([_at_once(asked, theta, some) for some in _in_parts(asked.model, small)])
        found = []
        for source, some in members:
            stack = Stack(asked.model, take(asked.parameters, some), asked.assignment, plain=asked.plain)
            found += one_pass([stack], source, self.runner)
        return _batch(found)

    def _small(self, model: Model, members: Members) -> SmallMembers:
        """What is known of each, if all are small, and of as many rows; else none."""
        family = model.family
        known = self._known.of(family) or self._known.keep(family, Cache())
        of_each = [known.of(source) or known.keep(source, _Rows.of(family, source)) for source, _ in members]
        n = of_each[0].features.shape[1]
        if n * family.n_features() * model.n_components > exponential_family.PRODUCT:
            return []
        if not all(rows.are_small and rows.features.shape[1] == n for rows in of_each):
            return []
        return [(rows, some) for rows, (_, some) in zip(of_each, members, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Those of a source."""

    are_small: bool  # a single tile, of which features are kept, without case weights and labels
    features: Array  # (F, n), if they are small
    base_measure: float

    @staticmethod
    def of(family: BoundFamily, source: Source) -> _Rows:
        f, n = family.n_features(), source.n_rows
        if n > tile_rows(f) or f * n > KEPT_FLOATS or len(source) > 1 or not _plain(block := source[0]):
            return _Rows(False, np.empty((0, 0)), 0.0)
        kept = source.cache.features(family)  # where a pass looks for them
        return _Rows(True, features_of(family, kept, f, block), base_measure(family, source))


def _members(sources: Sequence[Source]) -> Members:
    found: Members = []
    first = 0
    for _, same in groupby(sources, key=id):
        count = len(list(same))
        found.append((sources[first], slice(first, first + count)))
        first += count
    return found


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


def _in_parts(model: Model, members: SmallMembers) -> Iterator[SmallMembers]:
    """So many at once as have log-densities for a core's own cache."""
    most = max(1, JOINT_FLOATS // (model.n_components * members[0][0].features.shape[1]))
    part: SmallMembers = []
    for rows, some in members:
        if part and some.stop - part[0][1].start > most:
            yield part
            part = []
        part.append((rows, some))
    yield part


def _at_once(asked: Stack, theta: Array, members: SmallMembers) -> Batch:
    model, whole = asked.model, slice(members[0][1].start, members[-1][1].stop)
    parameters, own_theta = take(asked.parameters, whole), theta[whole]
    own = [(rows.features, slice(s.start - whole.start, s.stop - whole.start)) for rows, s in members]
    n = own[0][0].shape[1]
    joint = scratch("joint", len(own_theta), model.n_components, n)
    for features, some in own:
        exponential_family.log_density(features, own_theta[some], None, joint[some])
    rows = Block(0, np.empty((0, n)))
    posterior = model.latent.posterior(joint, parameters.latent, rows, None, asked.assignment)
    log_likelihood = model.latent.total(posterior.log_likelihood, rows, None)
    sums = np.concatenate([exponential_family.statistics(features, joint[some]) for features, some in own])
    if asked.constants is None:
        constants = np.repeat([rows.base_measure for rows, _ in members], [s.stop - s.start for _, s in members])
    else:
        constants = asked.constants[whole]
    statistics = ModelStatistics(sums, posterior.statistics)
    return Batch(parameters, log_likelihood + constants + model.log_prior(parameters), statistics)


def _batch(parts: Sequence[Batch]) -> Batch:
    """One behind the other."""
    if len(parts) == 1:
        return parts[0]
    trees = [(part.parameters, part.log_likelihood, part.statistics, part.own_objective) for part in parts]
    return Batch(*map_arrays(lambda *arrays: np.concatenate(arrays), trees[0], *trees[1:]))
