"""Climbs by EM stay together from pass to pass: what one pass has found is where all of them go on from.

Nothing is computed, asked or remembered climb by climb. The climbs themselves are brought up to date where they end,
and where somebody asks for them on their way.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise

import numpy as np

from em_cli.engine import flat_cohort, stacked_cohort
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.climb import Climb
from em_cli.engine.events import ignore
from em_cli.engine.expectation import Batch
from em_cli.engine.flat_cohort import FlatCohort, flat_key
from em_cli.engine.parallel_traces import Traces
from em_cli.engine.plan import Stack
from em_cli.engine.rows import Source
from em_cli.engine.side_by_side import maximize_all
from em_cli.engine.stacked_cohort import StackedCohort
from em_cli.engine.stopping import Status

Cohort = FlatCohort | StackedCohort


class Cohorts:
    """All climbs by EM of some searches, those that may go together in one.

    Of searches on rows of their own each, these are those in one model.
    """

    def __init__(self, rows: Source | None) -> None:
        self._rows = rows  # of all climbs
        self._cohorts: list[Cohort] = []
        self._traces = Traces([], [])
        self._asked: list[int] = []  # how many stacks each cohort has asked for

    @property
    def climbs(self) -> list[Climb]:
        """In the order of the cohorts, as the traces are."""
        return [climb for cohort in self._cohorts for climb in cohort.climbs]

    def take(self, climbs: Sequence[Climb]) -> None:
        """Climbs that begin, or that have been brought to where they were."""
        if not climbs:
            return
        keys: dict[int, Hashable] = {}  # of models
        alike: dict[tuple[Hashable, bool], list[Climb]] = {}
        for climb in climbs:
            model = climb.candidate.model
            if id(model) not in keys:
                keys[id(model)] = None if self._rows is None else flat_key(model, self._rows)
            alike.setdefault((keys[id(model)] or id(model), climb.incumbent is None), []).append(climb)
        new: list[Cohort] = [
            stacked_cohort.begun(key, own) if isinstance(key, int) else flat_cohort.begun(key, own)
            for (key, _), own in alike.items()
        ]
        joining = [climb for cohort in new for climb in cohort.climbs]
        self._cohorts += new
        self._traces.join(Traces([climb.trace for climb in joining], [climb.stopping for climb in joining]))

    def asked(self) -> list[tuple[Stack, list[Climb]]]:
        """Where they want their E-steps: at their starts, or at the M-steps of what the last pass found.

        Those in flat cohorts are looked at when the others are told.
        """
        lost = self._maximized()
        if any(empty.any() for empty in lost):
            self._end(np.flatnonzero(np.concatenate(lost)), "a component has lost all its rows")
        asked = [cohort.asked() for cohort in self._cohorts]
        self._asked = [len(own) for own in asked]
        return [each for own in asked for each in own]

    def _maximized(self) -> list[Flags]:
        """The candidates (R,) of each cohort that have an empty component."""
        empty: dict[int, Flags] = {}
        stacked = list[tuple[StackedCohort, Batch]]()
        for cohort in self._cohorts:
            if isinstance(cohort, StackedCohort):
                stacked += [] if cohort.found is None else [(cohort, cohort.found)]
            elif cohort.found is not None:
                empty[id(cohort)] = cohort.maximize()
        made = maximize_all([(cohort.model, found.statistics, found.parameters) for cohort, found in stacked])
        for (one, _), (parameters, flags) in zip(stacked, made, strict=True):
            one.at, empty[id(one)] = parameters, flags
        return [empty.get(id(cohort), np.zeros(len(cohort.climbs), np.bool_)) for cohort in self._cohorts]

    def tell(self, batches: Sequence[Batch]) -> None:
        """What the pass has found, for all that was asked in its order."""
        if not self._cohorts:
            return
        ends = np.cumsum([0, *self._asked]).tolist()
        own = [batches[first:stop] for first, stop in pairwise(ends)]
        log_likelihoods = np.concatenate([cohort.tell(each) for cohort, each in zip(self._cohorts, own, strict=True)])
        finite = np.isfinite(log_likelihoods)
        if not finite.all():
            self._end(np.flatnonzero(~finite), "the log-likelihood is not finite")
            log_likelihoods = log_likelihoods[finite]
        for cohort in self._cohorts:
            cohort.go_on()
        self._traces.append(log_likelihoods)
        self._tell(log_likelihoods)
        self._rest()
        self._merge()

    def settle(self) -> None:
        """Bring all climbs up to date."""
        self._brought(np.arange(len(self._traces.length)))

    def forget_ended(self) -> None:
        """Those that somebody else has ended."""
        self._keep(np.array([climb.result is None for climb in self.climbs], np.bool_))

    def _slices(self) -> list[slice]:
        ends = np.cumsum([0, *(len(cohort.climbs) for cohort in self._cohorts)]).tolist()
        return [slice(first, stop) for first, stop in pairwise(ends)]

    def _tell(self, log_likelihoods: Array) -> None:
        """Those who watch."""
        for row, climb in enumerate(self.climbs):
            if climb.observe is not ignore:
                climb.say(int(self._traces.length[row]), float(log_likelihoods[row]))

    def _rest(self) -> None:
        """Those that have come to their end."""
        rests, ending = self._traces.verdicts()
        if ending.any():
            rows = np.flatnonzero(ending)
            for climb, at_rest in zip(self._brought(rows), rests[rows].tolist(), strict=True):
                climb.end(Status.CONVERGED if at_rest else Status.MAX_ITERATIONS)
            self._keep(~ending)

    def _end(self, rows: Integers, reason: str) -> None:
        """Those that have come to none."""
        going = np.ones(len(self._traces.length), np.bool_)
        going[rows] = False
        for climb in self._brought(rows):
            climb.end(Status.DEGENERATE, reason)
        self._keep(going)

    def _brought(self, rows: Integers) -> list[Climb]:
        """The climbs of these rows of the traces (ascending), up to date."""
        brought = list[Climb]()
        for cohort, own in zip(self._cohorts, self._slices(), strict=True):
            inside = rows[np.searchsorted(rows, own.start) : np.searchsorted(rows, own.stop)]
            which: list[int] = (inside - own.start).tolist()
            found = cohort.expectations(which) if which else ()
            for row, index, expectation in zip(inside.tolist(), which, found, strict=True):
                cohort.climbs[index].stand(self._traces.of(row), expectation)
                brought.append(cohort.climbs[index])
        return brought

    def _keep(self, going: Flags) -> None:
        if going.all():
            return
        kept: list[Cohort] = []
        for cohort, own in zip(self._cohorts, self._slices(), strict=True):
            if going[own].any():
                kept.append(cohort)
                if not going[own].all():
                    cohort.some(going[own])
        self._cohorts = kept
        self._traces.keep(going)

    def _merge(self) -> None:
        """Those that may go together, and have come at different times."""
        keys: dict[Hashable, list[int]] = {}
        for place, cohort in enumerate(self._cohorts):
            keys.setdefault(cohort.key, []).append(place)
        if len(keys) == len(self._cohorts):
            return
        rows, slices, cohorts = list[Integers](), self._slices(), list[Cohort]()
        for places in keys.values():
            own = np.concatenate([np.arange(slices[place].start, slices[place].stop) for place in places])
            alike = [self._cohorts[place] for place in places]
            one, order = _merged(alike) if len(alike) > 1 else (alike[0], np.arange(len(own)))
            rows.append(own[order])
            cohorts.append(one)
        self._traces.keep(np.concatenate(rows))
        self._cohorts = cohorts


def _merged(alike: Sequence[Cohort]) -> tuple[Cohort, Integers]:
    if flat := [cohort for cohort in alike if isinstance(cohort, FlatCohort)]:
        return flat_cohort.merged(flat)
    return stacked_cohort.merged([cohort for cohort in alike if isinstance(cohort, StackedCohort)])
