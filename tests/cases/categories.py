"""Yes and no, and categories."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats
from support import Case, Document, Kinds, n_levels

from cases.seen import averages, by_columns, of_observed, with_and_without_gaps
from em_cli.engine.arrays import Array
from em_cli.engine.family import Family
from em_cli.families.distributions.bernoulli import Bernoulli
from em_cli.families.distributions.categorical import Categorical


def scipy_categorical(family: Any, document: Document, x: Array) -> Array:
    observed = ~np.isnan(x)
    codes = np.where(observed, x, 0).astype(int)
    with np.errstate(divide="ignore"):
        logs = [[np.log(column)[codes[j]] for j, column in enumerate(p)] for p in document["probabilities"]]
    return np.stack([of_observed(np.stack(by_cell), x) for by_cell in logs])


def categorical_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    levels = family.distribution.levels
    shares = [[np.sum(weights * (row == code)) for code in range(n)] for row, n in zip(x, levels, strict=True)]
    return {"probabilities": [[(np.array(own) / np.sum(own)).tolist() for own in shares]]}


def bernoulli_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        return {"probabilities": averages(x, weights)[None]}

    law = by_columns("probabilities", stats.bernoulli)
    kinds = ("binary",) * 12
    return with_and_without_gaps(Case("bernoulli", kinds, kinds[:2], False, lambda kinds: Bernoulli(), law, of_all))


def categorical_cases() -> list[Case]:
    kinds = ("3 levels", "2 levels", "4 levels", "3 levels", "5 levels", "3 levels")

    def build(kinds: Kinds) -> Family:
        return Categorical(tuple(map(n_levels, kinds)))

    return with_and_without_gaps(
        Case("categorical", kinds, kinds[1:3], False, build, scipy_categorical, categorical_of_all)
    )
