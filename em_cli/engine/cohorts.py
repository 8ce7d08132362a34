"""Climbs by EM stay stacked from pass to pass: what one pass has found is where all of them go on from.

Nothing is computed, asked or remembered climb by climb. The climbs themselves are brought up to date where they end,
and where somebody asks for them on their way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, map_arrays, stack, take
from em_cli.engine.climb import Climb
from em_cli.engine.events import ignore
from em_cli.engine.expectation import Batch, Expectation, ModelStatistics, Parameters
from em_cli.engine.model import Model, gathered
from em_cli.engine.parallel_traces import Traces
from em_cli.engine.plan import Stack
from em_cli.engine.side_by_side import maximize_all
from em_cli.engine.stopping import Status


@dataclass(slots=True, eq=False)
class Cohort:
    """Climbs in one model."""

    model: Model
    climbs: list[Climb]
    at: Parameters | None  # where the next E-step is to be taken
    found: Batch | None  # by the last pass; None before the first

    def some(self, kept: Flags) -> None:
        """Those that go on."""
        self.climbs = [climb for climb, is_kept in zip(self.climbs, kept, strict=True) if is_kept]
        self.at = take(self.at, kept)
        self.found = None if self.found is None else _some(self.found, kept)


def _tree(found: Batch) -> tuple[Parameters, Array, ModelStatistics]:
    return found.parameters, found.log_likelihood, found.statistics


def _some(found: Batch, kept: Flags) -> Batch:
    return Batch(*take(_tree(found), kept))


def _begun(climbs: list[Climb]) -> Cohort:
    """Climbs in one model, all before their first pass, or none."""
    model, known = climbs[0].candidate.model, [climb.incumbent for climb in climbs if climb.incumbent is not None]
    if known:
        statistics, parameters = gathered(known)
        return Cohort(model, climbs, None, Batch(parameters, np.array([e.log_likelihood for e in known]), statistics))
    return Cohort(model, climbs, stack([climb.candidate.start for climb in climbs]), None)


def _merged(alike: list[Cohort]) -> Cohort:
    """Those in one model that have been through a pass."""
    first = alike[0]
    if len(alike) > 1:
        trees = [_tree(cohort.found) for cohort in alike if cohort.found is not None]
        first.climbs = [climb for cohort in alike for climb in cohort.climbs]
        first.found = Batch(*map_arrays(lambda *arrays: np.concatenate(arrays), trees[0], *trees[1:]))
    return first


class Cohorts:
    """All climbs by EM of some searches, those in one model together."""

    def __init__(self) -> None:
        self._cohorts: list[Cohort] = []
        self._traces = Traces([], [])

    @property
    def climbs(self) -> list[Climb]:
        """In the order of the cohorts, as the traces are."""
        return [climb for cohort in self._cohorts for climb in cohort.climbs]

    def take(self, climbs: Sequence[Climb]) -> None:
        """Climbs that begin, or that have been brought to where they were."""
        if not climbs:
            return
        models: dict[tuple[int, bool], list[Climb]] = {}
        for climb in climbs:
            models.setdefault((id(climb.candidate.model), climb.incumbent is None), []).append(climb)
        new = [_begun(alike) for alike in models.values()]
        joining = [climb for cohort in new for climb in cohort.climbs]
        self._cohorts += new
        self._traces.join(Traces([climb.trace for climb in joining], [climb.stopping for climb in joining]))

    def asked(self) -> list[tuple[Stack, list[Climb]]]:
        """Where they want their E-steps: at their starts, or at the M-steps of what the last pass found."""
        known = [(cohort, cohort.found) for cohort in self._cohorts if cohort.found is not None]
        made = maximize_all([(cohort.model, found.statistics, found.parameters) for cohort, found in known])
        lost = {id(cohort): empty for (cohort, _), (_, empty) in zip(known, made, strict=True) if empty.any()}
        for (cohort, _), (parameters, _) in zip(known, made, strict=True):
            cohort.at = parameters
        if lost:
            flags = [lost.get(id(cohort), np.zeros(len(cohort.climbs), np.bool_)) for cohort in self._cohorts]
            self._end(np.flatnonzero(np.concatenate(flags)), "a component has lost all its rows")
        return [(Stack(cohort.model, cohort.at), cohort.climbs) for cohort in self._cohorts if cohort.at is not None]

    def tell(self, batches: Sequence[Batch]) -> None:
        """What the pass has found, for the cohorts in their order."""
        if not self._cohorts:
            return
        heights = np.concatenate([batch.log_likelihood for batch in batches])
        finite = np.isfinite(heights)
        if not finite.all():
            parts = [finite[own] for own in self._slices()]
            batches = [_some(batch, part) for batch, part in zip(batches, parts, strict=True) if part.any()]
            self._end(np.flatnonzero(~finite), "the log-likelihood is not finite")
            heights = heights[finite]
        for cohort, batch in zip(self._cohorts, batches, strict=True):
            cohort.at, cohort.found = None, batch
        self._traces.append(heights)
        self._tell(heights)
        self._rest()
        self._merge()

    def settle(self) -> None:
        """Bring all climbs up to date."""
        for row, (cohort, index) in enumerate(self._places()):
            self._bring(row, cohort, index)

    def forget_ended(self) -> None:
        """Those that somebody else has ended."""
        self._keep(np.array([climb.result is None for climb in self.climbs], np.bool_))

    def _slices(self) -> list[slice]:
        ends = np.cumsum([0, *(len(cohort.climbs) for cohort in self._cohorts)]).tolist()
        return [slice(first, stop) for first, stop in pairwise(ends)]

    def _places(self) -> list[tuple[Cohort, int]]:
        return [(cohort, index) for cohort in self._cohorts for index in range(len(cohort.climbs))]

    def _tell(self, heights: Array) -> None:
        """Those who watch."""
        for row, climb in enumerate(self.climbs):
            if climb.observe is not ignore:
                climb.say(int(self._traces.length[row]), float(heights[row]))

    def _rest(self) -> None:
        """Those that have come to their end."""
        rests, ending = self._traces.verdicts()
        if ending.any():
            places = self._places()
            for row in np.flatnonzero(ending).tolist():
                self._bring(row, *places[row]).end(Status.CONVERGED if rests[row] else Status.MAX_ITERATIONS)
            self._keep(~ending)

    def _end(self, rows: Integers, reason: str) -> None:
        """Those that have come to none."""
        places, going = self._places(), np.ones(len(self._traces.length), np.bool_)
        going[rows] = False
        for row in rows.tolist():
            self._bring(row, *places[row]).end(Status.DEGENERATE, reason)
        self._keep(going)

    def _bring(self, row: int, cohort: Cohort, index: int) -> Climb:
        found = None if cohort.found is None else Expectation(cohort.found, index)
        cohort.climbs[index].stand(self._traces.of(row), found)
        return cohort.climbs[index]

    def _keep(self, going: Flags) -> None:
        if going.all():
            return
        for cohort, own in zip(self._cohorts, self._slices(), strict=True):
            if not going[own].all():
                cohort.some(going[own])
        self._cohorts = [cohort for cohort in self._cohorts if cohort.climbs]
        self._traces.keep(going)

    def _merge(self) -> None:
        """Those in one model, that have come at different times."""
        models: dict[int, list[int]] = {}
        for place, cohort in enumerate(self._cohorts):
            models.setdefault(id(cohort.model), []).append(place)
        if len(models) < len(self._cohorts):
            rows, slices = np.arange(len(self._traces.length)), self._slices()
            self._traces.keep(np.concatenate([rows[slices[place]] for own in models.values() for place in own]))
            self._cohorts = [_merged([self._cohorts[place] for place in own]) for own in models.values()]
