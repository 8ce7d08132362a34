"""What a run remembers of its climbs, so that it can go on after it was killed and end with the same bits.

A search asks for the same climbs again when it is told again how the earlier ones ended; a climb
goes on the same way when it is told again what it was told. So nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from em_cli.engine.arrays import map_arrays
from em_cli.engine.climb import Candidate, Climb, FitResult
from em_cli.engine.expectation import Batch, Expectation, ModelStatistics, Parameters
from em_cli.engine.stopping import Status

T = TypeVar("T")


@dataclass(slots=True)
class Packed:
    """Plain facts, as JSON can hold them, and arrays that they name by their place."""

    facts: Any = None
    arrays: list[Any] = field(default_factory=list)

    def put(self, tree: Any) -> list[int]:
        """Take the arrays of a tree; their places."""
        first = len(self.arrays)

        def noted(array: Any) -> Any:
            self.arrays.append(array)
            return array

        map_arrays(noted, tree)
        return list(range(first, len(self.arrays)))

    def get(self, places: Iterable[int], like: T) -> T:
        """The tree again, built like another one."""
        arrays = (self.arrays[place] for place in places)
        return map_arrays(lambda _: _scalar(next(arrays)), like)


def _scalar(array: Any) -> Any:
    return array[()] if array.ndim == 0 else array


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """Of one `run_searches`: how climbs ended, in the order in which the searches told it, and those on their way."""

    ended: Sequence[tuple[int, Packed]] = ()  # which search, and the results of its climbs
    on_the_way: Packed | None = None


class Checkpoint(Protocol):
    """Where a run keeps what it would need to go on."""

    def begin(self) -> Checkpointed:
        """Another `run_searches` begins."""

    def ended(self, search: int, results: Sequence[FitResult]) -> None:
        """All climbs of a search have ended, and it has told of it."""

    def due(self) -> bool: ...

    def keep(self, on_the_way: Packed) -> None:
        """From here on the run could go on."""

    def close(self) -> None:
        """What follows is not to be remembered: the run is cut short."""


class _Batches:
    """The batches that some climbs have told of, each packed once."""

    def __init__(self, packed: Packed) -> None:
        self.packed = packed
        self.facts: list[list[Any]] = []
        self._known: dict[int, tuple[Batch, int]] = {}

    def number(self, batch: Batch) -> int:
        if id(batch) not in self._known:
            put, statistics = self.packed.put, batch.statistics
            self._known[id(batch)] = (batch, len(self.facts))
            sums = [put(statistics.components), put(statistics.latent), isinstance(statistics.latent, tuple)]
            found = [put(batch.parameters), put(batch.log_likelihood), put(batch.own_objective)]
            self.facts.append([*found, *sums])
        return self._known[id(batch)][1]


class _BatchesAgain:
    """The same batches, each made once, so that climbs that shared one share it again."""

    def __init__(self, packed: Packed, facts: Sequence[Sequence[Any]]) -> None:
        self.packed, self.facts = packed, facts
        self._made: dict[int, Batch] = {}

    def expectation(self, number: int, index: int, like: Parameters) -> Expectation:
        if number not in self._made:
            parameters, log_likelihood, objective, components, latent, several = self.facts[number]
            get, array = self.packed.get, np.empty(0)
            own = (array,) * len(latent) if several else array
            statistics = ModelStatistics(get(components, array), get(latent, own) if latent else None)
            known = get(objective, array) if objective else None
            self._made[number] = Batch(get(parameters, like), get(log_likelihood, array), statistics, known)
        return Expectation(self._made[number], index)


def packed_results(results: Sequence[FitResult]) -> Packed:
    """How climbs ended, to be remembered."""
    packed = Packed()
    packed.facts = [_facts(packed, result) for result in results]
    return packed


def unpacked_results(packed: Packed, candidates: Sequence[Candidate]) -> list[FitResult]:
    """How the same climbs ended then."""
    return [_unpacked(packed, facts, one) for facts, one in zip(packed.facts, candidates, strict=True)]


def _facts(packed: Packed, result: FitResult) -> list[Any]:
    before = len(result.candidate.climbed[:-1])
    own, also = np.array(result.trace[before:]), np.array(result.log_likelihoods[before:])
    plain = [result.log_likelihood, result.status.value, result.remaining, result.reason]
    arrays = [packed.put(each) for each in (result.parameters, result.weight, own, also)]
    return [*plain, result.objective, result.moved, result.stages, *arrays]


def _unpacked(packed: Packed, facts: Sequence[Any], candidate: Candidate) -> FitResult:
    log_likelihood, status, expected_gain, reason, objective, moved, stages, parameters, *arrays = facts
    weight, own, also = [packed.arrays[place] for (place,) in arrays]
    before = candidate.climbed[:-1]
    return FitResult(
        candidate,
        packed.get(parameters, candidate.start),
        log_likelihood,
        weight,
        (*before, *own.tolist()),
        Status(status),
        expected_gain,
        reason,
        objective,
        tuple((first, name) for first, name in stages),
        (*before, *also.tolist()) if len(also) else (),
        moved,
    )


def on_the_way(waiting: Mapping[int, Sequence[Climb]]) -> Packed:
    """The climbs that searches wait for, to be remembered."""
    packed = Packed()
    batches = _Batches(packed)
    searches: dict[str, list[object]] = {}
    for place, climbs in waiting.items():
        searches[str(place)] = known = []
        for climb in climbs:
            if climb.result:
                known.append({"ended": _facts(packed, climb.result)})
                continue
            told = climb.told if climb.told is not None else [climb.incumbent] if climb.incumbent else []
            before = np.array(climb.trace[:-1] if climb.told is None and climb.incumbent else [])
            known.append({"told": [[batches.number(h.batch), h.index] for h in told], "before": packed.put(before)})
    packed.facts = {"batches": batches.facts, "searches": searches}
    return packed


def restore(packed: Packed, waiting: Mapping[int, Sequence[Climb]]) -> None:
    """Bring fresh climbs to where others were."""
    batches = _BatchesAgain(packed, packed.facts["batches"])
    for place, climbs in waiting.items():
        for facts, climb in zip(packed.facts["searches"][str(place)], climbs, strict=True):
            if "ended" in facts:
                climb.result = _unpacked(packed, facts["ended"], climb.candidate)
                continue
            if climb.told is None and facts["told"]:
                climb.trace = packed.arrays[facts["before"][0]].tolist()
                climb.log_likelihoods = list(climb.trace)
                climb.passes = len(climb.trace)
            for number, index in facts["told"]:
                climb.tell(batches.expectation(number, index, climb.candidate.start))
