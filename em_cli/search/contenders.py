"""Which models of a sweep may yet be chosen: those within reach of the best by the criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.criteria import CRITERIA, Figures
from em_cli.engine.arrays import Array
from em_cli.engine.climb import FitResult
from em_cli.search.ledger import unpenalised
from em_cli.search.search_data import SearchData
from em_cli.search.survey import Survey


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """How models are compared in the end, on the rows of the search: all, or a sample that stands for them."""

    criterion: str
    survey: Survey  # of all rows
    data: SearchData

    def within_reach(self, bests: Sequence[FitResult | None], margin: float) -> list[bool]:
        """Whether each model, of which this is the best known, is within the margin of the best of all.

        What differs by so much on a sample may differ by as many times more as there are more rows.
        """
        values = np.array([float("inf") if best is None else self._value(best) for best in bests])
        near: list[bool] = (values <= values.min() + margin * self._scale).tolist()
        return near

    @property
    def _scale(self) -> float:
        return self.survey.source.n_rows / self.data.survey.source.n_rows

    def _value(self, best: FitResult) -> float:
        model, weights, scale = best.candidate.model, self.data.block.weights, self._scale
        elbo = scale * best.log_likelihood if model.is_variational else None
        plain = Figures(scale * unpenalised(best), model.n_parameters, scale * self.data.n_for_bic, 0.0, 0.0, elbo)
        value = CRITERIA.make(self.criterion, plain)
        if CRITERIA.make(self.criterion, replace(plain, entropy=1.0, log_largest=-1.0)) == value:
            return value
        r = self.data.responsibilities(best)
        entropy = -scale * _total(np.sum(r * np.log(np.maximum(r, np.finfo(float).tiny)), axis=0), weights)
        log_largest = scale * _total(np.log(r.max(axis=0)), weights)
        return CRITERIA.make(self.criterion, replace(plain, entropy=entropy, log_largest=log_largest))


def _total(rows: Array, weights: Array | None) -> float:
    return float(rows.sum() if weights is None else rows @ weights)
