"""Predictive densities of variational fits: t variables, negative binomial counts, Lomax times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from em_cli.exports.closed_forms import DENSITIES, LOG_2PI, Density, Options, Terms, stirling_of
from em_cli.exports.formula import Formula, below, known, ln, number, square
from em_cli.families.variational.t_columns import TColumns


def t_columns(law: TColumns, cells: Sequence[Formula]) -> list[Terms]:
    """Columns that are independent given the component."""
    found = []
    for j, x in enumerate(cells):
        each = zip(law.locations[:, j].tolist(), law.scales[:, j].tolist(), law.dof.tolist(), strict=True)
        own = tuple(known([x], _t(x, location, scale, dof)) for location, scale, dof in each)
        found.append(Terms(number(0.0), own))
    return found


def _t(x: Formula, location: float, scale: float, dof: float) -> Formula:
    z = square((x - location) / scale)
    return _level(dof) - math.log(scale) - 0.5 * (dof + 1) * ln(1.0 + z / dof)


def _level(dof: float) -> float:
    """log Γ((ν + 1)/2) − log Γ(ν/2) − log(νπ)/2, by Stirling's formula: of many rows no digit is lost."""
    a = dof / 2
    return (a + 0.5) * math.log1p(0.5 / a) - 0.5 - 0.5 * LOG_2PI + stirling_of(a) - stirling_of(a + 0.5)


def of_rates(family: str, told: Mapping[str, Any], cells: Sequence[Formula], options: Options) -> list[Terms]:
    """Counts or times whose rates have gamma posteriors."""
    density = NEGATIVE_BINOMIAL if family == "poisson" else LOMAX
    shapes, rates = told["posterior"]["shape"], told["posterior"]["rate"]
    return [
        density.terms(x, options, [(shape[j], rate[j]) for shape, rate in zip(shapes, rates, strict=True)])
        for j, x in enumerate(cells)
    ]


def _negative_binomial(x: Formula, options: Options, shape: float, rate: float) -> Formula:
    return DENSITIES["negative_binomial"].own(x, options, shape / rate, shape)


def _lomax(x: Formula, options: Options, shape: float, rate: float) -> Formula:
    return math.log(shape / rate) - (shape + 1) * ln(1.0 + x / rate)


NEGATIVE_BINOMIAL = Density(
    (), DENSITIES["negative_binomial"].refuses, DENSITIES["negative_binomial"].common, _negative_binomial
)
LOMAX = Density((), lambda x, options: below(x, 0.0), lambda x, options: 0.0, _lomax)
