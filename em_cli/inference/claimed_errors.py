"""How far the errors of classification that a fit claims are from those that it makes, by the parametric bootstrap.

A fit to few rows takes its components for farther apart than they are, for it has been drawn to these rows. In rows
that are drawn from it, what a refit claims can be held against what is true of its assignments, for the law of the
labels is known there (Efron & Tibshirani 1993, chapter 10: the bias by the bootstrap).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source, checked_groups
from em_cli.engine.scoring import score_block
from em_cli.inference.replicates import Verdict, drawn_replicates
from em_cli.inference.three_step import ErrorTables, assigned_to, errors_among

LEAST_ERROR = 1e-6  # below which a probability counts as that, so that it has a logarithm
STEP = 1e-4  # of probabilities, for differences
FEWEST = 10  # replicates that tell anything


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """Errors (B, L, L) that refits claim of their assignments, and those that these have; s by row, t by column."""

    claimed: Array
    true: Array

    @property
    def _factors(self) -> Array:
        """(L, L) of true errors to claimed ones, by the mean of their logarithms, so that none falls below zero."""
        logs = [np.log(np.maximum(each, LEAST_ERROR)).mean(axis=0) for each in (self.true, self.claimed)]
        found: Array = np.exp(logs[0] - logs[1])
        return found

    def corrected(self, errors: Array) -> Array:
        """(L, L) what errors that are claimed come to."""
        found = errors * self._factors
        found /= np.add.reduce(found, axis=1, keepdims=True)
        return found

    def around(self, errors: Array) -> ErrorTables:
        """What replicates leave open of corrected errors, each probability by itself."""
        steps = np.eye(errors.size).reshape(-1, *errors.shape) * STEP
        away = (self.claimed - self.true).reshape(len(self.claimed), -1)
        return [*(errors + steps), *(errors - steps)], np.cov(away.T), STEP


def claims(
    model: Model,
    parameters: Parameters,
    source: Source,
    runner: Runner,
    draw: Callable[[int], Source],
    assignment: str,
    replicates: range,
) -> Claims | None:
    """From refits to rows that are drawn from the parameters (no stack); None where too few come to anything."""
    claimed, true = list[Array](), list[Array]()
    for some in drawn_replicates(model, parameters, source, runner, draw, replicates):
        for replicate in some:
            if replicate.verdict is Verdict.LOST:
                continue
            rows = draw(replicate.number)
            blocks = [rows[index] for index in range(len(rows))]
            believed, known = (
                np.concatenate([beliefs(model, at, block) for block in blocks], axis=1)
                for at in (replicate.parameters, parameters)
            )
            weights = np.concatenate([unit_weights(model, block) for block in blocks])
            assigned = assigned_to(believed, assignment)
            tables = [errors_among(each, assigned, weights) for each in (believed, known)]
            if all((np.asarray(table.sum(axis=1)) > 0.5).all() for table in tables):
                claimed.append(tables[0])
                true.append(tables[1])
    return Claims(np.array(claimed), np.array(true)) if len(claimed) >= FEWEST else None


def beliefs(model: Model, parameters: Parameters, block: Block) -> Array:
    """(L, n) of the units of a block, whose weights do not matter."""
    found = score_block(model, parameters, replace(block, weights=None)).responsibilities
    return found[:, _first_rows(model, block)]


def unit_weights(model: Model, block: Block) -> Array:
    """(n,) of the units of a block."""
    first = _first_rows(model, block)
    return np.ones(len(first)) if block.weights is None else block.weights[first]


def _first_rows(model: Model, block: Block) -> Integers:
    return checked_groups(block)[:-1] if model.latent.needs_groups else np.arange(block.n_rows)
