"""How often another solution than the one near the fit is best, in resamples that are searched anew."""

from __future__ import annotations

from collections.abc import Sequence

from em_cli.algorithms.em import EM
from em_cli.engine.climb import Candidate, FitResult
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import RowWeights, Source
from em_cli.engine.stopping import Stopping
from em_cli.inference.replicates import are_lost
from em_cli.parts import build
from em_cli.search.ledger import reach
from em_cli.search.search import AUTO_STARTS
from em_cli.search.search_data import SearchData
from em_cli.search.starting_values import Starter
from em_cli.search.survey import survey
from em_cli.starts import STARTS

STARTING = 12  # climbs in each resample, from partitions of all rows
FIRST, LAST = Stopping(0.05, 16), Stopping(0.01, 300)
FOLLOWED = 3  # of the first climbs, and again, all the way
BETTER = 0.1  # nats by which another solution is


def better_elsewhere(
    model: Model, near: Sequence[float], weights: Sequence[RowWeights], source: Source, runner: Runner, seed: int
) -> list[bool]:
    """Of each replicate whether climbs from elsewhere, under its weights (n,), end above the log-likelihood near by."""
    kinds = {name: build(STARTS, name, {}) for name in AUTO_STARTS}
    starter = Starter(SearchData(survey(source), lambda: False).block, kinds, seed)
    begun = starter(model, [(AUTO_STARTS[number % len(AUTO_STARTS)], number) for number in range(STARTING)])
    climbs = [
        Candidate(model, EM(), start, place, weights=own) for place, own in enumerate(weights) for _, start in begun
    ]
    enough = [log_likelihood + BETTER for log_likelihood in near]
    for stopping in (FIRST, LAST):
        ends = _sound(model, fit(climbs, source, runner, stopping) if climbs else [])
        climbs = []
        for place, least in enumerate(enough):
            own = sorted((e for e in ends if e.candidate.number == place), key=lambda end: -end.log_likelihood)
            climbs += [_onwards(end) for end in own[:FOLLOWED] if reach(end) > least]
    found = {end.candidate.number for end in ends if end.log_likelihood > enough[end.candidate.number]}
    return [place in found for place in range(len(near))]


def _sound(model: Model, ends: Sequence[FitResult]) -> list[FitResult]:
    return [end for end, gone in zip(ends, are_lost(model, ends), strict=True) if not gone]


def _onwards(end: FitResult) -> Candidate:
    own = end.candidate
    return Candidate(own.model, own.algorithm, end.parameters, own.number, weights=own.weights)
