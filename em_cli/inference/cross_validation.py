"""Log predictive densities by cross-validation: each row, or group of rows, under a fit to the others (Stone 1974).

The fits of the folds go on from the fit to all rows (Smyth 2000 searched anew; it makes no difference to the choice).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.climb import Candidate, FitResult
from em_cli.engine.events import Advanced, Finished, FitEvent, Observer, PhaseStarted, ignore
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source, checked_groups
from em_cli.engine.scoring import score_block
from em_cli.engine.stopping import Status, Stopping
from em_cli.inference.replicates import climbed

QUICK, PATIENT = Stopping(0.01, 20), Stopping(0.01, 200)
WEIGHTS_AT_ONCE = 1 << 26
NO_DENSITY = -600.0  # of a level that was not seen the logarithm is less, but finite


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What models say of the units of the data, rows or groups of them, that took no part in their fits."""

    log_density: Array  # (M, U)
    weights: Array  # (U,) of the units
    n_rows: float  # by weight
    n_left_out: int  # units to which no model gives a density, such as a level that one row alone bears

    def only(self, models: Sequence[int]) -> Predicted:
        """Of some of the models."""
        return replace(self, log_density=self.log_density[list(models)])

    @property
    def per_row(self) -> Array:
        """(M,)"""
        means: Array = self.log_density @ self.weights / self.n_rows
        return means

    @property
    def standard_errors(self) -> Array:
        """(M,) of the densities per row."""
        return self._errors(self.log_density)

    def gaps(self, best: int) -> tuple[Array, Array]:
        """(M,) by how much the density per row of one model is above those of all, and the errors of these, paired."""
        apart = self.log_density[best] - self.log_density
        return apart @ self.weights / self.n_rows, self._errors(apart)

    def _errors(self, values: Array) -> Array:
        own = values * self.weights
        with np.errstate(invalid="ignore"):
            spread = own.std(axis=1, ddof=1) * np.sqrt(own.shape[1]) / self.n_rows
        return np.asarray(np.where(np.isfinite(own).all(axis=1), spread, np.nan))


def simplest(predicted: Predicted, sizes: Sequence[int]) -> tuple[int, int]:
    """The model of the highest density, and that of fewest parameters within one standard error of it, of equal ones
    the higher (Breiman et al. 1984, with the error of the difference)."""
    best = int(np.argmax(predicted.per_row))
    gaps, errors = predicted.gaps(best)
    within = [m for m in range(len(sizes)) if m == best or gaps[m] <= errors[m]]
    return best, min(within, key=lambda m: (sizes[m], gaps[m]))


def folds_of(n_units: int, folds: int, seed: int) -> Integers:
    """(U,) the fold of each unit, all of one size or nearly so."""
    return np.random.default_rng((seed, n_units, folds)).permutation(np.arange(n_units) % folds)


def cross_validated(
    fits: Sequence[FitResult],
    source: Source,
    folds: int,
    seed: int,
    runner: Runner,
    halted: Callable[[], bool],
    observe: Observer = ignore,
) -> Predicted | None:
    """Of models fitted to all rows; None where time is up, or there are no two units."""
    blocks = [source[index] for index in range(len(source))]
    lengths = np.concatenate([_lengths(block) for block in blocks])
    if len(lengths) < 2:
        return None
    fold = folds_of(len(lengths), min(folds, len(lengths)), seed)
    of_rows = np.repeat(fold, lengths)
    held = [of_rows == each for each in range(fold.max() + 1)]
    densities = np.full((len(fits), len(lengths)), np.nan)
    observe(PhaseStarted("cross-validation", 0, len(fits) * len(held), begins=0.0, ends=1.0))

    def tell(event: FitEvent) -> None:
        if isinstance(event, Finished):  # in a few passes, or else half of the way
            observe(Advanced(event.candidate, 0.5 if event.status == Status.MAX_ITERATIONS.value else 1.0))

    step = max(1, WEIGHTS_AT_ONCE // (source.n_rows * len(held)))
    for first in range(0, len(fits), step):
        some = fits[first : first + step]
        candidates = [
            Candidate(fit.candidate.model, EM(), fit.parameters, place * len(held) + number, weights=~rows)
            for place, fit in enumerate(some, first)
            for number, rows in enumerate(held)
        ]
        ends = climbed(candidates, source, runner, QUICK, PATIENT, halted, tell)
        if halted():
            return None
        for place, end in enumerate(ends):
            model, number = divmod(place, len(held))
            _score(end, blocks, fold, number, densities[first + model])
    weights = np.concatenate([_weights(block) for block in blocks])
    known = ~(densities < NO_DENSITY).all(axis=0)
    rows = float((weights * np.concatenate([_seen(block) for block in blocks]))[known].sum())
    return Predicted(densities[:, known], weights[known], rows, int((~known).sum()))


def _lengths(block: Block) -> Integers:
    """(U,) rows of the units: the groups, where there are any."""
    return np.ones(block.n_rows, np.intp) if block.groups is None else np.diff(block.groups)


def _seen(block: Block) -> Array:
    """(U,) rows of which something was seen."""
    seen = np.asarray(~np.isnan(block.x).all(axis=0), np.float64)
    return seen if block.groups is None else np.add.reduceat(seen, block.groups[:-1])


def _weights(block: Block) -> Array:
    """(U,)"""
    weights = np.ones(block.n_rows) if block.weights is None else block.weights
    return weights if block.groups is None else weights[block.groups[:-1]]


def _score(end: FitResult, blocks: Sequence[Block], fold: Integers, number: int, out: Array) -> None:
    """Write the log-densities of the units of a fold, under what was fitted to the others."""
    first = 0
    for block in blocks:
        n = block.n_rows if block.groups is None else len(block.groups) - 1
        chosen = np.flatnonzero(fold[first : first + n] == number)
        if len(chosen):
            out[first + chosen] = _densities(end, block, chosen)
        first += n


def _densities(end: FitResult, block: Block, chosen: Integers) -> Array:
    """(m,) of some units; those of a law under which rows are independent are sums over them."""
    model, rows = end.candidate.model, replace(block, labels=None)
    if block.groups is None:
        return score_block(model, end.parameters, rows.cut(chosen)).log_density
    some = rows.take_groups(chosen)
    found = score_block(model, end.parameters, some).log_density
    if model.latent.needs_groups:
        return found
    return np.add.reduceat(found, checked_groups(some)[:-1])
