"""Expectation–maximisation (Dempster, Laird & Rubin 1977)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

from em_cli.engine.assignment import LOG_LIKELIHOOD
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query


@dataclass(frozen=True, slots=True)
class EM:
    """Each E-step is taken at the M-step of the one before."""

    objective: ClassVar[str] = LOG_LIKELIHOOD
    memoryless: ClassVar[bool] = True
    from_starts: ClassVar[bool] = False

    @property
    def with_sample(self) -> tuple[EM, EM]:
        return self, self

    def iterate(self, model: Model, start: Parameters) -> Generator[Query, Expectation, None]:
        found = yield Query(start)
        while True:
            found = yield Query(found)
