"""Climbs in one model, each a row of a stack."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, map_arrays, stack, take
from em_cli.engine.climb import Climb
from em_cli.engine.expectation import Batch, Expectation, ModelStatistics, Parameters
from em_cli.engine.model import gathered
from em_cli.engine.plan import Stack


class StackedCohort:
    """Where their next E-step is to be taken, and what the last pass found; it is None before the first."""

    def __init__(self, key: Hashable, climbs: list[Climb], at: Parameters | None, found: Batch | None) -> None:
        self.key, self.climbs, self.at, self.found = key, climbs, at, found
        self.model = climbs[0].candidate.model
        self._next: Batch | None = None

    def some(self, kept: Flags) -> None:
        """Those that go on."""
        self.climbs = [climb for climb, is_kept in zip(self.climbs, kept, strict=True) if is_kept]
        self.at = take(self.at, kept)
        self.found, self._next = _some(self.found, kept), _some(self._next, kept)

    def asked(self) -> list[tuple[Stack, list[Climb]]]:
        return [] if self.at is None else [(Stack(self.model, self.at), self.climbs)]

    def tell(self, batches: Sequence[Batch]) -> Array:
        """The log-likelihoods (R,) of all."""
        (self._next,) = batches
        return self._next.log_likelihood

    def go_on(self) -> None:
        """From what was told."""
        self.at, self.found, self._next = None, self._next, None

    def expectations(self, which: Sequence[int]) -> Sequence[Expectation | None]:
        """What the last pass found of some."""
        return [None if self.found is None else Expectation(self.found, index) for index in which]


def _tree(found: Batch) -> tuple[Parameters, Array, ModelStatistics]:
    return found.parameters, found.log_likelihood, found.statistics


def _some(found: Batch | None, kept: Flags) -> Batch | None:
    return None if found is None else Batch(*take(_tree(found), kept))


def begun(key: Hashable, climbs: list[Climb]) -> StackedCohort:
    """Climbs in one model, all before their first pass, or none."""
    known = [climb.incumbent for climb in climbs if climb.incumbent is not None]
    if not known:
        return StackedCohort(key, climbs, stack([climb.candidate.start for climb in climbs]), None)
    statistics, parameters = gathered(known)
    log_likelihoods = np.array([each.log_likelihood for each in known])
    return StackedCohort(key, climbs, None, Batch(parameters, log_likelihoods, statistics))


def merged(alike: Sequence[StackedCohort]) -> tuple[StackedCohort, Integers]:
    """Climbs that have been through a pass as one cohort, and the places where they stood one behind the other."""
    climbs = [climb for cohort in alike for climb in cohort.climbs]
    trees = [_tree(cohort.found) for cohort in alike if cohort.found is not None]
    found = Batch(*map_arrays(lambda *arrays: np.concatenate(arrays), trees[0], *trees[1:]))
    return StackedCohort(alike[0].key, climbs, None, found), np.arange(len(climbs))
