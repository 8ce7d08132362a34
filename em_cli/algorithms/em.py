"""Expectation–maximisation (Dempster, Laird & Rubin 1977)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from em_cli.algorithms.usual import Usual
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query


@dataclass(frozen=True, slots=True)
class EM(Usual):
    """Each E-step is taken at the M-step of the one before."""

    @property
    def memoryless(self) -> bool:
        return True

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        found = yield Query(start)
        while True:
            found = yield Query(found)
