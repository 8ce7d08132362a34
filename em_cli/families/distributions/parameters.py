"""The parameters of a distribution: their names in documents, and which numbers they may be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from em_cli.engine.declared_numbers import Domain, Parameter, Quantity
from em_cli.engine.documents import LEAST, table
from em_cli.families.distributions.charts import log_odds_ratio, log_ratio, scaled, with_odds_scaled
from em_cli.families.distributions.distribution import Values


def above_zero(most: float = np.inf) -> Domain:
    """Steps are logarithms of ratios."""
    return Domain(lambda v: (v >= LEAST) & (v <= most), "not positive", Quantity.POSITIVE, log_ratio, scaled)


def from_zero(most: float = np.inf) -> Domain:
    """The same; zero stays zero."""
    return Domain(lambda v: (v >= 0) & (v <= most), "negative", Quantity.POSITIVE, log_ratio, scaled)


def any_number(most: float = np.inf) -> Domain:
    """Steps are differences."""
    steps, moved = (lambda base, v: v - base), (lambda base, step: base + step)
    return Domain(lambda v: np.abs(v) <= most, "too large", Quantity.REAL, steps, moved)


def from_zero_to_one() -> Domain:
    """Steps are differences of log-odds; zero and one stay."""
    return Domain(
        lambda v: (v >= 0) & (v <= 1), "not between 0 and 1", Quantity.PROBABILITY, log_odds_ratio, with_odds_scaled
    )


def to_document(parameters: tuple[Parameter, ...], values: Values) -> dict[str, object]:
    """The values (K, D) by name."""
    return {parameter.name: value.tolist() for parameter, value in zip(parameters, values, strict=True)}


def from_document(parameters: tuple[Parameter, ...], document: Mapping[str, object], shape: tuple[int, int]) -> Values:
    """The inverse of `to_document`; `DataError` names a field that is missing or holds other numbers."""
    return tuple(
        table(document, parameter.name, shape, parameter.domain.holds, parameter.domain.fault)
        for parameter in parameters
    )
