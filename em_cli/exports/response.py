"""A response given regressors: what each component expects of it, and the density about that."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from em_cli.exports.closed_forms import SMALLEST, Terms, normal, rising, stirling_of, whole
from em_cli.exports.elliptic import Steps
from em_cli.exports.formula import (
    Formula,
    below,
    choose,
    either,
    equal,
    exp,
    known,
    largest,
    ln,
    log1p,
    log_factorial,
    name,
    number,
    square,
    total,
)
from em_cli.families.regression.generalized import BoundGeneralized
from em_cli.families.regression.linear import BoundLinear
from em_cli.families.regression.regressors import Regressors
from em_cli.families.regression.responses import LARGEST_PREDICTOR, RESPONSES
from em_cli.families.regression.terms import Piece


@dataclass(frozen=True, slots=True)
class _Law:
    """A response y among t trials, by its predictor η, which a step has computed."""

    refuses: Callable[[Formula, Formula], Formula | None]
    common: Callable[[Formula, Formula], Formula]
    own: Callable[[Formula, Formula, Formula, float], Formula]  # the last is what the law has beside the mean
    mean: Callable[[Formula, Formula], Formula]


def regression(
    bound: BoundLinear | BoundGeneralized, told: Mapping[str, Any], cells: Sequence[Formula]
) -> tuple[Steps, Terms]:
    """Steps that end with the means of the components, and the log-density.

    Where a cell is missing that is needed, the response tells nothing.
    """
    roles, design, of = bound.regressors.roles, bound.regressors.design, _law(bound)
    y, t = _response(bound.regressors, cells)
    offset = number(0.0) if roles.offset is None else cells[roles.offset]
    made = [number(1.0), *(_product(pieces, cells) for pieces in design.products)]
    size = len(told["coefficients"])
    predictors = [name(f"predictor{k + 1}") for k in range(size)]
    steps = [
        {
            f"predictor{k + 1}": offset + total(c * term for c, term in zip(row, made, strict=True))
            for k, row in enumerate(told["coefficients"])
        },
        {f"mean{k + 1}": of.mean(predictor, t) for k, predictor in enumerate(predictors)},
    ]
    needed = [cells[place] for place in (roles.response, roles.offset, roles.trials) if place is not None]
    needed += [cells[place] for place in design.places]
    beside = next((told[field] for field in BESIDE if field in told), [1.0] * size)
    own = tuple(known(needed, of.own(y, t, eta, value)) for eta, value in zip(predictors, beside, strict=True))
    return steps, Terms(known(needed, of.common(y, t)), own)


def refused_by(bound: BoundLinear | BoundGeneralized, cells: Sequence[Formula]) -> Formula | None:
    """The condition that a response or a regressor is none that there can be."""
    logarithms = [cells[p.place] for pieces in bound.regressors.design.products for p in pieces if p.factor.log]
    found = [_law(bound).refuses(*_response(bound.regressors, cells)), *(below(cell, SMALLEST) for cell in logarithms)]
    conditions = [condition for condition in found if condition is not None]
    return either(conditions) if conditions else None


def _law(bound: BoundLinear | BoundGeneralized) -> _Law:
    if isinstance(bound, BoundLinear):
        return LAWS["gaussian"]
    return LAWS[next(name for name, response in RESPONSES.items() if response == bound.law)]


def _response(regressors: Regressors, cells: Sequence[Formula]) -> tuple[Formula, Formula]:
    """The response, and among how many trials."""
    roles = regressors.roles
    return cells[roles.response], number(roles.n_trials) if roles.trials is None else cells[roles.trials]


def predicted(n_components: int) -> list[tuple[str, Formula]]:
    """What the mixture and each component expect of the response, by the shares of the components."""
    own = means(n_components)
    mixed = total(name(f"share{k + 1}") / name("total") * mean for k, mean in enumerate(own))
    return [("predicted", mixed), *((f"predicted{k + 1}", mean) for k, mean in enumerate(own))]


def means(n_components: int) -> list[Formula]:
    """What each component expects, which a step has computed."""
    return [name(f"mean{k + 1}") for k in range(n_components)]


def _product(pieces: Sequence[Piece], cells: Sequence[Formula]) -> Formula:
    found = number(1.0)
    for piece in pieces:
        found = found * _factor(piece, cells[piece.place])
    return found


def _factor(piece: Piece, cell: Formula) -> Formula:
    """Of a missing cell it is missing."""
    if piece.level is not None:
        return choose(equal(cell, float(piece.level)), 1.0, 0.0) + (cell - cell)
    if piece.factor.log:
        return ln(choose(below(cell, SMALLEST), 1.0, cell))  # such a row is refused
    found = cell
    for _ in range(1, piece.factor.power):
        found = found * cell
    return found


def _bounded(eta: Formula) -> Formula:
    """No more, nor less, than has an exponential."""
    above = choose(below(LARGEST_PREDICTOR, eta), LARGEST_PREDICTOR, eta)
    return choose(below(eta, -LARGEST_PREDICTOR), -LARGEST_PREDICTOR, above)


def _small(eta: Formula) -> Formula:
    """exp(−|η|)."""
    return exp(_bounded(0.0 - largest([eta, 0.0 - eta])))


def _ways(y: Formula, t: Formula) -> Formula:
    of_trials = number(math.lgamma(float(str(t.parts[0])) + 1)) if t.kind == "number" else log_factorial(t)
    return of_trials - log_factorial(y) - log_factorial(t - y)


def _gamma(y: Formula, t: Formula, eta: Formula, shape: float) -> Formula:
    """About its mean, so that large shapes lose no digits."""
    mean = exp(_bounded(eta))
    away = (y - mean) / mean
    log_ratio = choose(below(square(away), 0.25), log1p(away), ln(y) - eta)
    return stirling_of(shape) + shape * (log_ratio - away)


def _negative_binomial(y: Formula, t: Formula, eta: Formula, size: float) -> Formula:
    logits = eta - math.log(size)
    return rising(y, size) + y * eta - (y + size) * (choose(below(logits, 0.0), 0.0, logits) + log1p(_small(logits)))


BESIDE = ("sigma", "shape", "size")  # fields of a document
LAWS: Mapping[str, _Law] = {
    "gaussian": _Law(
        refuses=lambda y, t: None,
        common=lambda y, t: number(0.0),
        own=lambda y, t, eta, sd: normal(y, eta, sd),
        mean=lambda eta, t: eta,
    ),
    "poisson": _Law(
        refuses=lambda y, t: whole(y),
        common=lambda y, t: 0.0 - log_factorial(y),
        own=lambda y, t, eta, sd: y * eta - exp(_bounded(eta)),
        mean=lambda eta, t: exp(_bounded(eta)),
    ),
    "binomial": _Law(
        refuses=lambda y, t: either([whole(y), whole(t), below(t, y)]),
        common=_ways,
        own=lambda y, t, eta, sd: y * eta - t * (choose(below(eta, 0.0), 0.0, eta) + log1p(_small(eta))),
        mean=lambda eta, t: t * choose(below(eta, 0.0), _small(eta), 1.0) / (1.0 + _small(eta)),
    ),
    "gamma": _Law(
        refuses=lambda y, t: below(y, SMALLEST),
        common=lambda y, t: 0.0 - ln(y),
        own=_gamma,
        mean=lambda eta, t: exp(_bounded(eta)),
    ),
    "negative_binomial": _Law(
        refuses=lambda y, t: whole(y),
        common=lambda y, t: 0.0 - log_factorial(y),
        own=_negative_binomial,
        mean=lambda eta, t: exp(_bounded(eta)),
    ),
}
