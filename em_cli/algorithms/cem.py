"""Classification EM (Celeux & Govaert 1992): k-means, for mixtures of any kind.

It climbs the log-likelihood of rows and labels together. That is an answer to another question than maximum
likelihood: components come out too narrow, and the more so the more they overlap. With the structure EII and equal
mixing weights it takes the steps of Lloyd's algorithm.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from em_cli.algorithms.usual import Usual, needs_single_rows
from em_cli.engine.assignment import HARD
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query

ROUNDING = 1e-13  # of the objective; a smaller gain is none


@dataclass(frozen=True, slots=True)
class CEM(Usual):
    """Each row counts for its likeliest component alone, until no row moves."""

    @property
    def objective(self) -> str:
        return HARD.objective

    @property
    def from_starts(self) -> bool:
        return True

    def refuses(self, model: Model) -> str | None:
        return needs_single_rows("cem", model)

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        before = yield Query(start, assignment=HARD)
        while True:
            found = yield Query(before, trial=True, expected_gain=float("inf"), assignment=HARD)
            if found.objective - before.objective <= ROUNDING * abs(found.objective):
                break
            before = found
        while True:
            yield Query(before, trial=True, expected_gain=0.0, assignment=HARD)
