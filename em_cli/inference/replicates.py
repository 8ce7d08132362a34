"""Bootstrap replicates of a fit: the same model climbs from it, under weights of each one's own.

A replicate depends on the seed and its number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import reduce

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.algorithms.lbfgs import LBFGS
from em_cli.engine.arrays import Array, Integers, flat, n_candidates, stack, take
from em_cli.engine.base_measure import base_measures
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.events import Observer, ignore
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import Search, fit, run_apart
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, RowWeights, Source
from em_cli.engine.scoring import log_densities
from em_cli.engine.stopping import Status, Stopping
from em_cli.inference.matching import AMBIGUOUS, Likeness, likeness, orders
from em_cli.inference.quasi_newton import REST, REST_BESIDE, Ends, Metric, climb_together, metric_at
from em_cli.inference.row_weights import row_weights

KINDS = ("nonparametric", "weighted", "parametric", "jackknife")
QUICK = Stopping(tolerance=1e-3, max_iterations=30)  # of EM, for which replicates are stacked
PATIENT = Stopping(tolerance=1e-3, max_iterations=500)  # of L-BFGS, for those that are not done then
AT_ONCE = 1 << 24  # rows, of all replicates
ALIGNED = 1 << 21  # responsibilities that are compared at once
TOGETHER = 250  # replicates, after which it is asked whether there is time for more


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
    lost: tuple[int, ...] = ()  # the components that collapsed, or have no rows


def replicates(
    model: Model, start: Parameters, source: Source, runner: Runner, kind: str, wanted: range, seed: int
) -> Iterator[list[Replicate]]:
    """Those of these numbers, in turns; whole groups are drawn where rows are in groups."""

    def weights(number: int) -> RowWeights:
        return row_weights(kind, source, number, seed)

    rest = REST_BESIDE if kind == "jackknife" else REST
    return weighted_replicates(model, start, source, runner, weights, wanted, rest)


def weighted_replicates(
    model: Model,
    start: Parameters,
    source: Source,
    runner: Runner,
    weights: Callable[[int], RowWeights],
    wanted: range,
    rest: float = REST,
) -> Iterator[list[Replicate]]:
    """Under these weights of the rows, which multiply those that they have."""
    metric = metric_at(model, start, _weight(model, start, source), source, runner)
    for numbers in _turns(wanted, source.n_rows):
        candidates = [Candidate(model, EM(), start, number, weights=weights(number)) for number in numbers]
        results = _climbs(candidates, metric, source, runner, rest)
        yield list(_aligned(numbers, results, model, source, start))


def drawn_replicates(
    model: Model, start: Parameters, source: Source, runner: Runner, draw: Callable[[int], Source], wanted: range
) -> Iterator[list[Replicate]]:
    """Parametric ones (Efron 1985): fitted to rows that are drawn from the fit; told apart on its own rows."""
    for numbers in _turns(wanted, source.n_rows * source.n_columns):
        rows = [draw(number) for number in numbers]
        climbs = [_climb(Candidate(model, EM(), start, number)) for number in numbers]
        results = run_apart(climbs, rows, runner, by_density=model.latent.is_bayes_alone)
        yield list(_aligned(numbers, results, model, source, start))


def _turns(wanted: range, size: int) -> Iterator[range]:
    """As many at once as memory and patience are for."""
    at_once = max(1, min(AT_ONCE // size, TOGETHER))
    return (wanted[first : first + at_once] for first in range(0, len(wanted), at_once))


def _climb(candidate: Candidate) -> Search[FitResult]:
    (result,) = yield Round([candidate], QUICK)
    if result.status is Status.MAX_ITERATIONS:
        (result,) = yield Round([replace(candidate, algorithm=LBFGS(), start=result.parameters)], PATIENT)
    return result


def _climbs(
    candidates: Sequence[Candidate], metric: Metric | None, source: Source, runner: Runner, rest: float
) -> list[FitResult]:
    """Where they end: by quasi-Newton steps together, and those that do not come to rest so by EM."""
    if metric is None:
        return climbed(candidates, source, runner, QUICK, PATIENT)
    weights = [candidate.weights for candidate in candidates if candidate.weights is not None]
    model = candidates[0].model
    constants = base_measures(model.family, source, weights)
    ends = climb_together(model, metric, weights, constants, source, runner, rest)
    others = iter(
        climbed(
            [c for c, done in zip(candidates, ends.rested, strict=True) if not done], source, runner, QUICK, PATIENT
        )
    )
    return [_rested(candidate, ends, r) if ends.rested[r] else next(others) for r, candidate in enumerate(candidates)]


def _rested(candidate: Candidate, ends: Ends, r: int) -> FitResult:
    log_likelihood, remaining = float(ends.log_likelihood[r]), float(ends.remaining[r])
    parameters, weight, trace = take(ends.parameters, r), ends.weight[r], ends.traces[r]
    return FitResult(candidate, parameters, log_likelihood, weight, trace, Status.CONVERGED, remaining)


def climbed(
    candidates: Sequence[Candidate],
    source: Source,
    runner: Runner,
    quick: Stopping,
    patient: Stopping,
    halted: Callable[[], bool] = lambda: False,
    observe: Observer = ignore,
) -> list[FitResult]:
    """Where the climbs end, those that are slow by L-BFGS."""
    results = fit(candidates, source, runner, quick, observe, halted)
    late = [place for place, result in enumerate(results) if result.status is Status.MAX_ITERATIONS]
    onwards = [replace(candidates[p], algorithm=LBFGS(), start=results[p].parameters) for p in late]
    for place, result in zip(
        late, fit(onwards, source, runner, patient, observe, halted) if onwards else (), strict=True
    ):
        results[place] = result
    return results


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What R mixtures say of some rows."""

    log_density: Array  # (R, K, n) of the components
    responsibilities: Array  # (R, L, n) of all outcomes


def of_rows(model: Model, stacked: Parameters, rows: Block) -> Rows:
    """Log-densities and responsibilities (R, K, n) of some rows."""
    density = log_densities(model, stacked, rows.x, np.zeros((n_candidates(stacked), model.n_components)))
    joint = density + model.latent.log_prior(stacked.latent)[..., None]
    model.latent.posterior(joint, stacked.latent, Block(0, rows.x, groups=rows.groups))
    return Rows(density, joint)


def _weight(model: Model, start: Parameters, source: Source) -> Array:
    """(K,) that the components bear, under the weights of the rows."""
    total = np.zeros(model.n_components)
    for block in (source[index] for index in range(len(source))):
        own = of_rows(model, stack([start]), block).responsibilities[0, : model.n_components]
        total += (own if block.weights is None else own * block.weights).sum(axis=1)
    return total


def _aligned(
    numbers: range, results: Sequence[FitResult], model: Model, source: Source, start: Parameters
) -> Iterator[Replicate]:
    """With their components in the order of those of the fit that they are nearest to."""
    lost = lost_components(model, results)
    kept = [result.parameters for result, gone in zip(results, lost, strict=True) if not gone]
    pairs = iter(zip(*_orders(model, kept, source, start), strict=True) if kept else ())
    for number, result, gone in zip(numbers, results, lost, strict=True):
        own = result.parameters
        if gone:
            yield Replicate(number, result, own, Verdict.LOST, np.nan, gone)
            continue
        order, margin = next(pairs)
        unfinished = result.status is not Status.CONVERGED
        verdict = Verdict.UNFINISHED if unfinished else Verdict.AMBIGUOUS if margin < AMBIGUOUS else Verdict.OK
        if model.latent.exchangeable and (order != np.arange(len(order))).any():
            own = model.renumbered(own, order)
        yield Replicate(number, result, own, verdict, float(margin))


def _orders(model: Model, ends: Sequence[Parameters], source: Source, start: Parameters) -> tuple[Integers, Array]:
    """(R, K) and the margins (R,), by all rows, of which a block is read once."""
    at_once = max(1, ALIGNED // (model.n_components * min(source.n_rows, SUM_ROWS)))
    some = [stack(ends[first : first + at_once]) for first in range(0, len(ends), at_once)]
    blocks = (source[index] for index in range(len(source)))
    sums = reduce(_each_added, (_likeness(model, some, block, start) for block in blocks))
    return orders(np.concatenate([own.distances for own in sums]))


def _each_added(first: list[Likeness], second: list[Likeness]) -> list[Likeness]:
    return [one + other for one, other in zip(first, second, strict=True)]


def _likeness(model: Model, ends: Sequence[Parameters], rows: Block, start: Parameters) -> list[Likeness]:
    """Of each of the stacks."""
    k, base = model.n_components, of_rows(model, stack([start]), rows)
    r, f = base.responsibilities[0, :k], base.log_density[0]
    others = (of_rows(model, stacked, rows) for stacked in ends)
    return [likeness(r, f, own.responsibilities[:, :k], own.log_density) for own in others]


def are_lost(model: Model, results: Sequence[FitResult]) -> list[bool]:
    """Which of them have no density, or a component that is degenerate."""
    return list(map(bool, lost_components(model, results)))


def lost_components(model: Model, results: Sequence[FitResult]) -> list[tuple[int, ...]]:
    """The components of each that are degenerate; where a climb broke off and none is yet, the one of fewest rows."""
    finite = [result for result in results if np.isfinite(result.log_likelihood)]
    found = iter(_degenerate(model, finite) if finite else ())
    lost = list[tuple[int, ...]]()
    for result in results:
        own = next(found) if np.isfinite(result.log_likelihood) else ()
        broken = result.status is Status.DEGENERATE or not np.isfinite(result.log_likelihood)
        lost.append(own or ((int(result.weight.argmin()),) if broken else ()))
    return lost


def _degenerate(model: Model, results: Sequence[FitResult]) -> list[tuple[int, ...]]:
    weight, k = np.concatenate([result.weight for result in results]), model.n_components
    found = model.family.degenerate(flat(stack([result.parameters.components for result in results])), weight)
    by_result = (found[first : first + k] for first in range(0, len(found), k))
    return [tuple(place for place, collapse in enumerate(own) if collapse is not None) for own in by_result]
