"""Bootstrap replicates of a fit: the same model climbs from it, under weights of each one's own.

Nonparametric (Efron 1979), weighted likelihood (Newton & Raftery 1994) and the jackknife (Tukey 1958). A replicate
depends on the seed and its number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.algorithms.lbfgs import LBFGS
from em_cli.engine.arrays import Array, Integers, stack
from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import Search, fit, run_apart
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source
from em_cli.engine.scoring import base_measure, log_densities
from em_cli.engine.stopping import Status, Stopping
from em_cli.inference.matching import AMBIGUOUS, distances, matched
from em_cli.latents.independent import Independent
from em_cli.sources.in_memory import InMemory

KINDS = ("nonparametric", "weighted", "parametric", "jackknife")
QUICK = Stopping(tolerance=1e-3, max_iterations=30)  # of EM, for which replicates are stacked
PATIENT = Stopping(tolerance=1e-3, max_iterations=500)  # of L-BFGS, for those that are not done then
AT_ONCE = 1 << 24  # weights


class Verdict(Enum):
    OK = "ok"
    AMBIGUOUS = "ambiguous"  # which of its components is which
    LOST = "lost"  # a component collapsed, or has no rows
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, eq=False)
class Replicate:
    """Where the climb of a replicate ended; its components are in the order of those of the fit."""

    number: int
    result: FitResult
    parameters: Parameters
    verdict: Verdict
    margin: float


def weights_of(kind: str, n: int, number: int, seed: int) -> Array:
    """(n,) how much each row counts in a replicate; they sum to n, but in the jackknife."""
    if kind == "jackknife":
        kept = np.ones(n)
        kept[number] = 0.0
        return kept
    rng = np.random.default_rng((seed, number))
    if kind == "weighted":
        drawn: Array = rng.standard_exponential(n)
        shares: Array = drawn * (n / drawn.sum())
        return shares
    counted: Array = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
    return counted


def replicates(
    model: Model, start: Parameters, source: InMemory, runner: Runner, kind: str, many: int, seed: int
) -> Iterator[Replicate]:
    """So many of them, in their order; whole groups are drawn where rows are in groups."""
    lengths = None if source.groups is None else np.diff(source.groups)
    units, base = source.n_rows if lengths is None else len(lengths), _of_rows(model, start, source)
    for numbers in _turns(many, source.n_rows):
        own = [weights_of(kind, units, number, seed) for number in numbers]
        weights = own if lengths is None else [np.repeat(each, lengths) for each in own]
        candidates = [Candidate(model, EM(), start, n, weights=w) for n, w in zip(numbers, weights, strict=True)]
        for number, result in zip(numbers, climbed(candidates, source, runner, QUICK, PATIENT), strict=True):
            yield _aligned(number, result, model, source, base)


def drawn_replicates(
    model: Model, start: Parameters, source: InMemory, runner: Runner, draw: Callable[[int], InMemory], many: int
) -> Iterator[Replicate]:
    """Parametric ones (Efron 1985): fitted to rows that are drawn from the fit; told apart on its own rows."""
    base = _of_rows(model, start, source)
    for numbers in _turns(many, source.x.size):
        rows = [draw(number) for number in numbers]
        climbs = [_climb(Candidate(model, EM(), start, number)) for number in numbers]
        results = run_apart(climbs, rows, runner, by_density=isinstance(model.latent, Independent))
        for number, own, result in zip(numbers, rows, results, strict=True):
            height = result.log_likelihood - model.constant + base_measure(model, own)
            yield _aligned(number, replace(result, log_likelihood=height), model, source, base)


def _turns(many: int, size: int) -> Iterator[range]:
    """As many at once as memory is for."""
    at_once = max(1, AT_ONCE // size)
    return (range(first, min(first + at_once, many)) for first in range(0, many, at_once))


def _climb(candidate: Candidate) -> Search[FitResult]:
    (result,) = yield Round([candidate], QUICK)
    if result.status is Status.MAX_ITERATIONS:
        (result,) = yield Round([replace(candidate, algorithm=LBFGS(), start=result.parameters)], PATIENT)
    return result


def climbed(
    candidates: Sequence[Candidate],
    source: Source,
    runner: Runner,
    quick: Stopping,
    patient: Stopping,
    halted: Callable[[], bool] = lambda: False,
) -> list[FitResult]:
    """Where the climbs end, those that are slow by L-BFGS."""
    results = fit(candidates, source, runner, quick, halted=halted)
    late = [place for place, result in enumerate(results) if result.status is Status.MAX_ITERATIONS]
    onwards = [replace(candidates[p], algorithm=LBFGS(), start=results[p].parameters) for p in late]
    for place, result in zip(
        late, fit(onwards, source, runner, patient, halted=halted) if onwards else (), strict=True
    ):
        results[place] = result
    return results


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What a mixture says of the rows."""

    log_density: Array  # (K, n) of its components
    responsibilities: Array  # (K, n)


def _of_rows(model: Model, parameters: Parameters, source: InMemory) -> _Rows:
    stacked = stack([parameters])
    density = log_densities(model, stacked, source.x, np.zeros((1, model.n_components)))
    joint = density + model.latent.log_prior(stacked.latent)[..., None]
    model.latent.posterior(joint, stacked.latent, Block(0, source.x, groups=source.groups))
    return _Rows(density[0], joint[0])


def _aligned(number: int, result: FitResult, model: Model, source: InMemory, base: _Rows) -> Replicate:
    """With its components in the order of those of the fit that they are nearest to."""
    own = result.parameters
    if result.status is Status.DEGENERATE or not np.isfinite(result.log_likelihood):
        return Replicate(number, result, own, Verdict.LOST, np.nan)
    if any(collapse is not None for collapse in model.family.degenerate(own.components, result.weight)):
        return Replicate(number, result, own, Verdict.LOST, np.nan)
    found = _of_rows(model, own, source)
    pairs = matched(distances(base.responsibilities, base.log_density, found.responsibilities, found.log_density))
    order: Integers = pairs.second[np.argsort(pairs.first)]
    unfinished = result.status is not Status.CONVERGED
    verdict = Verdict.UNFINISHED if unfinished else Verdict.AMBIGUOUS if pairs.margin < AMBIGUOUS else Verdict.OK
    if model.latent.exchangeable:
        own = model.renumbered(own, order)
    return Replicate(number, result, own, verdict, pairs.margin)
