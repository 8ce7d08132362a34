"""Climbs in several models whose components have statistics of one kind, all of them one behind the other.

One M-step serves all, whatever their models and numbers of components; a pass makes two products and a softmax for
each model. Between passes nothing is stacked, cut or planned anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, copies, map_arrays, take
from em_cli.engine.climb import Climb
from em_cli.engine.expectation import Batch, Expectation, ModelStatistics, Parameters
from em_cli.engine.exponential_family import Exponential, Kindred
from em_cli.engine.flat_pass import FewRows, Segment, expected, fits
from em_cli.engine.latent import KindredLatent
from em_cli.engine.model import SMALLEST_WEIGHT, Model
from em_cli.engine.owners import Owners
from em_cli.engine.plan import Stack
from em_cli.engine.rows import Source


def flat_key(model: Model, rows: Source) -> Hashable:
    """Models of equal keys may climb together, all their components one behind the other; None of one that may not."""
    by_products = model.family.exponential
    kindred = None if by_products is None else by_products.kindred
    if kindred is None or model.latent.kindred is None or model.prior or model.is_variational:
        return None
    return (kindred.kin, model.latent.kindred) if fits(model, rows) else None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a pass found at parameters of C components, of R candidates."""

    parameters: Parameters  # (C, …)
    log_likelihood: Array  # (R,)
    statistics: Array  # (C, S)


class Layout:
    """Where the candidates of some models and their components stand, those of one family one behind the other."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.owners = Owners(np.array([model.n_components for model in models], np.intp))
        first = [*self.owners.first.tolist(), len(self.owners.of)]
        self.segments: list[Segment] = []
        self.families: list[Exponential] = []
        self.places: list[slice] = []  # of the components of each family
        self.sizes: list[Integers] = []  # of its candidates
        stop = 0
        for _, alike in groupby(models, key=lambda model: id(model.family)):
            begin = stop
            for _, own in groupby(alike, key=id):
                same = [*own]
                start, stop = stop, stop + len(same)
                self.segments.append(Segment(same[0], slice(start, stop), slice(first[start], first[stop])))
            self.families.append(self.segments[-1].by_products)
            self.places.append(slice(first[begin], first[stop]))
            self.sizes.append(self.owners.sizes[begin:stop])

    def of(self, candidates: Sequence[int]) -> list[slice]:
        """The components of each of some."""
        first, sizes = self.owners.first[candidates].tolist(), self.owners.sizes[candidates].tolist()
        return [slice(begin, begin + size) for begin, size in zip(first, sizes, strict=True)]


class FlatCohort:
    """Climbs that may go together, those in one model one behind the other."""

    def __init__(
        self, key: Hashable, climbs: list[Climb], rows: FewRows, at: Parameters | None, found: Found | None
    ) -> None:
        self.key, self.climbs, self.rows, self.at, self.found = key, climbs, rows, at, found
        self.layout = Layout([climb.candidate.model for climb in climbs])
        self.kindred, self.latent = _kindred(climbs[0].candidate.model)
        self._next: Found | None = None
        self._theta: Array | None = None  # (C, F) natural parameters of the pass that is asked for
        self._apart: list[tuple[Segment, Integers]] = []

    def some(self, kept: Flags) -> None:
        """Those that go on."""
        own = kept[self.layout.owners.of]
        self.climbs = [climb for climb, is_kept in zip(self.climbs, kept, strict=True) if is_kept]
        self.layout = Layout([climb.candidate.model for climb in self.climbs])
        self.at = take(self.at, own)
        self.found, self._next = _some(self.found, kept, own), _some(self._next, kept, own)

    def maximize(self) -> Flags:
        """Go to the M-steps of what the last pass found; which candidates (R,) have an empty component."""
        assert self.found is not None, "there was a pass"
        layout, statistics, at = self.layout, self.found.statistics, self.found.parameters.components
        weight = statistics[:, 0]
        frames = [[_lifted(take(at, own))] for own in layout.places] if len(layout.places) > 1 else [[_lifted(at)]]
        components = self.kindred.maximize_kin(layout.families, layout.sizes, statistics, frames)
        self.at = Parameters(self.latent.maximize_kin(weight, layout.owners), components)
        return np.logical_not(np.logical_and.reduceat(weight > SMALLEST_WEIGHT, layout.owners.first))

    def asked(self) -> list[tuple[Stack, list[Climb]]]:
        """The candidates that products would evaluate with loss: a pass looks at them apart."""
        self._apart = []
        self._theta, apart = self._natural()
        if not apart.any():
            return []
        asked: list[tuple[Stack, list[Climb]]] = []
        for segment in self.layout.segments:
            stacked = self._stacked(segment)
            if len(members := np.flatnonzero(segment.by_products.natural(stacked.components)[1])):
                self._apart.append((segment, members))
                climbs = self.climbs[segment.candidates]
                asked.append((Stack(segment.model, take(stacked, members)), [climbs[m] for m in members]))
        return asked

    def tell(self, batches: Sequence[Batch]) -> Array:
        """Look at the others; the log-likelihoods (R,) of all."""
        assert self.at is not None and self._theta is not None, "it is known where to look"
        apart = {id(segment): members for segment, members in self._apart}
        left = [_others(segment, apart.get(id(segment))) for segment in self.layout.segments]
        log_likelihoods, statistics = expected(self.layout.segments, left, self.at.latent, self._theta, self.rows)
        for (segment, members), batch in zip(self._apart, batches, strict=True):
            log_likelihoods[segment.candidates][members] = batch.log_likelihood
            own = statistics[segment.components].reshape(*segment.shape, -1)
            own[members] = batch.statistics.components
        self._next = Found(self.at, log_likelihoods, statistics)
        return log_likelihoods

    def go_on(self) -> None:
        """From what was told."""
        self.at, self.found, self._next = None, self._next, None

    def expectations(self, which: Sequence[int]) -> Sequence[Expectation | None]:
        """What the last pass found of some: copies, so that none holds the others."""
        if self.found is None:
            return [None] * len(which)
        components = self.layout.of(which)
        candidates = [slice(index, index + 1) for index in which]
        parameters = copies(self.found.parameters, components)
        statistics = copies(self.found.statistics, components)
        log_likelihoods = [self.found.log_likelihood[own].copy() for own in candidates]
        each = zip(parameters, log_likelihoods, statistics, strict=True)
        return [Expectation(Batch(at, own, ModelStatistics(sums, None)), 0) for at, own, sums in each]

    def _natural(self) -> tuple[Array, Flags]:
        """Natural parameters (C, F), and whether products would evaluate any candidate with loss."""
        assert self.at is not None, "it is known where to look"
        theta, apart = self.layout.segments[0].by_products.natural(_lifted(self.at.components))
        return theta[0], apart

    def _stacked(self, segment: Segment) -> Parameters:
        assert self.at is not None, "it is known where to look"
        shape = segment.shape
        return map_arrays(lambda array: array[segment.components].reshape(*shape, *array.shape[1:]), self.at)


def _kindred(model: Model) -> tuple[Kindred, KindredLatent]:
    by_products, latent = model.family.exponential, model.latent.kindred
    kindred = None if by_products is None else by_products.kindred
    assert kindred is not None and latent is not None, "it has a key"
    return kindred, latent


def _lifted(components: Any) -> Any:
    """As the only candidate of a stack."""
    return map_arrays(lambda array: array[None], components)


def _others(segment: Segment, members: Integers | None) -> Integers | None:
    return None if members is None else np.setdiff1d(np.arange(segment.shape[0]), members)


def _some(found: Found | None, kept: Flags, own: Flags) -> Found | None:
    if found is None:
        return None
    return Found(take(found.parameters, own), found.log_likelihood[kept], found.statistics[own])


def begun(key: Hashable, climbs: list[Climb]) -> FlatCohort:
    """Climbs that may go together, all before their first pass, or none."""
    order = _order([climb.candidate.model for climb in climbs])
    climbs = [climbs[place] for place in order]
    rows = FewRows(climbs[0].rows)
    known = [climb.incumbent for climb in climbs if climb.incumbent is not None]
    if not known:
        return FlatCohort(key, climbs, rows, _joined([climb.candidate.start for climb in climbs]), None)
    log_likelihoods = np.array([each.log_likelihood for each in known])
    statistics = np.concatenate([each.statistics.components for each in known])
    return FlatCohort(
        key, climbs, rows, None, Found(_joined([each.parameters for each in known]), log_likelihoods, statistics)
    )


def merged(alike: Sequence[FlatCohort]) -> tuple[FlatCohort, Integers]:
    """Climbs that have been through a pass as one cohort, and the places where they stood one behind the other."""
    first = alike[0]
    climbs = [climb for cohort in alike for climb in cohort.climbs]
    models = [climb.candidate.model for climb in climbs]
    order = np.array(_order(models), np.intp)
    owners = Owners(np.array([model.n_components for model in models], np.intp))
    found = [cohort.found for cohort in alike if cohort.found is not None]
    own = owners.places(order)
    every = Found(
        take(_joined([each.parameters for each in found]), own),
        np.concatenate([each.log_likelihood for each in found])[order],
        np.concatenate([each.statistics for each in found])[own],
    )
    return FlatCohort(first.key, [climbs[place] for place in order], first.rows, None, every), order


def _joined(trees: Sequence[Parameters]) -> Parameters:
    return map_arrays(lambda *arrays: np.concatenate(arrays), trees[0], *trees[1:])


def _order(models: Sequence[Model]) -> list[int]:
    """Those of one model one behind the other, those of one family likewise."""
    families: dict[int, int] = {}
    own: dict[int, int] = {}
    keys = [
        (families.setdefault(id(model.family), len(families)), own.setdefault(id(model), len(own))) for model in models
    ]
    return sorted(range(len(models)), key=keys.__getitem__)
