"""What pictures may need of how sure a run is: intervals, replicates, and tests of the number of components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from em_cli.documents.params_json import Params
from em_cli.engine.arrays import Array
from em_cli.inference.reported import errors_of_components

STANDARD_ERRORS = 1.96  # to either side of an estimate, for an interval of 95 %


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """What `em bootstrap` has left in the run folder."""

    kind: str
    level: float
    n_replicates: int
    withheld: str  # why there are no intervals; "" if there are
    intervals: Mapping[str, tuple[float, float]]  # by the names of the numbers; of those that have one
    names: Sequence[str]
    values: Array  # (B, M) the numbers, by name, of the replicates that were kept

    def of_mean(self, place: int, columns: Sequence[int]) -> Array | None:
        """(B, d) the means of a component in the replicates; None if these do not tell all of them."""
        names = [mean_of(place, column) for column in columns]
        if not all(name in self.names for name in names):
            return None
        found: Array = self.values[:, [self.names.index(name) for name in names]]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Certainty:
    resampling: Resampling | None = None
    tests: Sequence[Mapping[str, Any]] = field(default=())  # of tests.json


UNKNOWN = Certainty()


def mean_of(place: int, column: int) -> str:
    """What the mean of a component, from 0, in a column is called among the numbers of a fit."""
    return f"mean[{place + 1}][{column + 1}]"


def intervals_of_means(document: Params, certainty: Certainty, names: Sequence[str], k: int) -> tuple[Array, str]:
    """Ends (2, K, D), NaN where there are none, and what they are in words; "" if there are none at all."""
    ends, found = np.full((2, k, len(names)), np.nan), certainty.resampling
    if found is not None:
        for place, column in np.ndindex(k, len(names)):
            ends[:, place, column] = found.intervals.get(mean_of(place, column), (np.nan, np.nan))
        told = f"{100 * found.level:g} % intervals by {found.n_replicates:,} {found.kind} replicates"
        return ends, told if np.isfinite(ends).any() else ""
    errors = errors_of_components(document, k)
    if errors is None:
        return ends, ""
    for place, (component, own) in enumerate(zip(document["components"][:k], errors, strict=True)):
        for column, name in enumerate(names):
            mean, error = component["mean"].get(name), (own.get("mean") or {}).get(name)
            if isinstance(mean, int | float) and isinstance(error, int | float):
                reach = STANDARD_ERRORS * error
                ends[:, place, column] = mean - reach, mean + reach
    return ends, "estimate ± 1.96 standard errors" if np.isfinite(ends).any() else ""
